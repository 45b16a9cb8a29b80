"""`bincount models`, `train` and `status` on a deployed stage: what pipeline, gate and release really write.

The tests are one journey on one deployment: each goes on where the one before it ended.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import fill_bucket, make_role, training_job, wait_until

from demo.cloud import BINCOUNT
from tests.e2e.release_kit import PARAMETER, REQUEST, STAGE, Releases

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parents[2]
# The smallest training that the stage's own pipeline can do.
SMALL = {
    "training.max_jobs": "1",
    "training.max_parallel_jobs": "1",
    "training.warm_start": "last",
    "release.model_card": "card",
    "release.risk_rating": "Medium",
    "training.epochs": "[1,2]",
    "training.image_size": "32",
    "training.arch": "resnet18",
    "training.pretrained": "none",
    "training.fixed": "{}",
    "gate.min_accuracy": "0",
    "gate.max_rmse": "9",
    "gate.min_within_one": "0",
    "gate.min_coverage": "0",
}


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Generator[Releases]:
    out = tmp_path_factory.mktemp("models")
    with Cloud(data_dir=out / "cloud", project=BINCOUNT) as cloud:
        yield Releases(cloud, out)


def bincount(releases: Releases, *arguments: str, check: int) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "bincount", *arguments],
        capture_output=True, text=True, timeout=900, cwd=releases.out, env=environment(releases),
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == check, done.stdout + done.stderr
    return done


def environment(releases: Releases) -> dict[str, str]:
    cloud = str(releases.out / "cloud" / "client.json")
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}/client:{ROOT}/core",
        "BINCOUNT_STAGE": "local",
        "BINCOUNT_CLOUD": cloud,
    }


def status(releases: Releases, *, check: int) -> dict[str, str]:
    return json.loads(bincount(releases, "status", "--json", check=check).stdout)


def version(releases: Releases, number: int) -> dict[str, Any]:
    lines = bincount(releases, "models", "--json", check=0).stdout.splitlines()
    (found,) = [line for line in map(json.loads, lines) if line["version"] == number]
    return found


def runs(releases: Releases) -> int:
    return len(releases.executions())


def test_a_stage_that_is_not_deployed_is_called_so(releases: Releases) -> None:
    found = status(releases, check=5)
    assert found["state"] == "not deployed"
    assert found["endpoint"] == "none: the stage is not deployed"
    for command in (["models"], ["models", "approve", "1"], ["models", "rollback", "1"], ["train"]):
        (line,) = bincount(releases, *command, check=1).stderr.splitlines()
        assert line.startswith("error: ") and "deployed" in line, line


def test_a_fresh_stage_is_well_and_says_that_no_model_is_approved(releases: Releases) -> None:
    deployment = releases.deployment(**SMALL)
    deployment.bootstrap()
    releases.outputs = deployment.deploy()
    releases.fill_source()
    found = status(releases, check=0)
    assert (found["state"], found["last release"]) == ("ok", "never")
    assert found["endpoint"] == "none: no model is approved yet"
    assert "no model is registered yet" in bincount(releases, "models", check=0).stdout


def test_the_registry_is_shown_with_the_figures_of_the_gate(releases: Releases) -> None:
    gated = releases.gate("plain", step=46)
    figures = gated["verdict"]["challenger"]["metrics"]
    found = version(releases, 1)
    names = ("accuracy", "within_one", "rmse", "coverage")
    assert {name: found["figures"][name] for name in names} == {name: figures[name] for name in names}
    assert (found["gate"], found["report"]) == ("accepted", f"{gated['evaluation']}/report.html")
    table = bincount(releases, "models", check=0).stdout
    assert f"{figures['accuracy']:.1%}" in table and f"{figures['rmse']:.3f}" in table


def test_an_approval_waits_until_the_version_serves(releases: Releases) -> None:
    done = bincount(releases, "models", "approve", "1", "--note", "looked at the report", check=0)
    first, *_, last = done.stdout.splitlines()
    assert first == "version 1 is Approved"
    assert "state SmokeTest" in done.stdout
    assert last == f"version 1 serves: {releases.serving()[0]}"
    assert (version(releases, 1)["serves"], version(releases, 1)["reason"]) == (True, "looked at the report")


def test_what_serves_already_is_not_approved_again(releases: Releases) -> None:
    before = runs(releases)
    assert "serves already" in bincount(releases, "models", "approve", "1", check=1).stderr
    assert "serves already" in bincount(releases, "models", "rollback", "1", check=1).stderr
    assert runs(releases) == before


def test_an_older_version_is_not_released_by_an_approval(releases: Releases) -> None:
    releases.gate("better", step=40)
    assert "is PendingManualApproval" in bincount(releases, "models", "rollback", "2", check=1).stderr
    assert "version 2 serves" in bincount(releases, "models", "approve", "2", check=0).stdout
    before = runs(releases)
    rejected = bincount(releases, "models", "approve", "1", check=1)
    assert "bincount models rollback 1" in rejected.stderr and "version 1 is" not in rejected.stdout
    assert runs(releases) == before


def test_a_rollback_lets_the_older_version_serve_again(releases: Releases) -> None:
    done = bincount(releases, "models", "rollback", "1", check=0)
    assert done.stdout.splitlines()[-1].startswith("version 1 serves: ")
    assert releases.serving()[1] == "plain"
    assert version(releases, 2)["approval"] == "Rejected"
    found = status(releases, check=0)
    assert found["state"] == "ok" and ", version 1" in found["last release"]


@pytest.mark.parametrize("command", ["approve", "reject", "rollback"])
def test_a_version_that_is_not_there_is_reported(releases: Releases, command: str) -> None:
    assert "has no version 7, only 2, 1" in bincount(releases, "models", command, "7", check=1).stderr


def test_a_version_that_no_gate_evaluated_is_rejected(releases: Releases) -> None:
    sagemaker = releases.cloud.client("sagemaker")
    known = sagemaker.describe_model_package(ModelPackageName=sagemaker.list_model_packages(
        ModelPackageGroupName=STAGE)["ModelPackageSummaryList"][0]["ModelPackageArn"])  # fmt: skip
    sagemaker.create_model_package(
        ModelPackageGroupName=STAGE,
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification=known["InferenceSpecification"],
    )
    for command in ("approve", "rollback"):
        assert "no verdict of the gate" in bincount(releases, "models", command, "3", check=1).stderr
    assert version(releases, 3)["figures"] == {}
    # It is a copy of the version that serves, and so the command says that its model serves on.
    said = bincount(releases, "models", "reject", "3", check=0).stdout
    assert said.startswith("version 3 is Rejected; it serves on")


def test_a_release_that_fails_is_reported_and_the_stage_is_degraded(releases: Releases) -> None:
    broken = releases.gate("broken", step=40)
    key = broken["candidate"]["model_data"].split("/", 3)[3]
    releases.cloud.client("s3").put_object(Bucket=releases.bucket, Key=key, Body=b"no archive any more")
    with releases.releases():
        done = bincount(releases, "models", "approve", "4", check=1)
    assert "serves again" in done.stderr and "ended as FAILED" in done.stderr
    found = status(releases, check=5)
    assert (
        found["last release"].startswith("FAILED") and ", version 4: ReleaseFailed" in found["last release"]
    )
    assert "serves again" in found["last release"]
    assert found["state"].startswith("degraded: ") and "last release FAILED" in found["state"]
    assert "degraded" in bincount(releases, "status", check=5).stdout


def test_a_version_that_was_rejected_is_no_rollback_s_aim(releases: Releases) -> None:
    rejected = bincount(releases, "models", "rollback", "4", check=1)
    assert "version 4 is Rejected (Release failed: " in rejected.stderr


def test_watching_shows_this_run_s_jobs_and_cost_and_no_other_s(releases: Releases) -> None:
    fill_bucket(releases.cloud)
    role = make_role(releases.cloud, name="other", actions=["*"])
    other = training_job(name="bins-local-0123456789abcdef-001-other", role=role)
    stop = threading.Event()

    def another_run() -> None:
        wait_until(lambda: runs_of_pipeline(releases), bool)
        if not stop.is_set():
            releases.cloud.client("sagemaker").create_training_job(**other)

    thread = threading.Thread(target=another_run, daemon=True)
    thread.start()
    request = releases.out / "request.json"
    request.write_text(json.dumps(REQUEST))
    done = bincount(releases, "train", "--watch", "--request", str(request), check=0)
    stop.set()
    thread.join()
    jobs = {
        line.split(":")[0].strip() for line in done.stdout.splitlines() if line.startswith("  bins-local-")
    }
    assert len(jobs) == 1 and "other" not in done.stdout
    assert f"{jobs.pop()}: Completed" in done.stdout
    assert "training cost by list prices: " in done.stdout and "unknown" not in done.stdout
    assert "the gate: accuracy " in done.stdout
    assert "registered arn:" in done.stdout


def test_a_registered_model_has_a_card_with_the_figures_of_its_training(releases: Releases) -> None:
    sagemaker = releases.cloud.client("sagemaker")
    newest = sagemaker.list_model_packages(ModelPackageGroupName=STAGE, SortOrder="Descending")
    package = sagemaker.describe_model_package(
        ModelPackageName=newest["ModelPackageSummaryList"][0]["ModelPackageArn"]
    )
    job = sagemaker.describe_training_job(
        TrainingJobName=package["CustomerMetadataProperties"]["training_job"]
    )
    own = sagemaker.describe_model_card(ModelCardName=f"{STAGE}-{package['ModelPackageVersion']}")
    contents = [json.loads(own["Content"]), json.loads(package["ModelCard"]["ModelCardContent"])]
    for content in contents:
        assert content["intended_uses"]["risk_rating"] == "Medium"
        assert content["training_details"]["training_job_details"]["training_arn"] == job["TrainingJobArn"]
        gate, training = content["evaluation_details"]
        figures = {each["name"]: each["value"] for each in training["metric_groups"][0]["metric_data"]}
        found = {each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]}
        assert figures["accuracy"] == pytest.approx(found["test:accuracy"], rel=1e-5)
        assert figures["rmse"] == pytest.approx(found["test:rmse"], rel=1e-5)
        assert gate["evaluation_observation"].startswith(package["CustomerMetadataProperties"]["verdict"])
    assert own["ModelCardStatus"] == package["ModelCard"]["ModelCardStatus"]


def test_the_next_tuning_job_learns_from_the_last_one(releases: Releases) -> None:
    stepfunctions, sagemaker = releases.cloud.client("stepfunctions"), releases.cloud.client("sagemaker")
    (first,) = tuning_jobs(releases)
    assert "WarmStartConfig" not in first, "the first had none to learn from"
    machine = releases.outputs[f"{STAGE}-training"]["PipelineArn"]
    given = json.dumps({"request": REQUEST})
    arn = stepfunctions.start_execution(stateMachineArn=machine, input=given)["executionArn"]
    *_, second = wait_until(lambda: tuning_jobs(releases), lambda found: len(found) == 2)
    stepfunctions.stop_execution(executionArn=arn)
    (parent,) = second["WarmStartConfig"]["ParentHyperParameterTuningJobs"]
    assert parent["HyperParameterTuningJobName"] == first["HyperParameterTuningJobName"]
    name = {"HyperParameterTuningJobName": second["HyperParameterTuningJobName"]}
    trials = wait_until(
        lambda: sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**name)["TrainingJobSummaries"],
        bool,
    )
    assert trials[0]["TunedHyperParameters"] == first["BestTrainingJob"]["TunedHyperParameters"]


def tuning_jobs(releases: Releases) -> list[dict[str, Any]]:
    """Each described, oldest first."""
    sagemaker = releases.cloud.client("sagemaker")
    listed = sagemaker.list_hyper_parameter_tuning_jobs(SortBy="CreationTime", SortOrder="Ascending")
    key = "HyperParameterTuningJobName"
    names = [each[key] for each in listed["HyperParameterTuningJobSummaries"]]
    return [sagemaker.describe_hyper_parameter_tuning_job(**{key: name}) for name in names]


def runs_of_pipeline(releases: Releases) -> list[dict[str, Any]]:
    arn = releases.outputs[f"{STAGE}-training"]["PipelineArn"]
    found = releases.cloud.client("stepfunctions").list_executions(
        stateMachineArn=arn, statusFilter="RUNNING"
    )
    return found["executions"]


def test_a_pipeline_that_fails_is_reported_with_its_cause(releases: Releases) -> None:
    request = releases.out / "request.json"
    request.write_text('{"source": {"bucket": "aft-vbi-pds"}, "counts": [5, 0]}')
    done = bincount(releases, "train", "--watch", "--request", str(request), check=1)
    assert "ended as FAILED in Open: BadRequest" in done.stderr
    found = status(releases, check=5)
    assert found["last pipeline"].startswith("FAILED") and "BadRequest" in found["last pipeline"]
    assert "last pipeline FAILED" in found["state"]


def test_ctrl_c_ends_the_watching_in_one_line_and_not_the_run(releases: Releases) -> None:
    request = releases.out / "request.json"
    request.write_text(json.dumps(REQUEST))
    process = subprocess.Popen(
        [sys.executable, "-m", "bincount", "train", "--watch", "--request", str(request)],
        cwd=releases.out, env=environment(releases), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stdout is not None
    arn = process.stdout.readline().split()[-1]
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=300)
    assert (process.returncode, "Traceback" in said) == (130, False), said
    stepfunctions = releases.cloud.client("stepfunctions")
    assert stepfunctions.describe_execution(executionArn=arn)["status"] == "RUNNING"
    stepfunctions.stop_execution(executionArn=arn)


def test_after_destroy_the_stage_is_called_not_deployed(releases: Releases) -> None:
    formation = releases.cloud.client("cloudformation")
    for part in ("api", "recount", "serving", "training", "operations", "data"):
        formation.delete_stack(StackName=f"{STAGE}-{part}")
        wait_until(lambda: releases.stacks(), lambda stacks, name=f"{STAGE}-{part}": name not in stacks)
    found = status(releases, check=5)
    assert found["state"] == "not deployed"
    assert found["endpoint"] == "none: the stage is not deployed"
    assert PARAMETER and found["approved model"] == "not deployed"
