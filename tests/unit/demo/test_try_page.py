"""`make try`: the page before an inference server, as one program that ends with all that it started."""

import json
import os
import re
import signal
import subprocess
import sys
import tarfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from demo.page.options import DRAWN_MODEL, FILES
from tests.browser.look import play

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-m", "demo.page"]


def environment(**variables: str) -> dict[str, str]:
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{ROOT}/client:{ROOT}/core"}
    return {
        **kept,
        "BINCOUNT_CLOUD": "/nowhere",
        **variables,
    }  # a setting of the client is no matter of the server


@contextmanager
def tried(*, ending: signal.Signals = signal.SIGINT, **variables: str) -> Generator[str]:
    """The address of the page; afterwards nothing that was started runs any more."""
    with subprocess.Popen(
        COMMAND,
        cwd=ROOT,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            lines = iter(process.stdout.readline, "")
            found = next((each for each in (re.search(r"http://\S+", line) for line in lines) if each), None)
            assert found, process.stderr.read()
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            yield found[0]
        finally:
            process.send_signal(ending)
        assert process.wait(timeout=30) == 0
    assert children and not [child for child in children if Path(f"/proc/{child}").exists()]


def transferred(url: str) -> int:
    """Bytes of the body as it comes over the line to a caller that takes gzip, as browsers do."""
    with httpx.stream("GET", url) as answer:
        return sum(map(len, answer.iter_raw()))


def test_a_newcomer_has_a_count_after_one_click(tmp_path: Path) -> None:
    with tried() as address:
        first = play(address, tmp_path, {"see": ["#drawn", "drawn bins"]}, {"shot": "first"})
        seen = play(
            address, tmp_path,
            {"click": "#example-list li:nth-child(1) button"}, {"see": ["#headline.match", "Matches"]},
            {"read": ".count b"},
            {"axe": True}, {"measure": True}, {"shot": "example"},
            {"click": "#example-list li:nth-child(4) button"}, {"see": ["#told", "this model counts 0 to 6"]},
            {"shot": "beyond"},
            view="hand",
        )  # fmt: skip
        bytes_ = sum(map(transferred, set(first.requests)))
    assert not seen.console and not seen.axe and not seen.measured[0]["outside"]
    assert seen.read == ["3"]
    assert bytes_ < 100_000


def test_a_model_of_ones_own_is_served_from_its_archive(tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        for name in FILES:
            packed.add(DRAWN_MODEL / name, arcname=f"./{name}")
        packed.add(__file__, arcname="../outside.py")
    with tried(ending=signal.SIGTERM, MODEL=str(archive)) as address:
        assert httpx.get(f"{address}page.json").json() == {"drawn": False, "examples": []}
        image = (DRAWN_MODEL.parent / "examples" / "bin-1.jpg").read_bytes()
        answer = httpx.post(f"{address}count", content=image, timeout=30).json()
    assert answer["model"] == json.loads((DRAWN_MODEL / "model.json").read_text())["model_id"]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"PORT": "x"}, "PORT=x must be a whole number"),
        ({"PORT": "80"}, "PORT=80 must be a whole number"),
        ({"MODEL": "/nowhere"}, "has no model.json"),
        ({"MODEL": __file__}, "is not a model.tar.gz"),
    ],
    ids=str,
)
def test_a_wrong_call_ends_with_one_line(variables: dict[str, str], words: str) -> None:
    done = subprocess.run(
        COMMAND, cwd=ROOT, env=environment(**variables), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert words in done.stderr and done.stderr.count("\n") == 1


def test_a_damaged_model_ends_with_one_line(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).write_bytes((DRAWN_MODEL / name).read_bytes())
    (tmp_path / "model.json").write_text("{}")
    done = subprocess.run(
        COMMAND, cwd=ROOT, env=environment(MODEL=str(tmp_path)), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: the inference server ended") and done.stderr.count("\n") == 1


def test_it_needs_nothing_but_the_locks_of_server_and_client() -> None:
    """What `make try` installs has no PyTorch, no CDK and no embedded cloud."""
    code = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "aws_cdk", "ministack", "embedded_cloud", "sagemaker"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import demo.page.__main__, inference.__main__
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment(), check=True)
