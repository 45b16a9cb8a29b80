"""`make account-trial` on an embedded cloud, under IAM enforcement: interrupted, held, broken, removed.

One trial of the stage `trial`, in this machine's sizes; each test goes on where the one before it ended. The
cloud's SageMaker can be told to hide the container's own status from its callers: then the one assumption
that rests on it is broken, and no other.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from infra.tools.trial.believed import ASSUMPTIONS
from infra.tools.trial.steps import REMOVING, STEPS
from local.bins import generate
from local.cloud import Cloud
from local.demo.deployment import ACCOUNT_AND_REGION
from local.demo.sizes import run_sizes
from local.demo.source import upload
from local.demo.weights import WeightsMirror
from local.environment import neutral_environment

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs" / "schemas" / "evidence.schema.json").read_text())
IMAGES = 90
FAULT = """

import pathlib as _pathlib

_as_aws_says = _model_error


def _model_error(*, status: int, text: str, name: str) -> Response:
    code, headers, content = _as_aws_says(status=status, text=text, name=name)
    if _pathlib.Path({switch!r}).exists():
        told = json.loads(content)
        content = json.dumps({{"Message": told["Message"]}}).encode()
    return code, headers, content
"""


class Operator:
    """Somebody with an account, at the command line."""

    def __init__(self, *, cloud: Cloud, folder: Path, settings: dict[str, str]) -> None:
        self.cloud = cloud
        self.switch = folder / "hides-the-status"
        self._out = folder / "evidence.json"
        self._settings = [word for pair in settings.items() for word in ("-c", "=".join(pair))]
        path = os.pathsep.join([str(ROOT / "client"), str(ROOT)])
        self._environment = {**neutral_environment(), **cloud.environment(), "PYTHONPATH": path}

    def command(self, *flags: str) -> list[str]:
        words = [sys.executable, "-m", "infra.tools.trial", "--out", str(self._out), *flags]
        return words if "--resume" in flags else [*words, *self._settings]

    def start(self, *flags: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*flags),
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *flags: str, code: int) -> str:
        process = self.start(*flags)
        said, _ = process.communicate(timeout=900)
        assert process.returncode == code, said
        return said

    def bootstrap(self) -> None:
        command = ["npx", "--no-install", "cdk", "bootstrap", ACCOUNT_AND_REGION, "-c", "stage=trial"]
        subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, check=True)

    def evidence(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self._out.read_text())
        jsonschema.validate(told, SCHEMA)
        assert [each["name"] for each in told["assumptions"]] == [each.name for each in ASSUMPTIONS]
        return told

    def found(self, state: str) -> dict[str, dict[str, Any]]:
        return {each["name"]: each for each in self.evidence()["assumptions"] if each["state"] == state}


def tree_with_a_fault(folder: Path, *, switch: Path) -> Path:
    """This working tree, whose emulator hides the container's status while the file `switch` is there."""
    folder.mkdir()
    for each in ROOT.iterdir():
        if each.name != "local":
            (folder / each.name).symlink_to(each)
    shutil.copytree(ROOT / "local", folder / "local", ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "local" / "sagemaker" / "runtime.py").open("a", encoding="utf-8") as file:
        file.write(FAULT.format(switch=str(switch)))
    return folder


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("trial")
    tree = tree_with_a_fault(folder / "tree", switch=folder / "hides-the-status")
    with (
        WeightsMirror(ROOT / "build" / "weights", arch=run_sizes()["training.arch"]) as mirror,
        Cloud(data_dir=folder / "cloud", tree=tree) as cloud,
    ):
        generate(out=folder / "bins", images=IMAGES, seed=3, counts=range(0, 6), tidy=True)
        upload(cloud.client("s3"), folder / "bins", progress=lambda done, all_: None)
        settings = {**run_sizes(), **mirror.settings, "training.epochs": "[1, 2]"}
        shutil.rmtree(ROOT / "build" / "account-trial" / "trial", ignore_errors=True)
        yield Operator(cloud=cloud, folder=folder, settings=settings)


def test_nothing_is_begun_where_the_doctor_misses_something(operator: Operator) -> None:
    said = operator.run("--yes", code=1)
    assert "nothing was spent" in said and "cdk bootstrap" in said
    assert set(operator.evidence()["steps"]) == {"doctor"}


def test_nothing_is_begun_without_consent(operator: Operator) -> None:
    operator.bootstrap()
    assert "above --budget-usd" in operator.run("--yes", "--budget-usd", "0.5", code=2)
    assert "yes was not typed" in operator.run(code=2)
    assert not operator.found("held") and not operator.found("broken")


def test_an_interrupted_trial_says_how_to_go_on_and_how_to_remove(operator: Operator) -> None:
    process = operator.start("--yes", "--keep")
    assert process.stdout is not None
    for line in process.stdout:
        if "state Tune" in line:
            process.send_signal(signal.SIGINT)
            break
    said = process.stdout.read()
    assert process.wait(60) == 130, said
    for words in ("--resume", "--remove", "npx cdk destroy --all --force", "make teardown STAGE=trial"):
        assert words in said
    told = operator.evidence()
    assert (told["state"], told["steps"]["deploy"]["state"]) == ("interrupted", "done")


def test_another_trial_does_not_collide_with_it(operator: Operator) -> None:
    said = operator.run("--yes", code=2)
    assert "there is already" in said and "--resume" in said


def test_the_whole_path_is_gone_and_what_was_asked_held(operator: Operator) -> None:
    operator.run("--resume", "--yes", "--keep", code=0)
    told = operator.evidence()
    assert set(told["steps"]) == set(STEPS) - set(REMOVING)
    assert {step["state"] for step in told["steps"].values()} == {"done"}
    assert not operator.found("broken")
    held = operator.found("held")
    assert {"tuning-fields", "typed-parameter", "error-mapping", "transform-out", "blue-green"} <= set(held)
    states = operator.cloud.client("stepfunctions")
    machine = "arn:aws:states:us-east-1:000000000000:stateMachine:bincount-trial-pipeline"
    runs = states.list_executions(stateMachineArn=machine)["executions"]
    assert len(runs) == 2, "the interrupted execution was followed, not started again"


def test_the_one_broken_assumption_is_told_with_its_words(operator: Operator) -> None:
    operator.switch.touch()
    try:
        said = operator.run("--resume", "--only", "count", code=3)
    finally:
        operator.switch.unlink()
    broken = operator.found("broken")
    assert set(broken) == {"error-mapping"}
    (words,) = broken["error-mapping"]["words"]
    assert "undecodable_image" not in words and "upstream_failed" in words
    assert said.index("broken ") < said.index("held ")


def test_all_is_removed_and_what_was_kept_is_taken_over_before(operator: Operator) -> None:
    operator.run("--resume", "--only", "count", code=0)
    said = operator.run("--resume", "--yes", code=0)
    assert "nothing of the stage is left" in said and "issue" in said
    told = operator.evidence()
    assert told["state"] == "done" and set(told["steps"]) == set(STEPS)
    assert {"import-retained", "late-endpoint-logs", "teardown-key", "nothing-left"} <= set(
        operator.found("held")
    )
    assert not operator.found("broken")
    stacks = operator.cloud.client("cloudformation").describe_stacks()["Stacks"]
    assert not [stack for stack in stacks if "trial" in stack["StackName"]]
