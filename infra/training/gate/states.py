"""The gate: the challenger and the champion on the same bins, then the registry, whichever way it went."""

from typing import Any

from aws_cdk import aws_iam as iam

from infra.data.stack import DataStack
from infra.names import NO_MODEL, Names, Prefix
from infra.settings import Settings
from infra.shared.processing_job import ROOT, processing_job
from infra.shared.sagemaker_job import job_name, job_state
from infra.shared.state_language import PARAMETER_VALUE, State, choice, keep, parameter_reader, task
from infra.training.experiments import logging_states
from infra.training.model_card import card_states

CONTENT_TYPES = ["image/jpeg", "image/png", "image/webp"]
FIGURES = ("accuracy", "rmse", "within_one", "coverage")


def gate_states(
    *, settings: Settings, partition: str, evaluation_job: dict[str, Any], card: str, experiments: str
) -> dict[str, State]:
    """States of the pipeline, from ReadEvaluationImage on. Input: `dataset` and `candidate`.

    `card` and `experiments` are ARNs of the functions that write model cards (infra/training/model_card.py)
    and log runs, "" for none.

    A rejected model is an answer, not a fault: the execution succeeds with `verdict.accepted` false and its
    reasons, the package is registered as Rejected, and nothing else changes. The execution fails only where
    there is no verdict.
    """
    names = Names(settings.stage)

    read = parameter_reader(partition=partition, names=names)
    afterwards = "LogRuns" if experiments else "IsAccepted"
    register = _register(settings, partition, afterwards)
    cards = (
        card_states(
            settings=settings, partition=partition, function=card, register=register, next_state=afterwards
        )
        if card
        else {}
    )
    return {
        "ReadEvaluationImage": read("evaluation-image", next_state="ReadServingImage", image=PARAMETER_VALUE),
        "ReadServingImage": read("image", next_state="ReadChampion", serving_image=PARAMETER_VALUE),
        "ReadChampion": read("model", next_state="Evaluate", champion=PARAMETER_VALUE),
        "Evaluate": job_state(
            partition=partition,
            kind="ProcessingJob",
            name=job_name(names.evaluation_jobs),
            request=evaluation_job,
            keep={"evaluation": "$states.result.ProcessingOutputConfig.Outputs[0].S3Output.S3Uri"},
            error="EvaluationFailed",
            where="Its log is in /aws/sagemaker/ProcessingJobs. The input candidate evaluates it again.",
            result="evaluated",
            Next="ReadVerdict",
        ),
        "ReadVerdict": _read_verdict(partition, next_state="WriteCard" if card else "Register"),
        **cards,
        "Register": register,
        **(logging_states(settings, experiments, next_state="IsAccepted") if experiments else {}),
        "IsAccepted": choice(("$states.input.verdict.accepted", "Registered"), otherwise="Rejected"),
        "Registered": {"Type": "Succeed"},
        "Rejected": {"Type": "Succeed"},
    }


def _read_verdict(partition: str, *, next_state: str) -> State:
    evaluation = "$states.input.evaluated.job.evaluation"
    path = f"$substringAfter({evaluation}, 's3://')"
    return task(
        f"arn:{partition}:states:::aws-sdk:s3:getObject",
        {
            "Bucket": f"{{% $substringBefore({path}, '/') %}}",
            "Key": f"{{% $substringAfter({path}, '/') & '/verdict.json' %}}",
        },
        Output=keep(evaluation=evaluation, verdict="$parse($states.result.Body)"),
        next_state=next_state,
    )


def _register(settings: Settings, partition: str, next_state: str) -> State:
    status = {"automatic": "Approved", "manual": "PendingManualApproval"}[settings.release.approval]
    verdict = "$states.input.verdict"
    doubts = f"$count({verdict}.needs_person)"
    accepted = f"({doubts} = 0 ? '{status}' : 'PendingManualApproval')"
    approval = f"({verdict}.accepted ? {accepted} : 'Rejected')"
    container = {
        "Image": "{% $states.input.serving_image %}",
        "ModelDataUrl": "{% $states.input.candidate.model_data %}",
    }
    quality = {
        "ContentType": "application/json",
        "S3Uri": "{% $states.input.evaluation & '/verdict.json' %}",
    }
    # A value may hold letters, digits, spaces and _.:/=+-@ only: the reasons are in the description.
    properties = {
        "dataset_id": "{% $states.input.dataset.dataset_id %}",
        "training_job": "{% $states.input.candidate.training_job %}",
        "champion": "{% $states.input.champion %}",
        "verdict": f"{{% {verdict}.accepted ? 'accepted' : 'rejected' %}}",
        "report": "{% $states.input.evaluation & '/report.html' %}",
        **{name: f"{{% $string({verdict}.challenger.metrics.{name}) %}}" for name in FIGURES},
    }
    words = (
        "'Trained by ' & $states.input.candidate.training_job & "
        f"({verdict}.accepted ? '. Accepted by the gate' & "
        f"({doubts} = 0 ? '.' : ', a person must decide: ' & $join({verdict}.needs_person, '; ')) "
        f": '. Rejected by the gate: ' & $join({verdict}.reasons, '; '))"
    )
    return task(
        f"arn:{partition}:states:::aws-sdk:sagemaker:createModelPackage",
        {
            # The same in each attempt, so that a second one answers with the first one's package.
            "ClientToken": "{% $substring($hash($states.context.Execution.Id, 'SHA-256'), 0, 36) %}",
            "ModelPackageGroupName": Names(settings.stage).model_package_group,
            "ModelPackageDescription": f"{{% $substring({words}, 0, 1024) %}}",
            "ModelApprovalStatus": f"{{% {approval} %}}",
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": CONTENT_TYPES,
                "SupportedResponseMIMETypes": ["application/json", "text/plain"],
            },
            "ModelMetrics": {"ModelQuality": {"Statistics": quality}},
            "CustomerMetadataProperties": properties,
        },
        Output=keep(model_package="$states.result.ModelPackageArn", approval=approval),
        next_state=next_state,
    )


def evaluation_job(*, settings: Settings, data: DataStack, role: iam.Role) -> dict[str, Any]:
    """CreateProcessingJob's request but for the name, in JSONata.

    It takes from the state's input `dataset`, `candidate`, `champion` and `image`.
    """
    bucket, name = data.bucket.bucket_name, job_name(Names(settings.stage).evaluation_jobs)
    outputs = {"verdict": ("output", f"{{% 's3://{bucket}/{Prefix.EVALUATIONS}' & {name} %}}")}
    if settings.drift.baseline_images:
        # Below a folder named after the model, which is how drift finds it by an answer.
        outputs["baseline"] = ("baseline", f"s3://{bucket}/{Prefix.BASELINES.removesuffix('/')}")
    return processing_job(
        settings=settings,
        role=role,
        key=data.key,
        network=data.network.vpc_config(),
        module="inference.evaluate",
        arguments=_arguments(settings),
        inputs=f"{{% {_inputs()} %}}",
        outputs=outputs,
        instance_type=settings.gate.instance_type,
        max_runtime_seconds=settings.gate.max_runtime_seconds,
    )


def _arguments(settings: Settings) -> list[str]:
    gate, floors = settings.gate, settings.floors
    arguments = {
        "input": f"{ROOT}/input",
        "output": f"{ROOT}/output",
        "dataset-id": "{% $states.input.dataset.dataset_id %}",
        "challenger": "{% $states.input.candidate.model_data %}",
        "champion": "{% $states.input.champion %}",
        **{name.replace("_", "-"): str(value) for name, value in floors.items()},
        "min-coverage": str(gate.min_coverage),
        "level": str(gate.level),
        "min-images": str(gate.min_images),
        "part-loss": str(gate.part_loss),
        **_baseline_arguments(settings),
    }
    return [word for name, value in arguments.items() for word in (f"--{name}", value)]


def _baseline_arguments(settings: Settings) -> dict[str, str]:
    if not settings.drift.baseline_images:
        return {}
    stored = "$type($states.input.request.stored) = 'object'"
    return {
        "baseline": f"{ROOT}/baseline",
        "baseline-images": str(settings.drift.baseline_images),
        "baseline-sizes": f"{{% {stored} ? 'stored' : 'original' %}}",
    }


def _inputs() -> str:
    """A JSONata expression: the champion's archive is an input only where a model serves."""
    # In folders the test images are among all of `val/`; shards are apart.
    bins = "$states.input.dataset.uri & ($states.input.dataset.shards ? 'shards/test-' : 'val/')"
    always = ", ".join(
        (
            _input("bins", bins),
            _input("manifest", "$states.input.dataset.uri & 'manifest.jsonl.gz'"),
            _input("challenger", "$states.input.candidate.model_data"),
        )
    )
    champion = _input("champion", "$states.input.champion")
    return f"$append([{always}], $states.input.champion = '{NO_MODEL}' ? [] : [{champion}])"


def _input(name: str, uri: str) -> str:
    return (
        f"{{'InputName': '{name}', 'S3Input': {{'S3Uri': {uri}, 'LocalPath': '{ROOT}/input/{name}', "
        "'S3DataType': 'S3Prefix', 'S3InputMode': 'File'}}"
    )
