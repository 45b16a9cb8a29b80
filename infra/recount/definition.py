"""The recount of a whole site, as a state machine in Amazon States Language."""

from dataclasses import dataclass
from typing import Any

from infra.names import NO_MODEL, Names
from infra.settings.serving import PAYLOAD_MEGABYTES, Recount
from infra.shared.sagemaker_job import job_name, job_state
from infra.shared.state_language import any_fault, lambda_fault

ANY = ["States.ALL"]
SAGEMAKER = ["SageMaker.SageMakerException"]


@dataclass(frozen=True, kw_only=True)
class Isolation:
    """What keeps model and job apart from others: members of `CreateModel`, and keys or None."""

    vpc_config: dict[str, Any]
    volume_key: str | None
    output_key: str | None


def recount_definition(
    *,
    names: Names,
    settings: Recount,
    partition: str,
    function_arn: str,
    role_arn: str,
    tags: list[dict[str, str]],
    isolation: Isolation,
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
            **_model(states, role_arn, isolation),
            **_transform(settings, names, partition, tags, isolation),
            "Join": _join(settings, function_arn, states),
            "Summarize": {
                **_invoke(function_arn, {"step": "summarize", "run.$": "$.run", "request.$": "$"}),
                "ResultPath": "$.done",
                "Next": "IsAnyAnswered",
            },
            **_ends(),
        },
    }


def _name(names: Names) -> dict[str, Any]:
    """Run and job names."""
    job = job_name(f"{names.recount}-")
    named = f"{{'run': $states.context.Execution.Name, 'job': {job}}}"
    return {
        "Type": "Pass",
        "QueryLanguage": "JSONata",
        "Output": f"{{% $merge([$states.input, {named}]) %}}",
        "Next": "ReadModel",
    }


def _read(names: Names, states: str) -> dict[str, Any]:
    def read(what: str, parameter: str, next_state: str) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": f"{states}aws-sdk:ssm:getParameter",
            "Parameters": {"Name": names.parameter(parameter)},
            "ResultSelector": {"uri.$": "$.Parameter.Value"},
            "ResultPath": f"$.{what}",
            "Retry": any_fault(),
            "Next": next_state,
        }

    return {
        "ReadModel": read("model", "model", "IsApproved"),
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
        # Batch transform has no Graviton: whatever the endpoint runs on, this is the image for x86.
        "ReadImage": read("image", "evaluation-image", "Plan"),
    }


def _model(states: str, role_arn: str, isolation: Isolation) -> dict[str, Any]:
    """From CreateModel to Transform. One that is there already is this execution's own (its name says so)."""
    return {
        "CreateModel": {
            "Type": "Task",
            "Resource": f"{states}aws-sdk:sagemaker:createModel",
            "Parameters": {
                "ModelName.$": "$.job",
                "ExecutionRoleArn": role_arn,
                "EnableNetworkIsolation": True,
                **isolation.vpc_config,
                "PrimaryContainer": {
                    "Image.$": "$.image.uri",
                    "ModelDataUrl.$": "$.model.uri",
                    # A batch waits for its turn rather than fail: nobody stands in front of it.
                    "Environment": {"BINCOUNT_ENDPOINT.$": "$.job", "BINCOUNT_DEADLINE_SECONDS": "60"},
                },
            },
            "ResultPath": "$.created",
            "Retry": any_fault(),
            "Catch": [{"ErrorEquals": SAGEMAKER, "ResultPath": "$.fault", "Next": "IsTheModelThere"}],
            "Next": "Transform",
        },
        "IsTheModelThere": {
            "Type": "Task",
            "Resource": f"{states}aws-sdk:sagemaker:describeModel",
            "Parameters": {"ModelName.$": "$.job"},
            "ResultPath": "$.created",
            "Retry": any_fault(),
            "Catch": [{"ErrorEquals": ANY, "ResultPath": "$.none", "Next": "ModelNotMade"}],
            "Next": "Transform",
        },
        "ModelNotMade": {"Type": "Fail", "Error": "ModelNotMade", "CausePath": "$.fault.Cause"},
    }


def _transform(
    settings: Recount, names: Names, partition: str, tags: list[dict[str, str]], isolation: Isolation
) -> dict[str, Any]:
    def drop(next_state: str) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": f"arn:{partition}:states:::aws-sdk:sagemaker:deleteModel",
            "Parameters": {"ModelName.$": "$.job"},
            "ResultPath": "$.dropped",
            "Retry": any_fault(),
            # Gone already, by an attempt whose answer was lost. One that stays costs nothing.
            "Catch": [{"ErrorEquals": SAGEMAKER, "ResultPath": "$.dropped", "Next": next_state}],
            "Next": next_state,
        }

    state = job_state(
        partition=partition,
        kind="TransformJob",
        name=job_name(f"{names.recount}-"),
        request={**_transform_job(settings, isolation), "Tags": tags},
        keep={},
        error="TransformFailed",
        where="Its log is in /aws/sagemaker/TransformJobs.",
    )
    return {
        "Transform": {
            **state,
            "ResultPath": "$.transformed",
            "Catch": [{"ErrorEquals": ANY, "ResultPath": "$.fault", "Next": "DropModelOfFailure"}],
            "Next": "DropModel",
        },
        "DropModel": drop("Join"),
        "DropModelOfFailure": drop("TransformFailed"),
        "TransformFailed": {"Type": "Fail", "Error": "TransformFailed", "CausePath": "$.fault.Cause"},
    }


def _ends() -> dict[str, Any]:
    """A job whose answers are not where they are looked for, or which gave none, has counted nothing.

    Rows without an image, and those of images that never went into the job, say nothing of the job.
    """
    unanswered = "$states.input.done.summary.errors.no_answer"
    all_of_them = f"$exists({unanswered}) and {unanswered} = $states.input.plan.images"
    return {
        "IsAnyAnswered": {
            "Type": "Choice",
            "QueryLanguage": "JSONata",
            "Choices": [
                {
                    "Condition": f"{{% {all_of_them} %}}",
                    "Next": "NothingAnswered",
                }
            ],
            "Default": "Recounted",
        },
        "NothingAnswered": {
            "Type": "Fail",
            "QueryLanguage": "JSONata",
            "Error": "NothingAnswered",
            "Cause": "{% 'No image has an answer: the transform job wrote none below '"
            " & $substringBefore($states.input.done.csv, 'recount.csv') & 'answers/, where they are looked "
            "for. See its log in /aws/sagemaker/TransformJobs.' %}",
        },
        "Recounted": {
            "Type": "Succeed",
            "QueryLanguage": "JSONata",
            "Output": "{% $states.input.done %}",
        },
    }


def _transform_job(settings: Recount, isolation: Isolation) -> dict[str, Any]:
    return {
        "ModelName": "{% $states.input.job %}",
        "BatchStrategy": "SingleRecord",
        "MaxConcurrentTransforms": settings.max_concurrent_transforms,
        "MaxPayloadInMB": PAYLOAD_MEGABYTES,
        "ModelClientConfig": {"InvocationsTimeoutInSeconds": 60, "InvocationsMaxRetries": 3},
        "TransformInput": {
            "DataSource": {
                "S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": "{% $states.input.plan.input %}"}
            },
            # One type for the whole job: the server tells JPEG, PNG and WebP apart by their bytes.
            "ContentType": "image/jpeg",
            "SplitType": "None",
        },
        "TransformOutput": {
            "S3OutputPath": "{% $states.input.plan.answers %}",
            "Accept": "application/json",
            "AssembleWith": "None",
            **({"KmsKeyId": isolation.output_key} if isolation.output_key else {}),
        },
        "TransformResources": {
            "InstanceType": settings.instance_type,
            "InstanceCount": settings.instances,
            **({"VolumeKmsKeyId": isolation.volume_key} if isolation.volume_key else {}),
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
                    "Retry": lambda_fault(),
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
    return {"Type": "Task", "Resource": function_arn, "Parameters": payload, "Retry": lambda_fault()}
