"""Synthesis writes nothing to the home folder (aws-cdk-lib and jsii would keep caches there)."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_synth_leaves_the_home_folder_empty(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    # pip's own cache is pip's; it is set to keep none.
    variables = {**os.environ, "HOME": str(home), "PIP_NO_CACHE_DIR": "1", "STAGE": "local"}
    subprocess.run(["make", "synth"], cwd=ROOT, env=variables, check=True, capture_output=True, timeout=300)
    files = [path.relative_to(home) for path in home.rglob("*") if path.is_file()]
    # npm's own log; and pip asks an installed rustc for its version, upon which rustup writes its settings.
    left = [path for path in files if path.parts[0] not in (".npm", ".rustup")]
    assert left == []
