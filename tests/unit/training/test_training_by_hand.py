"""The commands by which docs/training.md leads from bins to answers without AWS, run as they are written."""

import re
import shlex
import sys
from pathlib import Path

import httpx

from tests.processes import ROOT, run_as_written, serving

PAGE = (ROOT / "docs" / "training.md").read_text()
COMMANDS = re.findall(r"^    (\.venv/bin/python .*build/by-hand/.*)$", PAGE, re.MULTILINE)


def test_the_page_leads_from_bins_to_an_answer(tmp_path: Path) -> None:
    """In another folder, with another port and fewer bins; all else is the page's."""
    *steps, serve = (
        command.replace(".venv/bin/python", shlex.quote(sys.executable))
        .replace("build/by-hand", str(tmp_path))
        .replace("--images 600", "--images 400")
        .replace("--port 8080", "--port 0")
        for command in COMMANDS
    )
    assert [re.findall(r"python -m (\S+)|(train\.py)", step) for step in steps] == [
        [("demo.bins.generate", "")], [("data_prep", "")], [("", "train.py")],
    ]  # fmt: skip
    for step in steps:
        run_as_written(step)
    assert (tmp_path / "output" / "evaluation" / "report.html").exists()
    assert 1 <= answer_of(serve, image=next((tmp_path / "bins").glob("bin-images/*.jpg")))["count"] <= 3


def answer_of(serve: str, *, image: Path) -> dict[str, int]:
    """What the server that a command starts says of an image, sent as the page says."""
    with serving(shlex.split(serve)) as port:
        url, headers = f"http://127.0.0.1:{port}/invocations", {"Content-Type": "image/jpeg"}
        return httpx.post(url, content=image.read_bytes(), headers=headers, timeout=30).json()
