"""The states of one night: plan, observe images, compare; by setting, drift starts the pipeline."""

from dataclasses import dataclass
from typing import Any

from infra.names import Names
from infra.settings import Settings
from infra.shared.sagemaker_job import job_name, job_state
from infra.shared.state_language import (
    PARAMETER_VALUE,
    State,
    any_fault,
    choice,
    keep,
    lambda_fault,
    never,
    parameter_reader,
    task,
)

ROOT = "/opt/ml/processing"
TIMEOUT_HOURS = 6
# A pipeline that this model's drift started is known by its name for 90 days, whatever became of it.
_STARTED = "Sfn.ExecutionAlreadyExistsException"


@dataclass(frozen=True, kw_only=True)
class Job:
    """Members of CreateProcessingJob that keep the job apart from others; the keys are ARNs or None."""

    role_arn: str
    tags: list[dict[str, str]]
    network: dict[str, Any]
    volume_key: str | None
    output_key: str | None


def drift_definition(
    *, settings: Settings, partition: str, function: str, pipeline: str, job: Job
) -> dict[str, Any]:
    """`function` and `pipeline` are ARNs.

    Input: `{}` for the day before, or `{"day": "2026-11-27"}`. A night that cannot be compared (nobody asked,
    or the model has no baseline) is an answer: the execution succeeds and says why.
    """
    names = Names(settings.stage)
    read = parameter_reader(partition=partition, names=names)
    plan = "$states.input.plan"
    afterwards = "HasDrifted" if settings.drift.starts_pipeline else "Compared"
    return {
        "Comment": "Compares a day's answers and images with the baseline of the model that gave them.",
        "QueryLanguage": "JSONata",
        "TimeoutSeconds": TIMEOUT_HOURS * 3600,
        "StartAt": "Plan",
        "States": {
            "Plan": task(
                function,
                {
                    "step": "plan",
                    "day": "{% $exists($states.input.day) ? $states.input.day : null %}",
                    "started": "{% $states.context.Execution.StartTime %}",
                },
                Retry=lambda_fault(),
                Output="{% {'plan': $states.result} %}",
                next_state="IsAnyToCompare",
            ),
            "IsAnyToCompare": choice((f"{plan}.reason != ''", "NotCompared"), otherwise="IsAnyToObserve"),
            "NotCompared": {"Type": "Succeed"},
            "IsAnyToObserve": choice((f"{plan}.images > 0", "ReadImage"), otherwise="Compare"),
            "ReadImage": read("evaluation-image", next_state="Observe", image=PARAMETER_VALUE),
            "Observe": job_state(
                partition=partition,
                kind="ProcessingJob",
                name=job_name(names.drift_jobs),
                request=_request(settings, job),
                keep={},
                error="NotObserved",
                where="Its log is in /aws/sagemaker/ProcessingJobs. Start an execution with this day again.",
                result="observed",
                Next="Compare",
            ),
            "Compare": task(
                function,
                {"step": "compare", "plan": f"{{% {plan} %}}"},
                Retry=lambda_fault(),
                Output="{% $states.result %}",
                next_state=afterwards,
            ),
            **(_start_pipeline(partition, pipeline) if settings.drift.starts_pipeline else {}),
            "Compared": {"Type": "Succeed"},
        },
    }


def _start_pipeline(partition: str, pipeline: str) -> dict[str, State]:
    """Once for a model: drift that goes on night after night starts no second one."""
    name = "'drift-' & $substring($hash($states.input.model, 'SHA-256'), 0, 16)"
    return {
        "HasDrifted": choice(("$states.input.drifted", "StartPipeline"), otherwise="Compared"),
        "StartPipeline": task(
            f"arn:{partition}:states:::aws-sdk:sfn:startExecution",
            {"StateMachineArn": pipeline, "Name": f"{{% {name} %}}", "Input": "{}"},
            Output=keep(pipeline="$states.result.ExecutionArn"),
            Retry=[never(_STARTED), *any_fault()],
            Catch=[{"ErrorEquals": [_STARTED], "Output": "{% $states.input %}", "Next": "Compared"}],
            next_state="Compared",
        ),
    }


def _request(settings: Settings, job: Job) -> dict[str, Any]:
    plan = "$states.input.plan"
    inputs = (
        ("images", f"{{% {plan}.manifest %}}", "ManifestFile"),
        ("model", f"{{% {plan}.model_data %}}", "S3Prefix"),
    )
    cluster = {
        "InstanceCount": 1,
        "InstanceType": settings.drift.instance_type,
        "VolumeSizeInGB": settings.gate.volume_gib,
        **({"VolumeKmsKeyId": job.volume_key} if job.volume_key else {}),
    }
    output = {"LocalPath": f"{ROOT}/output", "S3Uri": f"{{% {plan}.observed %}}", "S3UploadMode": "EndOfJob"}
    return {
        "Tags": job.tags,
        "RoleArn": job.role_arn,
        "AppSpecification": {
            "ImageUri": "{% $states.input.image %}",
            "ContainerEntrypoint": ["python", "-m", "inference.observe"],
            "ContainerArguments": ["--input", f"{ROOT}/input", "--output", f"{ROOT}/output"],
        },
        "ProcessingInputs": [
            {
                "InputName": name,
                "S3Input": {
                    "S3Uri": uri,
                    "LocalPath": f"{ROOT}/input/{name}",
                    "S3DataType": kind,
                    "S3InputMode": "File",
                },
            }
            for name, uri, kind in inputs
        ],
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": "observations", "S3Output": output}],
            **({"KmsKeyId": job.output_key} if job.output_key else {}),
        },
        "ProcessingResources": {"ClusterConfig": cluster},
        "StoppingCondition": {"MaxRuntimeInSeconds": settings.drift.max_runtime_seconds},
        "NetworkConfig": {"EnableNetworkIsolation": True, **job.network},
    }
