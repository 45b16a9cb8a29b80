"""The recount of a whole site, as a state machine in Amazon States Language."""

from typing import Any

from infra.asl import retry
from infra.lambda_retries import lambda_retries
from infra.names import NO_MODEL, Names
from infra.settings.recount import PAYLOAD_MEGABYTES, Recount

MODEL_FAULT = ["States.ALL"]


def recount_definition(
    *,
    names: Names,
    settings: Recount,
    partition: str,
    function_arn: str,
    role_arn: str,
    tags: list[dict[str, str]],
) -> dict[str, Any]:
    """Images and a manifest come in; a CSV, a page and figures stand in S3 at the end.

    Input: `{"images": "s3://bucket/prefix/", "manifest": "s3://bucket/key.csv"}`; it may have no manifest.
    The model is the approved one, as the endpoint's is; the SageMaker model made of it lives as long as the
    transform job, so that a recount needs no endpoint and leaves nothing behind.
    """
    states = f"arn:{partition}:states:::"
    # Results are kept beside the input, also those that nobody reads: `"ResultPath": null` does not survive
    # the CDK, which drops every null.
    return {
        "Comment": "Counts all images below a prefix and holds them against a manifest.",
        "TimeoutSeconds": settings.timeout_hours * 3600,
        "StartAt": "Name",
        "States": {
            "Name": _name(names),
            **_read(names, states),
            "Plan": {
                **_invoke(function_arn, {"step": "plan", "run.$": "$.run", "request.$": "$"}),
                "ResultPath": "$.plan",
                "Next": "IsAnyToCount",
            },
            "IsAnyToCount": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.plan.images", "NumericGreaterThan": 0, "Next": "CreateModel"}],
                "Default": "Join",
            },
            **_transform(settings, states, role_arn, tags),
            "Join": _join(settings, function_arn, states),
            "Summarize": {
                **_invoke(function_arn, {"step": "summarize", "run.$": "$.run", "request.$": "$"}),
                "End": True,
            },
        },
    }


def _name(names: Names) -> dict[str, Any]:
    """Run and job names. The stamp is the time of entering, so that a second run gets other names."""
    stamp = "$substring($replace($states.context.State.EnteredTime, /[^0-9]/, ''), 0, 17)"
    job = f"'{names.recount}-' & {stamp}"
    return {
        "Type": "Pass",
        "QueryLanguage": "JSONata",
        "Output": f"{{% $merge([$states.input, {{'run': $states.context.Execution.Name, 'job': {job}}}]) %}}",
        "Next": "ReadModel",
    }


def _read(names: Names, states: str) -> dict[str, Any]:
    def read(what: str, next_state: str) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": f"{states}aws-sdk:ssm:getParameter",
            "Parameters": {"Name": names.parameter(what)},
            "ResultSelector": {"uri.$": "$.Parameter.Value"},
            "ResultPath": f"$.{what}",
            "Retry": retry(),
            "Next": next_state,
        }

    return {
        "ReadModel": read("model", "IsApproved"),
        "IsApproved": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.model.uri", "StringEquals": NO_MODEL, "Next": "NoModel"}],
            "Default": "ReadImage",
        },
        "NoModel": {
            "Type": "Fail",
            "Error": "NoModel",
            "Cause": "No model is approved: approve one (bincount models approve VERSION), then recount.",
        },
        "ReadImage": read("image", "Plan"),
    }


def _transform(settings: Recount, states: str, role_arn: str, tags: list[dict[str, str]]) -> dict[str, Any]:
    drop = {
        "Type": "Task",
        "Resource": f"{states}aws-sdk:sagemaker:deleteModel",
        "Parameters": {"ModelName.$": "$.job"},
        "ResultPath": "$.dropped",
        "Retry": retry(),
    }
    return {
        "CreateModel": {
            "Type": "Task",
            "Resource": f"{states}sagemaker:createModel",
            "Parameters": {
                "ModelName.$": "$.job",
                "ExecutionRoleArn": role_arn,
                "EnableNetworkIsolation": True,
                "PrimaryContainer": {
                    "Image.$": "$.image.uri",
                    "ModelDataUrl.$": "$.model.uri",
                    # A batch waits for its turn rather than fail: nobody stands in front of it.
                    "Environment": {"BINCOUNT_ENDPOINT.$": "$.job", "BINCOUNT_DEADLINE_SECONDS": "60"},
                },
            },
            "ResultPath": "$.created",
            "Retry": retry(),
            "Next": "Transform",
        },
        "Transform": {
            "Type": "Task",
            "Resource": f"{states}sagemaker:createTransformJob.sync",
            "Parameters": {**_transform_job(settings), "Tags": tags},
            "ResultPath": "$.transformed",
            "Catch": [{"ErrorEquals": MODEL_FAULT, "ResultPath": "$.fault", "Next": "DropModelOfFailure"}],
            "Next": "DropModel",
        },
        "DropModel": {**drop, "Next": "Join"},
        "DropModelOfFailure": {**drop, "Next": "TransformFailed"},
        "TransformFailed": {"Type": "Fail", "Error": "TransformFailed", "CausePath": "$.fault.Cause"},
    }


def _transform_job(settings: Recount) -> dict[str, Any]:
    return {
        "TransformJobName.$": "$.job",
        "ModelName.$": "$.job",
        "BatchStrategy": "SingleRecord",
        "MaxConcurrentTransforms": settings.max_concurrent_transforms,
        "MaxPayloadInMB": PAYLOAD_MEGABYTES,
        "ModelClientConfig": {"InvocationsTimeoutInSeconds": 60, "InvocationsMaxRetries": 3},
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri.$": "$.plan.input"}},
            # One type for the whole job: the server tells JPEG, PNG and WebP apart by their bytes.
            "ContentType": "image/jpeg",
            "SplitType": "None",
        },
        "TransformOutput": {
            "S3OutputPath.$": "$.plan.answers",
            "Accept": "application/json",
            "AssembleWith": "None",
        },
        "TransformResources": {
            "InstanceType": settings.instance_type,
            "InstanceCount": settings.instances,
        },
    }


def _join(settings: Recount, function_arn: str, states: str) -> dict[str, Any]:
    batch_input = {"step": "join", "run.$": "$.run"}
    return {
        "Type": "Map",
        "ItemReader": {
            "Resource": f"{states}s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket.$": "$.plan.chunks.bucket", "Key.$": "$.plan.chunks.key"},
        },
        "ItemBatcher": {"MaxItemsPerBatch": 1, "BatchInput": batch_input},
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "JoinChunk",
            "States": {
                "JoinChunk": {
                    "Type": "Task",
                    "Resource": function_arn,
                    "Retry": lambda_retries(),
                    "End": True,
                }
            },
        },
        # Without a writer the children's results count against the 256 KiB of a state's output.
        "ResultWriter": {
            "Resource": f"{states}s3:putObject",
            "Parameters": {
                "Bucket.$": "$.plan.chunks.bucket",
                "Prefix.$": "States.Format('recounts/{}/work/map', $.run)",
            },
        },
        "MaxConcurrency": settings.max_concurrency,
        "ResultPath": "$.joined",
        "Next": "Summarize",
    }


def _invoke(function_arn: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "Task", "Resource": function_arn, "Parameters": payload, "Retry": lambda_retries()}
