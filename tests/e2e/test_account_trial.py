"""`make account-trial` on an embedded cloud, under IAM enforcement: interrupted, held, broken, removed.

One trial of the stage `trial`, in this machine's sizes; each test goes on where the one before it ended. The
cloud's SageMaker can be set to hide the container's own status from its callers: then the one assumption
that rests on it is broken, and no other.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from embedded_cloud.environment import neutral_environment

from demo.bins.generate import generate
from demo.cloud import BINCOUNT, run_sizes
from demo.deployment import ACCOUNT_AND_REGION
from demo.source import upload
from demo.weights import WeightsMirror
from infra.names import Names
from infra.settings import load
from infra.tools.quotas import quotas
from infra.tools.trial.assumptions import ASSUMPTIONS
from infra.tools.trial.journal import REMOVING, STEPS
from tests.e2e.hiding_cloud import HidingCloud
from tests.infra.conftest import context

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs" / "schemas" / "evidence.schema.json").read_text())
NOT_GRANTED = "ml.c5.xlarge for transform job usage"
IMAGES = 240  # of as many blocks of ids as a split needs


class Operator:
    """Somebody with an account, at the command line."""

    def __init__(self, *, cloud: HidingCloud, folder: Path, settings: dict[str, str]) -> None:
        self.cloud = cloud
        self._folder = folder / "evidence"
        self._settings = settings
        self._context = [word for pair in settings.items() for word in ("-c", "=".join(pair))]
        path = os.pathsep.join(str(ROOT / part) for part in ("client", "core", "."))
        # As in demo/deployment.py: tests/infra holds each stage to the validation of the CDK.
        of_this_run = {"PYTHONPATH": path, "CDK_VALIDATION": "false"}
        self._environment = {**neutral_environment(), **cloud.environment(), **of_this_run}

    def command(self, *flags: str) -> list[str]:
        words = [sys.executable, "-m", "infra.tools.trial", "--folder", str(self._folder), *flags]
        despite = ["--despite", f"quotas: {NOT_GRANTED}"]  # the cloud counts no jobs
        return words if "--resume" in flags else [*words, *despite, *self._context]

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

    def provide(self) -> None:
        """What the doctor asks for, but one: the CDK's own stack, and the quotas."""
        # An assembly of its own: another test may use `cdk.out` at this moment, which the CDK refuses.
        of_the_stage = ["-c", "stage=trial", "--output", str(self._folder.parent / "bootstrap")]
        command = ["npx", "--no-install", "cdk", "bootstrap", ACCOUNT_AND_REGION, *of_the_stage]
        done = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        client = self.cloud.client("service-quotas")
        for wanted in quotas(load({**context(stage="trial"), **self._settings}.get)):
            if wanted.name == NOT_GRANTED:
                continue
            where = {"ServiceCode": wanted.service}
            pages = client.get_paginator("list_aws_default_service_quotas").paginate(**where)
            known = {quota["QuotaName"]: quota["QuotaCode"] for page in pages for quota in page["Quotas"]}
            where["QuotaCode"] = known[wanted.name]
            client.request_service_quota_increase(**where, DesiredValue=wanted.needed)

    def stacks(self) -> list[str]:
        found = self.cloud.client("cloudformation").describe_stacks()["Stacks"]
        return [stack["StackName"] for stack in found if "trial" in stack["StackName"]]

    def evidence(self) -> dict[str, Any]:
        reported: dict[str, Any] = json.loads((self._folder / "evidence.json").read_text())
        jsonschema.validate(reported, SCHEMA)
        assert [each["name"] for each in reported["assumptions"]] == [each.name for each in ASSUMPTIONS]
        return reported

    def found(self, state: str) -> dict[str, dict[str, Any]]:
        return {each["name"]: each for each in self.evidence()["assumptions"] if each["state"] == state}


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("trial")
    with (
        WeightsMirror(ROOT / "build" / "weights", arch=run_sizes()["training.arch"]) as mirror,
        HidingCloud(data_dir=folder / "cloud", project=BINCOUNT) as cloud,
    ):
        generate(out=folder / "bins", images=IMAGES, seed=3, counts=range(0, 6), tidy=True)
        upload(cloud.client("s3"), folder / "bins", progress=lambda done, all_: None)
        settings = {**run_sizes(), **mirror.settings, "training.epochs": "[1, 2]"}
        yield Operator(cloud=cloud, folder=folder, settings=settings)


def test_nothing_is_begun_where_the_doctor_misses_something(operator: Operator) -> None:
    said = operator.run("--yes", code=1)
    assert "nothing was spent" in said and "cdk bootstrap" in said
    assert set(operator.evidence()["steps"]) == {"doctor"}


def test_nothing_is_begun_without_consent(operator: Operator) -> None:
    operator.provide()
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
    reported = operator.evidence()
    assert (reported["state"], reported["steps"]["deploy"]["state"]) == ("interrupted", "done")


def test_another_trial_does_not_collide_with_it(operator: Operator) -> None:
    said = operator.run("--yes", code=2)
    assert "there is already" in said and "--resume" in said


def test_the_whole_path_is_gone_and_what_was_asked_held(operator: Operator) -> None:
    operator.run("--resume", "--yes", "--keep", code=0)
    reported = operator.evidence()
    assert set(reported["steps"]) == set(STEPS) - set(REMOVING)
    assert {step["state"] for step in reported["steps"].values()} == {"done"}
    assert not operator.found("broken")
    held = operator.found("held")
    assert {"tuning-fields", "typed-parameter", "error-mapping", "transform-out", "blue-green"} <= set(held)
    assert "capture-id" in held
    states = operator.cloud.client("stepfunctions")
    machine = "arn:aws:states:us-east-1:000000000000:stateMachine:bincount-trial-pipeline"
    runs = states.list_executions(stateMachineArn=machine)["executions"]
    assert len(runs) == 2, "the interrupted execution was followed, not started again"


def test_the_one_broken_assumption_is_reported_with_its_words(operator: Operator) -> None:
    operator.cloud.switch.touch()
    try:
        said = operator.run("--resume", "--only", "count", code=3)
    finally:
        operator.cloud.switch.unlink()
    broken = operator.found("broken")
    assert set(broken) == {"error-mapping"}
    (words,) = broken["error-mapping"]["words"]
    assert "undecodable_image" not in words and "upstream_failed" in words
    assert said.index("broken ") < said.index("held ")


def test_what_a_destroyed_stage_keeps_is_taken_over(operator: Operator) -> None:
    operator.run("--resume", "--only", "count", "--only", "destroy", "--only", "again", code=0)
    assert {"import-retained", "late-endpoint-logs"} <= set(operator.found("held"))


def test_remove_leaves_nothing_of_the_stage(operator: Operator) -> None:
    said = operator.run("--remove", code=0)
    assert "nothing of the stage is left" in said and "issue" in said
    reported = operator.evidence()
    assert reported["state"] == "done" and set(reported["steps"]) == set(STEPS)
    assert not operator.found("not reached")
    assert not operator.found("broken")
    assert not operator.stacks()


def test_a_step_that_fails_is_written_down_and_all_is_removed(operator: Operator) -> None:
    taken = Names("trial").alarm_topic
    operator.cloud.client("sns").create_topic(Name=taken)
    said = operator.run("--yes", code=1)
    assert "nothing of the stage is left" in said
    reported = operator.evidence()
    assert (reported["state"], reported["steps"]["deploy"]["state"]) == ("failed", "failed")
    assert f"'{taken}' already exists" in reported["steps"]["deploy"]["error"]
    assert not operator.found("broken")
    assert reported["steps"]["teardown"]["state"] == "done"
    assert not operator.stacks()
