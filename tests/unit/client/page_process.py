"""The page as a person starts it: `bincount page …` as a process, until it is asked to end."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_NOTHING = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_REGION": "eu-central-1",
}
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}


@contextmanager
def page_of(*arguments: str | Path, folder: Path, **variables: str) -> Generator[str]:
    """The address of `bincount page` with `arguments`, run in `folder`; it must end cleanly at Ctrl-C."""
    command = [sys.executable, "-m", "bincount", "page", "--no-browser", *map(str, arguments)]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}/client:{ROOT}/core",
        **_NOTHING,
        **variables,
    }
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            assert found, line or process.stderr.read()
            yield found[0]
        finally:
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
        assert process.wait(timeout=20) == 0
        assert said == "", said
