"""Pieces of Amazon States Language that all state machines are made of: JSONata, and what is tried again.

Every task has one of these. So every write of a task must bear being done twice: where the answer was lost,
the write was done and is tried again.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from infra.names import Names, Parameter

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
"""What json.loads makes, for functions that walk through all of it."""
State = dict[str, Any]


def task(resource: str, arguments: dict[str, Any], *, next_state: str, **fields: Any) -> State:
    """A task that is tried again on any fault; `fields` are the state's other members (capitalised).

    An empty `Retry` among them means none.
    """
    state = {"Type": "Task", "Resource": resource, "Arguments": arguments, "Retry": any_fault(), **fields}
    return {name: value for name, value in state.items() if value != []} | {"Next": next_state}


PARAMETER_VALUE = "$states.result.Parameter.Value"
"""What a `parameter_reader` found, as a JSONata expression."""


def parameter_reader(*, partition: str, names: Names) -> Callable[..., State]:
    """`read(parameter, next_state=…, **members)`: a state that reads one of the stage's SSM parameters.

    It adds `members` (names, and expressions over PARAMETER_VALUE) to the input.
    """

    def read(parameter: Parameter, *, next_state: str, **members: str) -> State:
        resource = f"arn:{partition}:states:::aws-sdk:ssm:getParameter"
        given = {"Name": names.parameter(parameter)}
        return task(resource, given, Output=keep(**members), next_state=next_state)

    return read


def choice(*rules: tuple[str, str], otherwise: str) -> State:
    """The first rule (condition, next state) that holds, else `otherwise`."""
    choices = [{"Condition": f"{{% {condition} %}}", "Next": following} for condition, following in rules]
    return {"Type": "Choice", "Choices": choices, "Default": otherwise}


def keep(**members: str) -> str:
    """The output of a state that adds to its input: names and JSONata expressions."""
    added = ", ".join(f"'{name}': {value}" for name, value in members.items())
    return f"{{% $merge([$states.input, {{{added}}}]) %}}"


def distributed_map(
    *,
    partition: str,
    items: dict[str, str],
    worker: State,
    batch: State,
    results: dict[str, str],
    **fields: Any,
) -> State:
    """A map over the JSON array in S3 that `items` names (Bucket, Key); its output is its input.

    `worker` is the task (name and state) of each batch, `batch` the ItemBatcher, `results` where the
    children's results go (Bucket, Prefix): without a writer they count against the 256 KiB of an output.
    """
    s3 = f"arn:{partition}:states:::s3"
    (name,) = worker
    return {
        "Type": "Map",
        "ItemReader": {
            "Resource": f"{s3}:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Arguments": items,
        },
        "ItemBatcher": batch,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": name,
            "States": worker,
        },
        "ResultWriter": {"Resource": f"{s3}:putObject", "Arguments": results},
        "Output": "{% $states.input %}",
        **fields,
    }


def wait(seconds: int, *, next_state: str) -> State:
    """A pause."""
    return {"Type": "Wait", "Seconds": seconds, "Next": next_state}


def end(**output: str) -> State:
    """The end of a successful execution, with this output."""
    return {"Type": "Pass", "Output": output, "End": True}


def catch(next_state: str, *errors: str, assign: str = "") -> list[State]:
    """Go to `next_state` on these errors, or on any.

    What went wrong is the variable `assign`, or where none is named the output `{"Cause": …}`.
    """
    words = "{% $states.errorOutput.Error & ': ' & $states.errorOutput.Cause %}"
    caught: State = {"Assign": {assign: words}} if assign else {"Output": {"Cause": words}}
    return [{"ErrorEquals": list(errors) or ["States.ALL"], **caught, "Next": next_state}]


Retry = dict[str, Any]

# An account may run fewer functions at a time than a map starts: the others wait for their turn, which is no
# fault and takes as long as it takes.
LAMBDA_BUSY = ["Lambda.TooManyRequestsException"]
LAMBDA_FAULTS = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
]
# Of SageMaker: no instance of the type is left in the account's quota.
NO_CAPACITY = ["SageMaker.ResourceLimitExceededException"]
# Of SageMaker: a job of this name is there. It is ours: names come from the execution.
IS_THERE = ["SageMaker.ResourceInUseException"]


def any_fault() -> list[Retry]:
    """Four more attempts, the last one about half a minute after the first."""
    return [_retry(["States.TaskFailed"], attempts=4)]


def lost_answer(service: str) -> list[Retry]:
    """Only what the SDK says of a connection that broke; `service` as Step Functions spells it."""
    return [_retry([f"{service}.SdkClientException"], attempts=4)]


def job_fault() -> list[Retry]:
    """A full quota is waited for, up to 35 minutes; a job that is there already is no fault."""
    return [
        never(*IS_THERE),
        {**_retry(NO_CAPACITY, attempts=6, seconds=60), "MaxDelaySeconds": 600},
        *any_fault(),
    ]


def lambda_fault(*errors: str, attempts: int = 6) -> list[Retry]:
    """A busy account is waited for; a fault of the service, or one of `errors`, is tried again; any other
    error of ours never.
    """
    return [
        {**_retry(LAMBDA_BUSY, attempts=60), "MaxDelaySeconds": 60},
        _retry([*LAMBDA_FAULTS, *errors], attempts=attempts),
    ]


def never(*errors: str) -> Retry:
    """Ahead of the others: these errors are answers."""
    return {"ErrorEquals": list(errors), "MaxAttempts": 0}


def _retry(errors: list[str], *, attempts: int, seconds: int = 2) -> Retry:
    return {
        "ErrorEquals": errors,
        "IntervalSeconds": seconds,
        "MaxAttempts": attempts,
        "BackoffRate": 2,
        "JitterStrategy": "FULL",
    }
