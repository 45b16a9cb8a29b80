"""Updates the stack, checks the endpoint, runs the smoke test; restores the previous model if one fails."""

from infra.names import Names
from infra.serving.release.decisions import decide, go, variables
from infra.settings import Release
from infra.shared.state_language import State, catch, choice, lost_answer, task, wait

MODEL_PARAMETER = "ApprovedModel"


def rollout_states(
    partition: str, *, names: Names, settings: Release, step_function: str, smoke_function: str
) -> dict[str, State]:
    """From WriteParameter (variable: target) to ReleaseLock or SettleRollback.

    A fault leads to RestorePreviousModel and by the same states to CheckPackages, or to Failed with the lock
    still held.
    """
    return {
        **_update(partition, names=names),
        **_check(partition, function=step_function, settings=settings),
        **_smoke_test(partition, function=smoke_function, names=names),
    }


def _update(partition: str, *, names: Names) -> dict[str, State]:
    """Parameter and stack, on the way forward and on the way back."""
    sdk = f"arn:{partition}:states:::aws-sdk"
    keep = [{"ParameterKey": key, "UsePreviousValue": True} for key in (MODEL_PARAMETER, "BootstrapVersion")]
    return {
        "WriteParameter": task(
            f"{sdk}:ssm:putParameter",
            {
                "Name": names.parameter("model"),
                "Value": "{% $target %}",
                "Type": "String",
                "Overwrite": True,
            },
            Assign={"update_error": ""},
            Catch=catch("CheckEndpoint", assign="update_error"),
            next_state="UpdateStack",
        ),
        # The stack's own template: only the parameter is read anew. An error is read, not tried again. Where
        # the answer alone was lost the second attempt finds the stack busy with the first one, or up to date.
        "UpdateStack": task(
            f"{sdk}:cloudformation:updateStack",
            {
                "StackName": names.stack("serving"),
                "UsePreviousTemplate": True,
                "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
                "Parameters": keep,
            },
            Retry=lost_answer("CloudFormation"),
            Assign={"update_error": ""},
            Catch=catch("CheckEndpoint", assign="update_error"),
            next_state="WaitForStack",
        ),
    }


def _check(partition: str, *, function: str, settings: Release) -> dict[str, State]:
    """What the endpoint really serves; another model than the wanted one leads back."""
    cannot_look = {
        "ErrorEquals": ["States.ALL"],
        "Assign": {
            "answer": "{% {'decision': $restoring ? 'failed' : 'restore'} %}",
            "reason": "{% $restoring ? $reason : $states.errorOutput.Cause %}",
            "end": {
                "outcome": "failed",
                "error": "NotRestored",
                "cause": "{% 'Whether ' & $target & ' was put back is not known: ' & "
                "$states.errorOutput.Cause %}",
            },
        },
        "Next": "IsServed",
    }
    return {
        "WaitForStack": wait(settings.poll_seconds, next_state="CheckEndpoint"),
        "CheckEndpoint": decide(
            partition,
            function,
            "served",
            variables("target", "restoring", "settled", "update_error", "reason", "deadline", "work"),
            Catch=[cannot_look],
            next_state="IsServed",
        ),
        "IsServed": go(
            wait="WaitForStack",
            update="UpdateStack",
            smoke_test="SmokeTest",
            restore="RestorePreviousModel",
            settle="WaitForLateWrites",
            restored="CheckPackages",
        ),
        "RestorePreviousModel": {
            "Type": "Pass",
            "Assign": {
                "target": "{% $work.former %}",
                "restoring": True,
                "settled": False,
                "update_error": "",
            },
            "Next": "WriteParameter",
        },
        "WaitForLateWrites": {
            **wait(settings.settle_seconds, next_state="CheckEndpoint"),
            "Assign": {"settled": True},
        },
    }


def _smoke_test(partition: str, *, function: str, names: Names) -> dict[str, State]:
    """A bin whose answer the gate wrote down, through the real endpoint."""
    return {
        "SmokeTest": task(
            f"arn:{partition}:states:::lambda:invoke",
            {
                "FunctionName": function,
                "Payload": {"endpoint": names.endpoint, "verdict": "{% $work.verdict %}"},
            },
            Output={"passed": "{% $states.result.Payload.passed %}"},
            Assign={"reason": "{% $states.result.Payload.reason %}"},
            Catch=catch("RestorePreviousModel", assign="reason"),
            next_state="DidSmokeTestPass",
        ),
        "DidSmokeTestPass": choice(
            ("$states.input.passed and $work.kind = 'rollback'", "SettleRollback"),
            ("$states.input.passed", "ReleaseLock"),
            otherwise="RestorePreviousModel",
        ),
    }
