"""The release's way forward: parameter, stack, what the endpoint really serves, a known bin."""

from typing import Any

from infra.asl import State, catch, choice, task, wait
from infra.names import Names
from infra.retries import lost_answer

MODEL_PARAMETER = "ApprovedModel"
# CloudFormation's words: "Stack:arn:… is in UPDATE_IN_PROGRESS state and can not be updated."
# A throttled call and an answer 5xx have the same error name, so all are told by their words.
BUSY = (
    "$contains($states.input.Cause, /is in [A-Z_]+_IN_PROGRESS state|Rate exceeded|Status Code: 5[0-9]{2}/)"
)
NO_UPDATES = "$contains($states.input.Cause, 'No updates are to be performed')"
LATE = "$millis() > $deadline"


def update_states(*, sdk: str, names: Names, poll_seconds: int) -> dict[str, State]:
    """From PutModel to DescribeEndpoint, or to Restore."""
    return {
        "PutModel": put(sdk, names, value="{% $model %}", next_state="UpdateStack", on_error="Restore"),
        "UpdateStack": update_stack(sdk, names, next_state="Wait", refused="UpdateRefused"),
        "UpdateRefused": choice(
            (NO_UPDATES, "DescribeEndpoint"), (f"{BUSY} and $not({LATE})", "WaitForTurn"), otherwise="Restore"
        ),
        "WaitForTurn": wait(poll_seconds, next_state="UpdateStack"),
        "Wait": wait(poll_seconds, next_state="DescribeStack"),
        "DescribeStack": describe_stack(sdk, names, next_state="IsUpdated", on_error="Restore"),
        "IsUpdated": choice(
            ("$states.input.status = 'UPDATE_COMPLETE'", "DescribeEndpoint"),
            ("$contains($states.input.status, /(ROLLBACK_COMPLETE|FAILED)$/)", "Restore"),
            (LATE, "Restore"),
            otherwise="Wait",
        ),
    }


def serves_states(*, sdk: str, names: Names, prefix: str, wanted: str, yes: str, no: str) -> dict[str, State]:
    """Whether the endpoint is in service with the model `wanted` (a variable): then `yes`, else `no`.

    CloudFormation and SageMaker can both roll back without an error that anyone would see.
    """

    def describe(kind: str, arguments: dict[str, str], output: dict[str, str], next_state: str) -> State:
        return task(
            f"{sdk}:sagemaker:describe{kind}",
            arguments,
            Output=output,
            Catch=catch(no),
            next_state=next_state,
        )

    return {
        f"{prefix}Endpoint": describe(
            "Endpoint",
            {"EndpointName": names.endpoint},
            {
                "status": "{% $states.result.EndpointStatus %}",
                "config": "{% $states.result.EndpointConfigName %}",
            },
            f"{prefix}Config",
        ),
        f"{prefix}Config": describe(
            "EndpointConfig",
            {"EndpointConfigName": "{% $states.input.config %}"},
            {
                "status": "{% $states.input.status %}",
                "model": "{% $states.result.ProductionVariants[0].ModelName %}",
            },
            f"{prefix}Model",
        ),
        f"{prefix}Model": describe(
            "Model",
            {"ModelName": "{% $states.input.model %}"},
            {
                "status": "{% $states.input.status %}",
                "serves": "{% $states.result.PrimaryContainer.ModelDataUrl %}",
                "Cause": "{% 'the endpoint is ' & $states.input.status & ' and serves '"
                f" & $states.result.PrimaryContainer.ModelDataUrl & ' instead of ' & {wanted} %}}",
            },
            f"{prefix}Serves",
        ),
        f"{prefix}Serves": choice(
            (f"$states.input.status = 'InService' and $states.input.serves = {wanted}", yes), otherwise=no
        ),
    }


def smoke_states(*, partition: str, function: str, names: Names, passed: str) -> dict[str, State]:
    """A bin whose answer the gate wrote down, through the real endpoint."""
    return {
        "SmokeTest": task(
            f"arn:{partition}:states:::lambda:invoke",
            {
                "FunctionName": function,
                "Payload": {"endpoint": names.endpoint, "verdict": "{% $verdict %}"},
            },
            Output={
                "passed": "{% $states.result.Payload.passed %}",
                "Cause": "{% $states.result.Payload.reason %}",
            },
            Catch=catch("Restore"),
            next_state="DidItPass",
        ),
        "DidItPass": choice(("$states.input.passed", passed), otherwise="Restore"),
    }


def put(sdk: str, names: Names, *, value: str, next_state: str, on_error: str) -> State:
    """Write the parameter."""
    return task(
        f"{sdk}:ssm:putParameter",
        {"Name": names.parameter("model"), "Value": value, "Type": "String", "Overwrite": True},
        Catch=catch(on_error),
        next_state=next_state,
    )


def update_stack(sdk: str, names: Names, *, next_state: str, refused: str) -> State:
    """Update the serving stack with its own template: only the parameter is read anew."""
    keep = [{"ParameterKey": key, "UsePreviousValue": True} for key in (MODEL_PARAMETER, "BootstrapVersion")]
    arguments: dict[str, Any] = {
        "StackName": names.stack("serving"),
        "UsePreviousTemplate": True,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        "Parameters": keep,
    }
    # A refusal is read, not tried again. Where the answer alone was lost the second attempt finds the stack
    # busy with the first one, or up to date: both are waited for or passed.
    return task(
        f"{sdk}:cloudformation:updateStack",
        arguments,
        Retry=lost_answer("CloudFormation"),
        Catch=catch(refused),
        next_state=next_state,
    )


def describe_stack(sdk: str, names: Names, *, next_state: str, on_error: str) -> State:
    """The serving stack's status, and the words that tell it."""
    return task(
        f"{sdk}:cloudformation:describeStacks",
        {"StackName": names.stack("serving")},
        Output={
            "status": "{% $states.result.Stacks[0].StackStatus %}",
            "Cause": "{% 'the serving stack is ' & $states.result.Stacks[0].StackStatus %}",
        },
        Catch=catch(on_error),
        next_state=next_state,
    )
