"""The release, as a state machine in Amazon States Language (JSONata)."""

from typing import Any

from infra.names import Names
from infra.settings import Release

MODEL_PARAMETER = "ApprovedModel"
# CloudFormation's words: "Stack:arn:… is in UPDATE_IN_PROGRESS state and can not be updated."
BUSY = "{% $contains($states.input.Cause, /is in [A-Z_]+_IN_PROGRESS state/) %}"


def release_definition(*, names: Names, settings: Release, partition: str) -> dict[str, Any]:
    """An approved package comes in, its model serves at the end, or the former one still does.

    Input: the registry's event (`detail.ModelPackageArn`). The parameter is written first, then the serving
    stack is updated with its own template, and the endpoint is asked what it really serves: CloudFormation
    and SageMaker can both roll back without an error that anyone would see. SageMaker may send one approval
    twice, and a `cdk deploy` may be under way: a stack that is busy is waited for. Giving up would put the
    former model's name back while the other update goes on to the new one.
    """
    sdk = f"arn:{partition}:states:::aws-sdk"
    return {
        "Comment": "Brings an approved model to the endpoint, or puts the former one back.",
        "QueryLanguage": "JSONata",
        "TimeoutSeconds": settings.timeout_minutes * 60,
        "StartAt": "DescribePackage",
        "States": {
            **_read(sdk, names),
            **_update(sdk, names, settings),
            **_verify(sdk, names),
            **_restore(sdk, names, settings),
        },
    }


def _read(sdk: str, names: Names) -> dict[str, Any]:
    return {
        "DescribePackage": {
            "Type": "Task",
            "Resource": f"{sdk}:sagemaker:describeModelPackage",
            "Arguments": {"ModelPackageName": "{% $states.input.detail.ModelPackageArn %}"},
            "Assign": {
                "model_package": "{% $states.result.ModelPackageArn %}",
                "approval": "{% $states.result.ModelApprovalStatus %}",
                "model": "{% $states.result.InferenceSpecification.Containers[0].ModelDataUrl %}",
                "reason": "",
            },
            "Next": "IsApproved",
        },
        "IsApproved": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $approval = 'Approved' %}", "Next": "ReadServingModel"}],
            "Default": "NotApproved",
        },
        "NotApproved": {
            "Type": "Fail",
            "Error": "NotApproved",
            "Cause": "{% $model_package & ' is ' & $approval & ', not Approved: nothing was changed.' %}",
        },
        "ReadServingModel": {
            "Type": "Task",
            "Resource": f"{sdk}:ssm:getParameter",
            "Arguments": {"Name": names.parameter("model")},
            "Assign": {"former": "{% $states.result.Parameter.Value %}"},
            "Next": "PutModel",
        },
    }


def _update(sdk: str, names: Names, settings: Release) -> dict[str, Any]:
    return {
        "PutModel": _put(sdk, names, value="{% $model %}", next_state="UpdateStack", on_error="Restore"),
        "UpdateStack": _update_stack(sdk, names, next_state="Wait", refused="UpdateRefused"),
        "UpdateRefused": {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": "{% $contains($states.input.Cause, 'No updates are to be performed') %}",
                    "Next": "DescribeEndpoint",
                },
                {"Condition": BUSY, "Next": "WaitForTurn"},
            ],
            "Default": "Restore",
        },
        "WaitForTurn": {"Type": "Wait", "Seconds": settings.poll_seconds, "Next": "UpdateStack"},
        "Wait": {"Type": "Wait", "Seconds": settings.poll_seconds, "Next": "DescribeStack"},
        "DescribeStack": {
            "Type": "Task",
            "Resource": f"{sdk}:cloudformation:describeStacks",
            "Arguments": {"StackName": names.stack("serving")},
            "Output": {
                "status": "{% $states.result.Stacks[0].StackStatus %}",
                "Cause": "{% 'the serving stack is ' & $states.result.Stacks[0].StackStatus %}",
            },
            "Retry": _retry(),
            "Catch": _catch("Restore"),
            "Next": "IsUpdated",
        },
        "IsUpdated": {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input.status = 'UPDATE_COMPLETE' %}", "Next": "DescribeEndpoint"},
                {
                    "Condition": "{% $contains($states.input.status, /(ROLLBACK_COMPLETE|FAILED)$/) %}",
                    "Next": "Restore",
                },
            ],
            "Default": "Wait",
        },
    }


def _verify(sdk: str, names: Names) -> dict[str, Any]:
    def describe(
        kind: str, arguments: dict[str, str], output: dict[str, str], next_state: str
    ) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": f"{sdk}:sagemaker:describe{kind}",
            "Arguments": arguments,
            "Output": output,
            "Retry": _retry(),
            "Catch": _catch("Restore"),
            "Next": next_state,
        }

    return {
        "DescribeEndpoint": describe(
            "Endpoint",
            {"EndpointName": names.endpoint},
            {
                "status": "{% $states.result.EndpointStatus %}",
                "config": "{% $states.result.EndpointConfigName %}",
            },
            "DescribeConfig",
        ),
        "DescribeConfig": describe(
            "EndpointConfig",
            {"EndpointConfigName": "{% $states.input.config %}"},
            {
                "status": "{% $states.input.status %}",
                "model": "{% $states.result.ProductionVariants[0].ModelName %}",
            },
            "DescribeModel",
        ),
        "DescribeModel": describe(
            "Model",
            {"ModelName": "{% $states.input.model %}"},
            {
                "status": "{% $states.input.status %}",
                "serves": "{% $states.result.PrimaryContainer.ModelDataUrl %}",
                "Cause": "{% 'the endpoint is ' & $states.input.status & ' and serves '"
                " & $states.result.PrimaryContainer.ModelDataUrl & ' instead of ' & $model %}",
            },
            "DoesServe",
        ),
        "DoesServe": {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": "{% $states.input.status = 'InService' and $states.input.serves = $model %}",
                    "Next": "Released",
                }
            ],
            "Default": "Restore",
        },
        "Released": {
            "Type": "Succeed",
            "Output": {"model_package": "{% $model_package %}", "model": "{% $model %}"},
        },
    }


def _restore(sdk: str, names: Names, settings: Release) -> dict[str, Any]:
    restore = _put(sdk, names, value="{% $former %}", next_state="RestoreStack", on_error="Failed")
    restore["Assign"] = {"reason": "{% $states.input.Cause %}"}
    return {
        "Restore": restore,
        "RestoreStack": _update_stack(sdk, names, next_state="Failed", refused="RestoreRefused"),
        "RestoreRefused": {
            "Type": "Choice",
            "Choices": [{"Condition": BUSY, "Next": "WaitToRestore"}],
            "Default": "Failed",
        },
        "WaitToRestore": {"Type": "Wait", "Seconds": settings.poll_seconds, "Next": "RestoreStack"},
        "Failed": {
            "Type": "Fail",
            "Error": "ReleaseFailed",
            "Cause": "{% 'The release of ' & $model_package & ' failed and ' & $former & ' was put back: '"
            " & ($reason != '' ? $reason : $states.input.Cause) %}",
        },
    }


def _put(sdk: str, names: Names, *, value: str, next_state: str, on_error: str) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"{sdk}:ssm:putParameter",
        "Arguments": {
            "Name": names.parameter("model"),
            "Value": value,
            "Type": "String",
            "Overwrite": True,
        },
        "Retry": _retry(),
        "Catch": _catch(on_error),
        "Next": next_state,
    }


def _update_stack(sdk: str, names: Names, *, next_state: str, refused: str) -> dict[str, Any]:
    keep = [{"ParameterKey": key, "UsePreviousValue": True} for key in (MODEL_PARAMETER, "BootstrapVersion")]
    return {
        "Type": "Task",
        "Resource": f"{sdk}:cloudformation:updateStack",
        "Arguments": {
            "StackName": names.stack("serving"),
            "UsePreviousTemplate": True,
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
            "Parameters": keep,
        },
        "Catch": _catch(refused),
        "Next": next_state,
    }


def _catch(next_state: str) -> list[dict[str, Any]]:
    return [
        {
            "ErrorEquals": ["States.ALL"],
            "Output": {"Cause": "{% $states.errorOutput.Error & ': ' & $states.errorOutput.Cause %}"},
            "Next": next_state,
        }
    ]


def _retry() -> list[dict[str, Any]]:
    return [
        {
            "ErrorEquals": ["States.TaskFailed"],
            "IntervalSeconds": 2,
            "MaxAttempts": 4,
            "BackoffRate": 2,
            "JitterStrategy": "FULL",
        }
    ]
