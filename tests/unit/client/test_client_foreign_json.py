"""JSON that breaks a parser is reported in a line, as any other that is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from bincount.errors import of_response

DEEP = "[" * 200_000


def test_an_answer_that_is_nested_without_end_is_a_bad_answer() -> None:
    assert of_response(DEEP, status=502).code == "bad_answer"


@pytest.mark.parametrize(
    ("content", "message"),
    [(DEEP, "not JSON"), ('{"counts": [1, 3], "counts": [1, 5]}', "'counts' is there twice")],
)
def test_a_request_that_cannot_be_read_is_one_line(content: str, message: str, tmp_path: Path) -> None:
    request = tmp_path / "request.json"
    request.write_text(content)
    command = [sys.executable, "-m", "bincount", "train", "--request", request, "--region", "us-east-1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert str(request) in done.stderr.replace("\n", "") and message in done.stderr
