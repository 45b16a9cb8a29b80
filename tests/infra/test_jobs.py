"""How state machines start SageMaker's jobs: never twice, never orphaned, never without a second attempt."""

import json
import re
from typing import Any

import pytest
from embedded_cloud.stepfunctions.definition.machine import findings_of

from infra.settings import STAGES
from tests.infra.machines import MACHINES, Templates, every_state, job_request, job_states, machine_of

JOBS = {"Tune": "pipeline", "Evaluate": "pipeline", "Transform": "recount"}


def job(templates: Templates, stage: str, state: str) -> dict[str, Any]:
    return machine_of(templates, stage, JOBS[state])["States"][state]


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("stage", STAGES)
def test_every_task_of_every_machine_is_tried_again(templates: Templates, stage: str, name: str) -> None:
    # What it says is read, not tried again blindly.
    read_by_words = {"UpdateStack"}
    tasks = {
        key: each for key, each in every_state(machine_of(templates, stage, name)) if each["Type"] == "Task"
    }
    assert tasks
    for key, task in tasks.items():
        if key not in read_by_words:
            errors = {error for retry in task["Retry"] for error in retry["ErrorEquals"]}
            assert errors & {"States.TaskFailed", "Lambda.TooManyRequestsException"}, key


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("stage", STAGES)
def test_all_machines_speak_one_language(templates: Templates, stage: str, name: str) -> None:
    whole = machine_of(templates, stage, name)
    assert whole["QueryLanguage"] == "JSONata"
    assert [key for key, state in every_state(whole) if "QueryLanguage" in state] == []


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("stage", STAGES)
def test_every_machine_ends_at_a_time_of_its_definition(templates: Templates, stage: str, name: str) -> None:
    """The CDK takes no other time limit for a definition that is text; the alarms on timeouts need one."""
    assert machine_of(templates, stage, name)["TimeoutSeconds"] >= 600


@pytest.mark.parametrize("name", MACHINES)
def test_step_functions_takes_every_definition(templates: Templates, name: str) -> None:
    """By the embedded cloud's reading of the language; references to functions read as one's ARN."""
    function = "arn:aws:lambda:us-east-1:000000000000:function:any"
    definition = json.dumps(machine_of(templates, "prod", name))
    definition = re.sub(r"\"Resource\": \"\{'Fn::[^\"]*\"", f'"Resource": "{function}"', definition)
    definition = re.sub(r"\{'(Ref|Fn::\w+)': ('[^']*'|\[[^\]]*\]|\{[^}]*\})\}", "token", definition)
    assert findings_of(definition) == []


@pytest.mark.parametrize("state", JOBS)
@pytest.mark.parametrize("stage", STAGES)
def test_a_second_attempt_takes_the_first_one_s_job_over(
    templates: Templates, stage: str, state: str
) -> None:
    """The answer of the first was lost: another job under another name would be paid for nothing."""
    states = job_states(job(templates, stage, state))
    (create,) = [name for name in states if name.startswith("Create")]
    request, describe = states[create], states[create.replace("Create", "Describe")]
    (name_key,) = describe["Arguments"]
    assert request["Arguments"][name_key] == describe["Arguments"][name_key]
    assert "$states.context.Execution.Id" in describe["Arguments"][name_key]
    assert "State.EnteredTime" not in json.dumps(request["Arguments"])
    exists = ["SageMaker.ResourceInUseException"]
    assert request["Retry"][0] == {"ErrorEquals": exists, "MaxAttempts": 0}
    assert [(each["ErrorEquals"], each["Next"]) for each in request["Catch"]] == [(exists, request["Next"])]


@pytest.mark.parametrize("state", JOBS)
@pytest.mark.parametrize("stage", STAGES)
def test_a_full_quota_is_waited_for_but_not_without_end(templates: Templates, stage: str, state: str) -> None:
    states = job_states(job(templates, stage, state))
    (create,) = [each for name, each in states.items() if name.startswith("Create")]
    (retry,) = [
        each
        for each in create["Retry"]
        if each["ErrorEquals"] == ["SageMaker.ResourceLimitExceededException"]
    ]
    assert 10 * 60 <= _longest(retry) <= 60 * 60


@pytest.mark.parametrize("state", JOBS)
@pytest.mark.parametrize("stage", STAGES)
def test_a_job_of_a_week_fits_into_one_history(templates: Templates, stage: str, state: str) -> None:
    """Step Functions ends an execution at 25,000 events; the pause grows with the time that has passed."""
    states = job_states(job(templates, stage, state))
    (wait,) = [each for each in states.values() if each["Type"] == "Wait"]
    assert wait["Seconds"] == (
        "{% $round($max([2, $min([600, ($millis() - $toMillis($states.input.created)) / 1000 * 0.02])])) %}"
    )
    looks, elapsed = 0, 0.0
    while elapsed < 7 * 86_400:
        looks, elapsed = looks + 1, elapsed + round(max(2, min(600, elapsed * 0.02)))
    assert looks * 12 < 20_000


@pytest.mark.parametrize("state", JOBS)
@pytest.mark.parametrize("stage", STAGES)
def test_an_execution_that_ends_badly_has_its_jobs_stopped(
    templates: Templates, stage: str, state: str
) -> None:
    """A call of the SDK does not stop its job when the execution is aborted."""
    name = JOBS[state]
    states = job_states(job(templates, stage, state))
    (describe,) = [key for key in states if key.startswith("Describe")]
    stopper = machine_of(templates, stage, f"{name}-stop")["States"]
    (key,) = states[describe]["Arguments"]
    expected = states[describe]["Arguments"][key].replace("$states.context.Execution.Id", "$ended")
    for verb in ("Describe", "Stop"):
        assert stopper[describe.replace("Describe", verb)]["Arguments"] == {key: expected}
    assert stopper["Begin"]["Assign"] == {"ended": "{% $states.input.detail.executionArn %}"}
    template = templates[stage][MACHINES[name]]
    rules = json.dumps(list(template.find_resources("AWS::Events::Rule").values()))
    assert f':stateMachine:bincount-{stage}-{name}"' in rules
    assert '"status": ["FAILED", "TIMED_OUT", "ABORTED"]' in rules


@pytest.mark.parametrize("state", JOBS)
def test_each_job_of_prod_is_encrypted_and_in_the_network(templates: Templates, state: str) -> None:
    """What security.md promises of every job."""
    request = job_request(job(templates, "prod", state))
    definition = request.get("TrainingJobDefinition", request)
    output = next(
        definition[key]
        for key in ("OutputDataConfig", "ProcessingOutputConfig", "TransformOutput")
        if key in definition
    )
    assert output["KmsKeyId"]
    if state == "Transform":
        states = machine_of(templates, "prod", "recount")["States"]
        container = states["CreateModel"]["Arguments"]
        assert container["VpcConfig"]["Subnets"] and container["EnableNetworkIsolation"] is True
        assert request["TransformResources"]["VolumeKmsKeyId"]
    else:
        network = definition.get("NetworkConfig", definition)
        assert network["VpcConfig"]["Subnets"] and network["EnableNetworkIsolation"] is True


@pytest.mark.parametrize("stage", STAGES)
def test_a_recount_runs_the_x86_image(templates: Templates, stage: str) -> None:
    """Batch transform has no Graviton, whatever the endpoint runs on."""
    states = machine_of(templates, stage, "recount")["States"]
    assert states["ReadImage"]["Arguments"] == {"Name": f"/bincount/{stage}/evaluation-image"}
    policies = templates[stage]["recount"].find_resources("AWS::IAM::Policy").values()
    granted = json.dumps(list(policies))
    assert f":parameter/bincount/{stage}/evaluation-image" in granted
    assert f":parameter/bincount/{stage}/image" not in granted


@pytest.mark.parametrize("stage", STAGES)
def test_a_tuning_job_without_a_finished_trial_is_said(templates: Templates, stage: str) -> None:
    states = machine_of(templates, stage, "pipeline")["States"]
    assert states["HasBestTrial"]["Choices"] == [
        {"Condition": "{% $states.input.tuning.job.best = '' %}", "Next": "NoTrialFinished"}
    ]
    assert states["NoTrialFinished"]["Error"] == "NoTrialFinished"
    assert "/aws/sagemaker/TrainingJobs" in states["NoTrialFinished"]["Cause"]


@pytest.mark.parametrize("stage", STAGES)
def test_only_open_reads_the_request(templates: Templates, stage: str) -> None:
    """Its file list may be another one by the time of the next step; the gate asks it for a size alone."""
    states = dict(every_state(machine_of(templates, stage, "pipeline")))
    texts = {name: json.dumps(state.get("Arguments", {})) for name, state in states.items()}
    readers = [name for name, text in texts.items() if re.search(r"input\.request(?!\.stored\b)", text)]
    assert readers == ["Open"]


def _longest(retry: dict[str, Any]) -> int:
    """All pauses of a retry together without jitter, seconds."""
    pauses = (
        min(retry["IntervalSeconds"] * retry["BackoffRate"] ** number, retry["MaxDelaySeconds"])
        for number in range(retry["MaxAttempts"])
    )
    return sum(pauses)
