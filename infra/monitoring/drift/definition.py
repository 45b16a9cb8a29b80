"""The states of one night: plan, observe images, compare; by setting, drift starts the pipeline."""

from typing import Any

from aws_cdk import aws_iam as iam

from infra.data.stack import DataStack
from infra.names import Names
from infra.settings import Settings
from infra.shared.processing_job import ROOT, processing_job
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

TIMEOUT_HOURS = 6
# A pipeline that this model's drift started is known by its name for 90 days, whatever became of it.
_STARTED = "Sfn.ExecutionAlreadyExistsException"


def drift_definition(
    *, settings: Settings, partition: str, function: str, pipeline: str, job: dict[str, Any]
) -> dict[str, Any]:
    """`function` and `pipeline` are ARNs, `job` is what observation_job gives.

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
                request=job,
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


def observation_job(*, settings: Settings, data: DataStack, role: iam.Role) -> dict[str, Any]:
    """CreateProcessingJob's request but for the name. It takes from the state's input `plan` and `image`."""
    plan = "$states.input.plan"
    inputs = (
        ("images", f"{{% {plan}.manifest %}}", "ManifestFile"),
        ("model", f"{{% {plan}.model_data %}}", "S3Prefix"),
    )
    return processing_job(
        settings=settings,
        role=role,
        key=data.key,
        network=data.network.vpc_config(),
        module="inference.observe",
        arguments=["--input", f"{ROOT}/input", "--output", f"{ROOT}/output"],
        inputs=[
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
        outputs={"observations": ("output", f"{{% {plan}.observed %}}")},
        instance_type=settings.drift.instance_type,
        max_runtime_seconds=settings.drift.max_runtime_seconds,
    )
