"""The commands by which docs/own-bins.md leads from a folder to a served model, run as they are written."""

import json
import re
import shlex
import sys
from pathlib import Path

from tests.processes import ROOT, run_as_written, serving

PAGE = (ROOT / "docs" / "own-bins.md").read_text()
COMMANDS = re.findall(r"^    (.*build/own-bins/?.*)$", PAGE, re.MULTILINE)


def as_written(command: str, folder: Path) -> str:
    """The page's command with another folder, and with the programs of the Python that runs this test."""
    python = shlex.quote(sys.executable)
    return (
        command.replace(".venv/bin/python", python)
        .replace(".venv/bin/bincount", f"{python} -m bincount")
        .replace("build/own-bins", str(folder))
        .replace("--port 8080", "--port 0")
    )


def test_the_page_leads_from_a_folder_to_a_served_model(tmp_path: Path) -> None:
    *steps, serve, ask = (as_written(command, tmp_path) for command in COMMANDS)
    assert [re.findall(r"-m ([\w.]+)|(train\.py)", step)[0] for step in steps] == [
        ("demo.bins.own", ""), ("bincount", ""), ("data_prep", ""), ("", "train.py"),
    ]  # fmt: skip
    said = [run_as_written(step) for step in steps]
    assert "600 of 600 images would be taken" in said[1]
    assert "has 600 images; 0 were rejected" in said[2]
    assert (tmp_path / "output" / "evaluation" / "report.html").exists()
    assert answer_of(serve, ask)["count"] in (1, 2, 3)


def answer_of(serve: str, ask: str) -> dict[str, int]:
    """What the server that the one command starts answers to the other."""
    with serving(shlex.split(serve)) as port:
        command = ask.replace("localhost:8080", f"127.0.0.1:{port}").replace("curl", "curl -s --noproxy '*'")
        return json.loads(run_as_written(command))
