"""Synthesis writes nothing to the home folder (aws-cdk-lib and jsii would keep caches there)."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_synth_leaves_the_home_folder_empty(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    # pip's own cache is pip's; it is set to keep none. The CDK allows no other command on the same assembly.
    variables = {
        **os.environ,
        "HOME": str(home),
        "PIP_NO_CACHE_DIR": "1",
        "STAGE": "local",
        "CDK_OUTPUT": str(tmp_path / "cdk.out"),
    }
    command = ["make", "synth"]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    files = [path.relative_to(home) for path in home.rglob("*") if path.is_file()]
    # npm's own log; and pip asks an installed rustc for its version, upon which rustup writes its settings.
    left = [path for path in files if path.parts[0] not in (".npm", ".rustup")]
    assert left == []
