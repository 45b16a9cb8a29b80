"""A cdk.json that cannot be read: every command that reads it says so in a sentence."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.settings import SettingsError, context_of_cdk_json

ROOT = Path(__file__).resolve().parents[2]
BROKEN = {
    "cut off": ('{"context": {', "cannot be read as JSON"),
    "empty": ("", "cannot be read as JSON"),
    "no object": ("[]", "expected an object"),
    "no context": ("{}", '"context"'),
    "a context that is none": ('{"context": "dev"}', '"context"'),
}
COMMANDS = (
    ["infra.tools.doctor", "--stage", "dev"],
    ["infra.tools.trial", "--yes"],
    ["infra.tools.adopt", "--stage", "dev"],
    ["infra.tools.teardown", "--stage", "dev"],
    ["infra.tools.stage_weights", "--stage", "dev"],
    ["infra.tools.quotas"],
)


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_file_is_reported(tmp_path: Path, how: str) -> None:
    content, words = BROKEN[how]
    file = tmp_path / "cdk.json"
    file.write_text(content)
    with pytest.raises(SettingsError, match=words):
        context_of_cdk_json(file=file)


def test_a_file_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cdk\.json.*No such file"):
        context_of_cdk_json(file=tmp_path / "cdk.json")


def test_an_option_of_another_form_is_reported() -> None:
    with pytest.raises(SettingsError, match="-c region: .*KEY=VALUE"):
        context_of_cdk_json(["region"])


def test_options_lie_over_the_file() -> None:
    given = context_of_cdk_json(["region=eu-west-1", "tags=a=b"])
    assert (given["region"], given["tags"]) == ("eu-west-1", "a=b")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The infra package beside a cdk.json that was cut off."""
    folder = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "infra", folder / "infra", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "cdk.json").write_text('{"context": {')
    return folder


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_no_command_shows_a_stack_trace_for_it(tree: Path, command: list[str]) -> None:
    paths = [str(tree), *sys.path]
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (1, 2)
    (line,) = [each for each in done.stderr.splitlines() if each.startswith("error: ")]
    assert "cdk.json" in line and "JSON" in line
    assert "Traceback" not in done.stderr
