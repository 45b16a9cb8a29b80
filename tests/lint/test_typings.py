"""typings/ says of the libraries only what is so: every name is there, and takes what the stub says."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TYPINGS = ROOT / "typings"
SDK = TYPINGS / "sagemaker"
SDK_PYTHON = ROOT / "build" / "launch-venv" / "bin" / "python"


def faults(*stubs: Path, python: Path, typings: Path = TYPINGS) -> str:
    command = [python, ROOT / "tests/lint/stub_faults.py", typings, *stubs]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=300).stdout


def test_the_stubs_are_so_of_the_installed_libraries() -> None:
    stubs = [stub for stub in sorted(TYPINGS.rglob("*.pyi")) if not stub.is_relative_to(SDK)]
    assert stubs
    assert faults(*stubs, python=Path(sys.executable)) == ""


@pytest.mark.e2e
def test_the_stubs_of_the_sagemaker_sdk_are_so_of_it() -> None:
    assert SDK_PYTHON.exists(), "the SDK's environment is missing: make launch-env (make test does it)"
    stubs = sorted(SDK.rglob("*.pyi"))
    assert stubs
    assert faults(*stubs, python=SDK_PYTHON) == ""


def test_a_wrong_stub_is_reported(tmp_path: Path) -> None:
    stub = tmp_path / "textwrap.pyi"
    stub.write_text("def dedent(words: str) -> str: ...\ndef embolden(text: str) -> str: ...\n")
    reported = faults(stub, python=Path(sys.executable), typings=tmp_path)
    assert reported.splitlines() == [
        "textwrap.dedent takes no words",
        "textwrap.dedent wants text",
        "textwrap.embolden does not exist",
    ]
