"""The recount of a whole site, as a state machine in Amazon States Language."""

from dataclasses import dataclass
from typing import Any

from infra.names import NO_MODEL, Names, Prefix
from infra.settings.serving import PAYLOAD_MEGABYTES, Recount
from infra.shared.sagemaker_job import job_name, job_state
from infra.shared.state_language import (
    PARAMETER_VALUE,
    State,
    choice,
    distributed_map,
    keep,
    lambda_fault,
    parameter_reader,
    task,
)

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
    """Images and a manifest come in; a CSV, a page and figures are in S3 at the end.

    Input: `{"images": "s3://bucket/prefix/", "manifest": "s3://bucket/key.csv"}`; it may have no manifest.
    The model is the approved one, as the endpoint's is; the SageMaker model made of it lives as long as the
    transform job, so that a recount needs no endpoint and leaves nothing behind.
    """
    run = {"run": "{% $states.input.run %}"}
    asked = {**run, "request": "{% $states.input %}"}

    def step(name: str, member: str, next_state: str) -> State:
        """One call of the Lambda, whose answer becomes `member`."""
        return task(
            function_arn,
            {"step": name, **asked},
            Retry=lambda_fault(),
            Output=keep(**{member: "$states.result"}),
            next_state=next_state,
        )

    return {
        "Comment": "Counts all images below a prefix and holds them against a manifest.",
        "QueryLanguage": "JSONata",
        "TimeoutSeconds": settings.timeout_hours * 3600,
        "StartAt": "Name",
        "States": {
            "Name": _name(names),
            **_read(names, partition),
            "Plan": step("plan", "plan", "IsAnyToCount"),
            "IsAnyToCount": choice(("$states.input.plan.images > 0", "CreateModel"), otherwise="Join"),
            **_model(partition, role_arn, isolation),
            **_transform(settings, names, partition, tags, isolation),
            "Join": _join(settings, function_arn, partition),
            "Summarize": step("summarize", "done", "IsAnyAnswered"),
            **_ends(),
        },
    }


def _name(names: Names) -> State:
    """Run and job names."""
    job = job_name(names.recount_jobs)
    output = keep(run="$states.context.Execution.Name", job=job)
    return {"Type": "Pass", "Output": output, "Next": "ReadModel"}


def _read(names: Names, partition: str) -> dict[str, State]:
    read, uri = parameter_reader(partition=partition, names=names), f"{{'uri': {PARAMETER_VALUE}}}"
    return {
        "ReadModel": read("model", next_state="IsApproved", model=uri),
        "IsApproved": choice((f"$states.input.model.uri = '{NO_MODEL}'", "NoModel"), otherwise="ReadImage"),
        "NoModel": {
            "Type": "Fail",
            "Error": "NoModel",
            "Cause": "No model is approved: approve one (bincount models approve VERSION), then recount.",
        },
        # Batch transform has no Graviton: whatever the endpoint runs on, this is the image for x86.
        "ReadImage": read("evaluation-image", next_state="Plan", image=uri),
    }


def _model(partition: str, role_arn: str, isolation: Isolation) -> dict[str, State]:
    """From CreateModel to Transform. One that is there already is this execution's own (its name says so)."""
    sdk = f"arn:{partition}:states:::aws-sdk:sagemaker"
    job = "{% $states.input.job %}"
    return {
        "CreateModel": task(
            f"{sdk}:createModel",
            {
                "ModelName": job,
                "ExecutionRoleArn": role_arn,
                "EnableNetworkIsolation": True,
                **isolation.vpc_config,
                "PrimaryContainer": {
                    "Image": "{% $states.input.image.uri %}",
                    "ModelDataUrl": "{% $states.input.model.uri %}",
                    # A batch waits for its turn rather than fail: nobody waits for its answer.
                    "Environment": {"BINCOUNT_ENDPOINT": job, "BINCOUNT_DEADLINE_SECONDS": "60"},
                },
            },
            Output="{% $states.input %}",
            Catch=_caught(SAGEMAKER, "WasModelCreated"),
            next_state="Transform",
        ),
        "WasModelCreated": task(
            f"{sdk}:describeModel",
            {"ModelName": job},
            Output="{% $states.input %}",
            Catch=[{"ErrorEquals": ANY, "Output": "{% $states.input %}", "Next": "ModelNotCreated"}],
            next_state="Transform",
        ),
        "ModelNotCreated": _fail("ModelNotCreated"),
    }


def _transform(
    settings: Recount, names: Names, partition: str, tags: list[dict[str, str]], isolation: Isolation
) -> dict[str, State]:
    def drop(next_state: str) -> State:
        return task(
            f"arn:{partition}:states:::aws-sdk:sagemaker:deleteModel",
            {"ModelName": "{% $states.input.job %}"},
            Output="{% $states.input %}",
            # Gone already, by an attempt whose answer was lost. One that stays costs nothing.
            Catch=[{"ErrorEquals": SAGEMAKER, "Output": "{% $states.input %}", "Next": next_state}],
            next_state=next_state,
        )

    transform = job_state(
        partition=partition,
        kind="TransformJob",
        name=job_name(names.recount_jobs),
        request={**_transform_job(settings, isolation), "Tags": tags},
        keep={},
        error="TransformFailed",
        where="Its log is in /aws/sagemaker/TransformJobs.",
        result="transformed",
        Catch=_caught(ANY, "DeleteModelOfFailure"),
        Next="DeleteModel",
    )
    return {
        "Transform": transform,
        "DeleteModel": drop("Join"),
        "DeleteModelOfFailure": drop("TransformFailed"),
        "TransformFailed": _fail("TransformFailed"),
    }


def _ends() -> dict[str, State]:
    """A job whose answers are not where they are looked for, or which gave none, has counted nothing.

    Rows without an image, and those of images that never went into the job, say nothing of the job.
    """
    unanswered = "$states.input.done.summary.errors.no_answer"
    all_of_them = f"$exists({unanswered}) and {unanswered} = $states.input.plan.images"
    return {
        "IsAnyAnswered": choice((all_of_them, "NothingAnswered"), otherwise="Recounted"),
        "NothingAnswered": {
            "Type": "Fail",
            "Error": "NothingAnswered",
            "Cause": "{% 'No image has an answer: the transform job wrote none below '"
            " & $substringBefore($states.input.done.csv, 'recount.csv') & 'answers/, where they are looked "
            "for. See its log in /aws/sagemaker/TransformJobs.' %}",
        },
        "Recounted": {"Type": "Succeed", "Output": "{% $states.input.done %}"},
    }


def _caught(errors: list[str], next_state: str) -> list[State]:
    """Goes on with the fault beside the input."""
    return [{"ErrorEquals": errors, "Output": keep(fault="$states.errorOutput"), "Next": next_state}]


def _fail(error: str) -> State:
    return {"Type": "Fail", "Error": error, "Cause": "{% $states.input.fault.Cause %}"}


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
            # One type for the whole job: the server distinguishes JPEG, PNG and WebP by their bytes.
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


def _join(settings: Recount, function_arn: str, partition: str) -> State:
    run, chunks = "$states.input.run", "$states.input.plan.chunks"
    worker = {"Type": "Task", "Resource": function_arn, "Retry": lambda_fault(), "End": True}
    return distributed_map(
        partition=partition,
        items={"Bucket": f"{{% {chunks}.bucket %}}", "Key": f"{{% {chunks}.key %}}"},
        worker={"JoinChunk": worker},
        batch={"MaxItemsPerBatch": 1, "BatchInput": {"step": "join", "run": f"{{% {run} %}}"}},
        results={
            "Bucket": f"{{% {chunks}.bucket %}}",
            "Prefix": f"{{% '{Prefix.RECOUNTS}' & {run} & '/work/map' %}}",
        },
        MaxConcurrency=settings.max_concurrency,
        Next="Summarize",
    )
