"""Whether SageMaker takes every field of the tuning job, without starting one."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from infra.tools.doctor.finding import Finding, error_of, missing, ok, unknown
from infra.tools.doctor.subject import Subject

NAME = "tuning-fields"
ACTION = ":createHyperParameterTuningJob"
MEMBER = "HyperParameterTuningJobName"


def tuning_fields(subject: Subject) -> Iterable[Finding]:
    """TestState sends the deployed task with a name that SageMaker refuses, so that nothing can start.

    It refuses the name alone where it takes all else: it checks the whole request before it makes anything.
    The name begins as the stage's jobs do, since the role may make no others.
    """
    states = subject.client("stepfunctions")
    arn = subject.arn("states", f"stateMachine:{subject.names.pipeline}")
    try:
        machine = states.describe_state_machine(stateMachineArn=arn)
    except ClientError as error:
        if error_of(error)[0] != "StateMachineDoesNotExist":
            raise
        return []
    redeploy = f"npx cdk deploy {subject.names.stack('training')} -c stage={subject.settings.stage}"
    tasks = [s for s in _states(json.loads(machine["definition"])) if s.get("Resource", "").endswith(ACTION)]
    # The one with parents (training.warm_start) is the other with one more field, which needs an execution.
    found = [task for task in tasks if "WarmStartConfig" not in task["Arguments"]]
    if len(found) != 1:
        return [missing(NAME, f"the pipeline has {len(found)} such tasks", next=redeploy)]
    # The machine's language counts for its states; a state that is tested alone has to name it.
    task = {key: found[0][key] for key in ("Type", "Resource")} | {"QueryLanguage": "JSONata"}
    arguments = {**_without_expressions(found[0]["Arguments"]), MEMBER: f"{subject.names.tuning_jobs}_"}
    answer = states.test_state(
        definition=json.dumps({**task, "Arguments": arguments, "End": True}), roleArn=machine["roleArn"]
    )
    cause = f"{answer.get('error', answer['status'])}: {answer.get('cause', '')}"
    if "1 validation error detected" in cause and MEMBER.lower() in cause.lower():
        return [ok(NAME, "SageMaker read every field, and refused only the name, which is wrong on purpose")]
    if "not authorized" in cause:
        step = "open an issue with these words" if "CreateHyper" in cause else redeploy
        return [missing(NAME, f"the pipeline's role may not: {cause}", next=step)]
    if any(word in cause for word in ("Throttling", "Rate exceeded", "InternalFailure")):
        return [unknown(NAME, cause, next=f"make doctor STAGE={subject.settings.stage}")]
    return [
        missing(NAME, cause, next="open an issue with these words: the task's fields are a fault of ours")
    ]


def _states(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for state in definition["States"].values():
        yield state
        for branch in state.get("Branches", []):
            yield from _states(branch)


def _without_expressions(value: Any) -> Any:
    """All of them are S3 addresses, which need an execution: one of the same form takes their place."""
    if isinstance(value, dict):
        return {key: _without_expressions(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_without_expressions(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, str) and value.startswith("{%"):
        return "s3://bincount-doctor/none"
    return value
