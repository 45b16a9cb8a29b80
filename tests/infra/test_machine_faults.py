"""Which way the state machines go where AWS rejects a call, fails a job, or loses what was done."""

from typing import Any, NamedTuple

import pytest

from infra.shared.sagemaker_job import Kind
from tests.infra.machine_walk import Answers, Walk, answer_of, in_turn, reject, walk
from tests.infra.machines import State

Machines = dict[str, State]
BEGAN = "2026-11-27T12:00:00Z"
IS_THERE = reject("SageMaker.ResourceInUseException", "the job exists already")
BROKEN = reject("SageMaker.SageMakerException", "Internal failure (Service: SageMaker, Status Code: 500)")
BLIND = {"CheckEndpoint": reject("Lambda.Unknown", "the function cannot run")}
DATASET = {"dataset_id": "one", "uri": "s3://bins/datasets/one/", "shards": True}
CANDIDATE = {"training_job": "bins-dev-1", "model_data": "s3://bins/models/1/output/model.tar.gz"}
PLAN = {
    "images": 3,
    "input": "s3://bins/recounts/one/work/images.json",
    "answers": "s3://bins/recounts/one/answers/",
    "chunks": {"bucket": "bins", "key": "recounts/one/work/chunks.json"},
}


class Job(NamedTuple):
    """A state that runs a job: its machine, its input, what else is answered, the state after it."""

    machine: str
    state: str
    given: dict[str, Any]
    error: str
    following: str
    answers: Answers = {}


JOBS: dict[Kind, Job] = {
    "HyperParameterTuningJob": Job("pipeline", "Tune", {"dataset": DATASET}, "TuningFailed", "HasBestTrial"),
    "ProcessingJob": Job(
        "pipeline",
        "Evaluate",
        {"dataset": DATASET, "candidate": CANDIDATE, "champion": "none", "image": "registry/server:1"},
        "EvaluationFailed",
        "ReadVerdict",
    ),
    "TransformJob": Job(
        "recount",
        "Transform",
        {"run": "one", "job": "bincount-dev-recount-1", "plan": PLAN},
        "TransformFailed",
        "DeleteModel",
        {"DeleteModelOfFailure": {}},
    ),
}
OUTPUTS = {
    "ProcessingJob": {
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": "verdict", "S3Output": {"S3Uri": "s3://bins/evaluations/one"}}]
        }
    }
}


@pytest.fixture(params=JOBS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


def look(kind: Kind, status: str, **members: Any) -> dict[str, Any]:
    """What SageMaker says of a job."""
    name = {f"{kind}Name": "bins-dev-1", f"{kind}Status": status, "CreationTime": BEGAN}
    return answer_of(f"Describe{kind}", **name, **OUTPUTS.get(kind, {}), **members)


class TestJobs:
    """Create, look, wait, look: one state to the outside."""

    @staticmethod
    def walk(
        monkeypatch: pytest.MonkeyPatch,
        machines: Machines,
        kind: Kind,
        answers: Answers,
        *,
        stop: bool = False,
    ) -> Walk:
        job = JOBS[kind]
        return walk(
            monkeypatch,
            machines[job.machine],
            name=f"bincount-dev-{job.machine}",
            given=job.given,
            answers={f"Create{kind}": {}, **job.answers, **answers},
            start=job.state,
            stop=job.following if stop else "",
        )

    def test_a_job_that_is_there_is_followed_to_its_end(
        self, monkeypatch: pytest.MonkeyPatch, machines: Machines, kind: Kind
    ) -> None:
        """An attempt whose answer was lost created it."""
        looks = in_turn(look(kind, "InProgress"), BROKEN, look(kind, "Completed"))
        answers = {f"Create{kind}": IS_THERE, f"Describe{kind}": looks}
        found = self.walk(monkeypatch, machines, kind, answers, stop=True)
        assert found.error is None
        assert found.output.items() > JOBS[kind].given.items()
        (job,) = [found.output[name] for name in found.output.keys() - JOBS[kind].given.keys()]
        assert list(job) == ["job"]
        names = {asked[f"{kind}Name"] for asked in found.asked.values()}
        assert len(names) == 1

    @pytest.mark.parametrize(
        ("status", "members", "words"),
        [
            ("Failed", {"FailureReason": "AlgorithmError: no bins"}, "is Failed: AlgorithmError: no bins"),
            ("Stopped", {}, "is Stopped: no reason given"),
        ],
    )
    def test_a_job_that_fails_says_why(
        self,
        monkeypatch: pytest.MonkeyPatch,
        machines: Machines,
        kind: Kind,
        status: str,
        members: dict[str, Any],
        words: str,
    ) -> None:
        answers = {f"Describe{kind}": look(kind, status, **members)}
        found = self.walk(monkeypatch, machines, kind, answers)
        assert found.error is not None
        assert found.error[0] == JOBS[kind].error, found.error
        assert "bins-dev-1" in found.error[1]
        assert words in found.error[1]

    def test_without_a_finished_trial_there_is_no_model(
        self, monkeypatch: pytest.MonkeyPatch, machines: Machines
    ) -> None:
        answers = {"DescribeHyperParameterTuningJob": look("HyperParameterTuningJob", "Completed")}
        found = self.walk(monkeypatch, machines, "HyperParameterTuningJob", answers)
        assert found.error is not None
        assert found.error[0] == "NoTrialFinished"
        assert "bins-dev-1" in found.error[1]


class TestModelOfARecount:
    """It is made for the recount, and lives as long as its job."""

    @staticmethod
    def walk(
        monkeypatch: pytest.MonkeyPatch, machines: Machines, answers: Answers, *, start: str, stop: str = ""
    ) -> Walk:
        uris = {"image": {"uri": "registry/server:1"}, "model": {"uri": "s3://bins/models/1/model.tar.gz"}}
        return walk(
            monkeypatch,
            machines["recount"],
            name="bincount-dev-recount",
            given={**JOBS["TransformJob"].given, **uris},
            answers=answers,
            start=start,
            stop=stop,
        )

    def test_one_that_is_there_is_taken(self, monkeypatch: pytest.MonkeyPatch, machines: Machines) -> None:
        answers = {
            "CreateModel": BROKEN,
            "WasModelCreated": answer_of("DescribeModel", ModelName="bincount-dev-recount-1"),
        }
        found = self.walk(monkeypatch, machines, answers, start="CreateModel", stop="Transform")
        assert found.error is None
        assert found.output["plan"] == PLAN

    def test_one_that_cannot_be_made_says_why(
        self, monkeypatch: pytest.MonkeyPatch, machines: Machines
    ) -> None:
        no_model = reject("SageMaker.SageMakerException", "Could not find model")
        answers = {"CreateModel": BROKEN, "WasModelCreated": no_model}
        found = self.walk(monkeypatch, machines, answers, start="CreateModel")
        assert found.error is not None
        assert found.error[0] == "ModelNotCreated"
        assert "Internal failure" in found.error[1]

    @pytest.mark.parametrize(
        ("state", "next_state"), [("DeleteModel", "Join"), ("DeleteModelOfFailure", "TransformFailed")]
    )
    def test_one_that_is_gone_needs_no_deleting(
        self, monkeypatch: pytest.MonkeyPatch, machines: Machines, state: str, next_state: str
    ) -> None:
        found = self.walk(monkeypatch, machines, {state: BROKEN}, start=state, stop=next_state)
        assert (found.error, found.states) == (None, [state])
        assert found.output["plan"] == PLAN


class TestStopper:
    """A job that cannot be looked at is not taken for one that is not there: it may cost money."""

    @staticmethod
    def walk(monkeypatch: pytest.MonkeyPatch, machines: Machines, kind: Kind, answers: Answers) -> Walk:
        """The machine's other jobs never began."""
        watched = JOBS[kind].machine
        machine = machines[f"{watched}-stop"]
        no_job = reject("SageMaker.ResourceNotFoundException", "no such job")
        others = {name: no_job for name in machine["States"] if name.startswith("Describe")}
        ended = f"arn:aws:states:us-east-1:000000000000:execution:bincount-dev-{watched}:one"
        return walk(
            monkeypatch,
            machine,
            name=f"bincount-dev-{watched}-stop",
            given={"detail": {"executionArn": ended}},
            answers={**others, **answers},
        )

    @pytest.mark.parametrize(
        "cause",
        [
            "User: arn:aws:sts::1:assumed-role/stop/x is not authorized to perform: sagemaker:Describe…",
            "Rate exceeded (Service: SageMaker, Status Code: 400, Request ID: 1)",
            "Internal failure (Service: SageMaker, Status Code: 500, Request ID: 1)",
        ],
    )
    def test_a_job_that_cannot_be_described_rings(
        self, monkeypatch: pytest.MonkeyPatch, machines: Machines, kind: Kind, cause: str
    ) -> None:
        answers = {f"Describe{kind}": reject("SageMaker.SageMakerException", cause)}
        found = self.walk(monkeypatch, machines, kind, answers)
        assert found.error
        assert found.error[0] == "JobNotDescribed"
        assert cause in found.error[1]

    @pytest.mark.parametrize("error", ["SageMakerException", "ResourceNotFoundException"])
    def test_a_job_that_is_not_there_needs_no_stopping(
        self, monkeypatch: pytest.MonkeyPatch, machines: Machines, kind: Kind, error: str
    ) -> None:
        missing = "Could not find requested job with name: x (Service: SageMaker, Status Code: 400)"
        answers = {f"Describe{kind}": reject(f"SageMaker.{error}", missing)}
        found = self.walk(monkeypatch, machines, kind, answers)
        assert (found.error, found.states[-1]) == (None, "Stopped")

    @pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped", "Stopping"])
    def test_a_job_that_does_not_run_is_left_alone(
        self, monkeypatch: pytest.MonkeyPatch, machines: Machines, kind: Kind, status: str
    ) -> None:
        found = self.walk(monkeypatch, machines, kind, {f"Describe{kind}": look(kind, status)})
        assert (found.error, found.states[-1]) == (None, "Stopped")
        assert f"Stop{kind}" not in found.asked

    @pytest.mark.parametrize("ends", [False, True])
    def test_a_running_job_is_stopped(
        self, monkeypatch: pytest.MonkeyPatch, machines: Machines, kind: Kind, ends: bool
    ) -> None:
        """Or ends by itself just before, which SageMaker answers with an error."""
        answers = {
            f"Describe{kind}": look(kind, "InProgress"),
            f"Stop{kind}": BROKEN if ends else {},
            f"Check{kind}": look(kind, "Completed"),
        }
        found = self.walk(monkeypatch, machines, kind, answers)
        assert (found.error, found.states[-1]) == (None, "Stopped")
        assert found.asked[f"Stop{kind}"] == found.asked[f"Describe{kind}"]

    def test_a_job_that_cannot_be_stopped_rings(
        self, monkeypatch: pytest.MonkeyPatch, machines: Machines, kind: Kind
    ) -> None:
        running = look(kind, "InProgress")
        answers = {f"Describe{kind}": running, f"Stop{kind}": BROKEN, f"Check{kind}": running}
        found = self.walk(monkeypatch, machines, kind, answers)
        assert found.error
        assert found.error[0] == "JobStillRunning"
        assert found.asked[f"Stop{kind}"][f"{kind}Name"] in found.error[1]


class TestRelease:
    """A write that failed may have been done: the machine goes on to look, and remembers what was said."""

    @staticmethod
    def walk(
        monkeypatch: pytest.MonkeyPatch,
        machines: Machines,
        answers: Answers,
        *,
        start: str,
        stop: str = "",
        restoring: bool = False,
    ) -> Walk:
        package = "arn:aws:sagemaker:us-east-1:000000000000:model-package/bincount-dev/2"
        work = {
            "kind": "rollback",
            "package": package,
            "version": 2,
            "model": "s3://bins/models/2/model.tar.gz",
            "former": "s3://bins/models/1/model.tar.gz",
            "verdict": "s3://bins/evaluations/two/verdict.json",
        }
        return walk(
            monkeypatch,
            machines["release"],
            name="bincount-dev-release",
            given={},
            answers=answers,
            start=start,
            stop=stop,
            variables={
                "me": "arn:aws:states:us-east-1:000000000000:execution:bincount-dev-release:one",
                "given": {"rollback": {"model_package": package}},
                "answer": {"decision": "reject", "package": package, "description": "Rolled back."},
                "work": work,
                "end": {},
                "target": work["former" if restoring else "model"],
                "restoring": restoring,
                "settled": False,
                "update_error": "",
                "record_error": "",
                "reason": "the endpoint did not come up" if restoring else "",
                "deadline": 0,
            },
        )

    @pytest.mark.parametrize(
        ("state", "next_state", "variable"),
        [
            ("WriteParameter", "CheckEndpoint", "update_error"),
            ("UpdateStack", "CheckEndpoint", "update_error"),
            ("SettleRollback", "CheckPackages", "record_error"),
            ("RejectPackage", "CheckPackages", "record_error"),
            ("SmokeTest", "RestorePreviousModel", "reason"),
        ],
    )
    def test_the_next_decision_learns_of_a_call_that_fails(
        self,
        monkeypatch: pytest.MonkeyPatch,
        machines: Machines,
        state: str,
        next_state: str,
        variable: str,
    ) -> None:
        answers = {state: reject("States.TaskFailed", "it was throttled")}
        found = self.walk(monkeypatch, machines, answers, start=state, stop=next_state)
        assert (found.error, found.states) == (None, [state])
        assert found.variables[variable] == "States.TaskFailed: it was throttled"

    def test_an_endpoint_that_cannot_be_looked_at_leads_back(
        self, monkeypatch: pytest.MonkeyPatch, machines: Machines
    ) -> None:
        found = self.walk(monkeypatch, machines, BLIND, start="CheckEndpoint", stop="WriteParameter")
        assert found.error is None
        assert found.states[-1] == "RestorePreviousModel"
        assert found.variables["target"] == "s3://bins/models/1/model.tar.gz"
        assert found.variables["reason"] == "the function cannot run"

    def test_a_restore_that_cannot_be_looked_at_fails(
        self, monkeypatch: pytest.MonkeyPatch, machines: Machines
    ) -> None:
        found = self.walk(monkeypatch, machines, BLIND, start="CheckEndpoint", restoring=True)
        assert found.error is not None
        assert found.error[0] == "NotRestored"
        assert "s3://bins/models/1/model.tar.gz" in found.error[1]
        assert "the function cannot run" in found.error[1]
