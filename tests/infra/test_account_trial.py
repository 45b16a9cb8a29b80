"""What `make account-trial` asks of AWS, how it evaluates what it saw, and what it does not begin."""

import subprocess
import sys
from typing import Any

import pytest

from infra.settings import load
from infra.tools.trial.account import redacted
from infra.tools.trial.assumption import Seen, evaluated
from infra.tools.trial.assumptions import ASSUMPTIONS
from infra.tools.trial.cost_bound import bound
from infra.tools.trial.journal import STEPS, Entry, Journal, TrialError
from tests.infra.conftest import ROOT, context

BY_NAME = {each.name: each for each in ASSUMPTIONS}


def seen(steps: dict[str, Entry], **settings: Any) -> Seen:
    return Seen(steps=steps, settings=load(context(stage="trial", **settings).get))


def failed(error: str, **facts: Any) -> Entry:
    return Entry(state="failed", error=error, facts=facts)


def trial(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.tools.trial", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_each_assumption_has_a_name_of_its_own() -> None:
    assert len(BY_NAME) == len(ASSUMPTIONS)


@pytest.mark.parametrize("name", BY_NAME)
def test_what_is_not_asked_says_why(name: str) -> None:
    each = BY_NAME[name]
    assert (each.check is None) == bool(each.because)
    assert ("trial" in each.by) == (each.check is not None)


@pytest.mark.parametrize("name", BY_NAME)
def test_without_a_step_nothing_is_held_or_broken(name: str) -> None:
    verdict = evaluated(BY_NAME[name], seen({}))
    assert verdict.state in ("not reached", "not asked")
    assert verdict.state == "not reached" or verdict.reason


BROKEN = {
    "quotas": {"pipeline": failed("TuningFailed: ResourceLimitExceeded: ml.g5.xlarge for training", left=[])},
    "logging-role": {"deploy": failed("front Account: CloudWatch Logs role ARN must be set in account")},
    "import-retained": {"again": failed("bincount-trial-data Bucket: b already exists")},
    "unsigned-source": {"pipeline": failed("FAILED in Index: TransferFailed: AccessDenied", left=["Open"])},
    "tuning-fields": {
        "pipeline": failed(
            "FAILED in CreateHyperParameterTuningJob: States.Runtime: The field 'x' is not supported",
            entered=["Tune", "CreateHyperParameterTuningJob"],
            left=[],
        )
    },
    "kms-logs": {"deploy": Entry(state="done", facts={"log_groups": ["a: arn:x:key/1", "b: AWS's own key"]})},
    "gpu-driver": {"pipeline": failed("NoTrialFinished: SM_NUM_GPUS says 1, torch sees none", left=[])},
    "spot-training": {"pipeline": failed("TuningFailed: MaxWaitTimeExceeded", left=[])},
    "tags-of-trials": {"pipeline": Entry(state="done", facts={"tags": ["stage=trial"]})},
    "typed-parameter": {"approve": failed("ValidationError No updates are to be performed.")},
    "parameter-reader": {"approve": failed("ValidationError is not authorized: ssm:GetParameters")},
    "approval-event": {"approve": failed("Approved, but no release of it has begun within 120 s")},
    "error-mapping": {
        "count": Entry(state="done", facts={"error_response": {"code": "bad_answer", "message": "HTTP 502"}})
    },
    "capture-id": {
        "recount": Entry(state="done", facts={"asked_ids": ["a"], "captured_ids": ["none"]}),
    },
    "transform-out": {"recount": failed("NothingAnswered: no answer is where it should be")},
    "late-endpoint-logs": {
        "again": failed("EndpointLogs: /aws/sagemaker/Endpoints/bincount-trial already exists")
    },
    "teardown-key": {"teardown": Entry(state="done", facts={"key_line": "no key was found"})},
    "nothing-left": {"teardown": failed("still there", left=["bucket b"])},
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_aws_says_breaks_the_assumption_it_is_about(name: str) -> None:
    verdict = evaluated(BY_NAME[name], seen(BROKEN[name]))
    assert verdict.state == "broken" and verdict.words
    assert verdict.step in STEPS


def test_a_failure_of_another_kind_breaks_no_assumption() -> None:
    steps = {"pipeline": failed("TuningFailed: InternalServerError", entered=["Tune"], left=["Index"])}
    states = {name: evaluated(each, seen(steps)).state for name, each in BY_NAME.items()}
    assert "broken" not in states.values()
    assert states["unsigned-source"] == "held", "its state was left before"


def test_what_is_under_way_is_neither_held_nor_broken() -> None:
    job = "bins-trial-1 on ml.g5.xlarge: Starting > Downloading"
    states = {
        said: evaluated(BY_NAME["training-image"], seen({"pipeline": Entry(facts=facts)})).state
        for said, facts in {
            "waits": {"left": ["Tune"], "job_statuses": [job]},
            "refused": {"left": ["Tune"], "job_statuses": [f"{job} > Failed: cannot pull the image"]},
            "runs": {"left": ["Tune"], "job_statuses": [f"{job} > Training"]},
        }.items()
    }
    assert states == {"waits": "not reached", "refused": "broken", "runs": "held"}


def test_a_step_that_is_done_holds_what_rests_on_it() -> None:
    words = ["arn:aws:cloudformation:x: UPDATE_COMPLETE"]
    verdict = evaluated(BY_NAME["typed-parameter"], seen({"approve": Entry(state="done", words=words)}))
    assert (verdict.state, list(verdict.words)) == ("held", words)


def test_what_the_settings_leave_out_is_not_asked() -> None:
    done = {"approve": Entry(state="done", words=["x"]), "pipeline": Entry(state="done", words=["x"])}
    no_gpu = seen(done, **{"training.instance_type": "ml.m5.large"})
    assert evaluated(BY_NAME["gpu-driver"], no_gpu).state == "not asked"
    assert evaluated(BY_NAME["arm-image-build"], no_gpu).state == "not asked"


def test_the_bound_is_every_instance_for_as_long_as_it_may_run() -> None:
    # 2 jobs x 0.5 h, 2 gates x 0.5 h, a recount of 1 h, two fleets of one for 5 h, the rest
    sum_ = 2 * 0.5 * 1.408 + 2 * 0.5 * 0.214 + 1 * 0.214 + 2 * 5 * 0.107 + 2
    assert bound(seen({}).settings, hours=5).usd == pytest.approx(sum_)
    with pytest.raises(TrialError, match=r"ml\.c6i\.32xlarge"):
        bound(seen({}, **{"serving.instance_type": "ml.c6i.32xlarge"}).settings, hours=5)


@pytest.mark.parametrize("stage", ["dev", "prod", "local"])
def test_a_teams_own_stage_is_rejected(stage: str) -> None:
    done = trial("--stage", stage, "--yes")
    assert done.returncode == 2 and "removes its stage" in done.stderr


def test_a_wrong_call_begins_nothing() -> None:
    assert trial("-c", "region").returncode == 2
    assert trial("--only", "count").returncode == 2
    done = trial("-c", "training.max_job=1")
    assert done.returncode == 2 and "training.max_jobs" in done.stderr


def test_nobody_is_named_in_the_evidence() -> None:
    said = (
        f"User: arn:aws:sts::111122223333:assumed-role/Admin/alice@example.org in {ROOT}/cdk.out, "
        "bucket cdk-assets-111122223333-eu-west-1, image 444455556666.dkr.ecr.eu-west-1.amazonaws.com/a:1"
    )
    reported = redacted(said, number="111122223333")
    assert not any(word in reported for word in ("111122223333", "444455556666", "alice", str(ROOT)))
    assert "…3333" in reported and "…6666" in reported and "Admin" in reported


def test_a_trial_is_taken_up_from_its_journal(tmp_path: Any) -> None:
    path = tmp_path / "journal.json"
    journal = Journal(path)
    journal.begin(at="2026-11-27T20:00:00Z", overrides={"region": "eu-west-1"})
    journal.steps["deploy"] = Entry(state="done", seconds=1.5, words=["x"], facts={"a": [1]})
    journal.save()
    again = Journal(path)
    assert again.steps == journal.steps and again.overrides == {"region": "eu-west-1"}
    assert again.done("deploy") and again.spends
