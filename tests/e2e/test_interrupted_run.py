"""A managed spot run whose instance is taken away, as `bincount runs` shows it."""

import json
from pathlib import Path
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import BUCKET, ended_job, log_lines, wait_until

from tests.browser.look import complaints, look
from tests.e2e.runs_kit import request

pytestmark = pytest.mark.e2e


def test_an_interrupted_spot_run_goes_on_and_is_shown_so(
    runs_cloud: Cloud, bincount: Any, tmp_path: Path
) -> None:
    name, s3 = "bins-local-0123456789abcdef-003-c", runs_cloud.client("s3")
    role = runs_cloud.client("iam").get_role(RoleName="trainer")["Role"]["Arn"]
    flags = {"epochs": "60", "arch": "mobilenet_v3_small", "checkpoint-minutes": "0.01", "patience": "0"}
    spot = request(name, role, **flags) | {"EnableManagedSpotTraining": True}
    spot["StoppingCondition"]["MaxWaitTimeInSeconds"] = spot["StoppingCondition"]["MaxRuntimeInSeconds"]
    spot["CheckpointConfig"] = {"S3Uri": f"s3://{BUCKET}/checkpoints/spot"}
    runs_cloud.client("sagemaker").create_training_job(**spot)
    where = {"Bucket": BUCKET, "Prefix": f"checkpoints/spot/{name}/checkpoint.pt"}
    wait_until(lambda: s3.list_objects_v2(**where).get("Contents"), bool)
    runs_cloud.interrupt_training_job(name)
    job = ended_job(runs_cloud, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    steps = [step["Status"] for step in job["SecondaryStatusTransitions"]]
    again = ["Downloading", "Training"]
    assert steps == ["Starting", *again, "Interrupted", "Restarting", *again, "Uploading", "Completed"]
    log = log_lines(runs_cloud, "/aws/sagemaker/TrainingJobs", f"{name}/algo-1-", attempt=2)
    assert any(line.startswith("resumed after epoch ") for line in log)

    (run,) = (json.loads(line) for line in bincount("runs", name, "--json").stdout.splitlines())
    assert (run["spot"], run["interruptions"]) == (True, 1)
    assert run["billable_seconds"] == job["BillableTimeInSeconds"] < job["TrainingTimeInSeconds"]
    assert run["saving"] == 1 - job["BillableTimeInSeconds"] / job["TrainingTimeInSeconds"]
    shown = f"interrupted once, saved {run['saving']:.0%}"
    bincount("runs", name, "--page", "spot.html")
    views = look(tmp_path / "spot.html", tmp_path / "looks")
    assert not complaints(tmp_path / "spot.html", views)
    assert all(shown in view.text for view in views.values())
