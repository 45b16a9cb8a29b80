"""The pipeline: request -> dataset -> tuned model -> gate and registry (gate/states.py)."""

import json
from typing import Any

from infra.names import Names, Prefix
from infra.settings import Settings
from infra.shared.sagemaker_job import job_name, job_state
from infra.shared.state_language import State, choice, distributed_map, keep, lambda_fault, task
from infra.training.gate.states import gate_states
from infra.training.tuning_job import OBJECTIVE
from infra.training.warm_start import create_with_parents, find_parents

TRANSFER_FAILED = "TransferFailed"  # S3 could not be reached; what was done is kept, the batch resumes
TIMEOUT_DAYS = 7
DATASET_ID = {"dataset_id": "{% $states.input.dataset.dataset_id %}"}
NO_TRIAL = (
    "No trial of the tuning job {name} finished with a value of {objective}. See the FailureReason of its "
    "training jobs (SageMaker, Training, Hyperparameter tuning jobs) and their logs in "
    "/aws/sagemaker/TrainingJobs."
)


def pipeline_definition(
    *,
    settings: Settings,
    partition: str,
    bucket_name: str,
    data_prep: str,
    weights: str,
    staging: dict[str, str],
    parents: str,
    card: str,
    tuning_job: dict[str, Any],
    evaluation_job: dict[str, Any],
    experiments: str,
) -> dict[str, Any]:
    """The states, in the order in which they run; `data_prep`, `weights`, `parents`, `card` and `experiments`
    are ARNs of functions, all but the first "" for none.

    `staging` is what the function `weights` is asked (infra/training/weights.py), `parents` is asked what the
    tuning job may learn from (infra/training/warm_start.py).

    Input: `{"request": {…}}` or `{}` for the stage's own request. `"field": {…}` beside it adds the images of
    production that it names (data_prep/sources.py). With
    `"candidate": {"training_job": name, "model_data": "s3://…"}` nothing is trained: that model is evaluated.
    """
    return {
        "QueryLanguage": "JSONata",
        "TimeoutSeconds": TIMEOUT_DAYS * 86_400,
        "StartAt": "HasRequest",
        "States": {
            **_choose_request(settings),
            **_prepare(settings, partition, bucket_name, data_prep),
            **_train(settings, partition, weights, staging, parents, tuning_job),
            **gate_states(
                settings=settings,
                partition=partition,
                evaluation_job=evaluation_job,
                card=card,
                experiments=experiments,
            ),
        },
    }


def _choose_request(settings: Settings) -> dict[str, State]:
    own = json.dumps(settings.data_prep.request())  # JSON is JSONata
    return {
        "HasRequest": choice(("$exists($states.input.request)", "Open"), otherwise="UseStageRequest"),
        "UseStageRequest": {
            "Type": "Pass",
            "Output": keep(request=own),
            "Next": "Open",
        },
    }


def _request(settings: Settings) -> str:
    """The request, with the images of production that the input names; their weight is the stage's where the
    input says none."""
    request, field = "$states.input.request", "$states.input.field"
    weighed = f"$merge([{json.dumps({'weight': settings.data_prep.field_weight})}, {field}])"
    return f"{{% $exists({field}) ? $merge([{request}, {{'field': {weighed}}}]) : {request} %}}"


def _prepare(settings: Settings, partition: str, bucket: str, function: str) -> dict[str, State]:
    """From the request to a sealed dataset that everybody finds by a parameter."""
    data = settings.data_prep

    def step(name: str, next_state: str, output: str) -> State:
        """One call of the Lambda; `open` takes the request, all others the dataset's id.

        The request's list may change while the pipeline runs: it is read once.
        """
        given = {"request": _request(settings)} if name == "open" else DATASET_ID
        retry = lambda_fault(TRANSFER_FAILED)
        return task(function, {"step": name, **given}, Retry=retry, Output=output, next_state=next_state)

    def batches(name: str, list_of: str, next_state: str, *, size: int = 1) -> State:
        """The Lambda over batches of the items in the JSON array that `list_of` names, in parallel."""
        worker = {"Type": "Task", "Resource": function, "Retry": lambda_fault(TRANSFER_FAILED), "End": True}
        return distributed_map(
            partition=partition,
            items={"Bucket": bucket, "Key": f"{{% $states.input.{list_of}.key %}}"},
            worker={f"{name.capitalize()}Batch": worker},
            batch={"MaxItemsPerBatch": size, "BatchInput": {"step": name, **DATASET_ID}},
            results={
                "Bucket": bucket,
                "Prefix": f"{{% '{Prefix.RUNS}' & $states.input.dataset.dataset_id & '/map-{name}' %}}",
            },
            MaxConcurrency=data.max_concurrency,
            Next=next_state,
        )

    def is_any(count: str, some: str, none: str) -> State:
        """No map is started over an empty list, of which no public text says what becomes: a run that is
        taken up again may have nothing left, and what a faulty list leads to is said by the step behind.
        """
        return choice((f"$states.input.{count} = 0", none), otherwise=some)

    return {
        "Open": step("open", "IsSealed", keep(dataset="$states.result")),
        "IsSealed": choice(("$states.input.dataset.sealed", "PublishDataset"), otherwise="IsAnyToIndex"),
        "IsAnyToIndex": is_any("dataset.parts.count", "Index", "Plan"),
        "Index": batches("index", "dataset.parts", "Plan"),
        "Plan": step("plan", "IsAnyToArrange", keep(plan="$states.result")),
        "IsAnyToArrange": is_any("plan.to_do", "Arrange", "NeedsShards"),
        "Arrange": batches("arrange", "plan.work_list", "NeedsShards", size=data.batch_size),
        "NeedsShards": choice(("$states.input.plan.shards", "AssignShards"), otherwise="Seal"),
        "AssignShards": step("assign_shards", "IsAnyToPack", keep(shards="$states.result")),
        "IsAnyToPack": is_any("shards.shards", "Pack", "Seal"),
        "Pack": batches("pack", "shards.work_list", "Seal"),
        "Seal": step("seal", "PublishDataset", "{% $states.input %}"),
        "PublishDataset": task(
            f"arn:{partition}:states:::aws-sdk:ssm:putParameter",
            {
                "Name": Names(settings.stage).parameter("dataset"),
                "Value": "{% $states.input.dataset.uri %}",
                "Type": "String",
                "Overwrite": True,
            },
            Output="{% $states.input %}",
            next_state="HasCandidate",
        ),
    }


def _train(
    settings: Settings,
    partition: str,
    weights: str,
    staging: dict[str, str],
    parents: str,
    tuning_job: dict[str, Any],
) -> dict[str, State]:
    """From the dataset to the best trial's model; a model that came with the request goes to the gate."""
    start = "FindParents" if parents else "Tune"
    first = "StageWeights" if weights else start
    states = {
        "HasCandidate": choice(
            ("$exists($states.input.candidate.model_data)", "ReadEvaluationImage"), otherwise=first
        ),
        **({"StageWeights": _stage_weights(weights, staging, start)} if weights else {}),
        "Tune": _tune(settings, partition, tuning_job),
        "HasBestTrial": choice(
            ("$states.input.tuning.job.best = ''", "NoTrialFinished"), otherwise="DescribeBest"
        ),
    }
    if parents:
        states["FindParents"] = find_parents(settings=settings, function=parents, tuning_job=tuning_job)
    before, after = NO_TRIAL.format(name="{name}", objective=OBJECTIVE).split("{name}")
    states["NoTrialFinished"] = {
        "Type": "Fail",
        "Error": "NoTrialFinished",
        "Cause": f"{{% '{before}' & $states.input.tuning.job.name & '{after}' %}}",
    }
    states["DescribeBest"] = task(
        f"arn:{partition}:states:::aws-sdk:sagemaker:describeTrainingJob",
        {"TrainingJobName": "{% $states.input.tuning.job.best %}"},
        Output={
            "dataset": "{% $states.input.dataset %}",
            "candidate": {
                "training_job": "{% $states.result.TrainingJobName %}",
                "model_data": "{% $states.result.ModelArtifacts.S3ModelArtifacts %}",
            },
        },
        next_state="ReadEvaluationImage",
    )
    return states


def _stage_weights(function: str, request: dict[str, str], next_state: str) -> State:
    retry = lambda_fault("WeightsUnavailable", attempts=3)
    return task(function, request, Retry=retry, Output="{% $states.input %}", next_state=next_state)


def _tune(settings: Settings, partition: str, tuning_job: dict[str, Any]) -> State:
    best = "$states.result.BestTrainingJob.TrainingJobName"
    warm = settings.training.starts_warm
    return job_state(
        partition=partition,
        kind="HyperParameterTuningJob",
        name=job_name(Names(settings.stage).tuning_jobs),
        request=tuning_job,
        keep={
            "best": f"$exists({best}) ? {best} : ''",
            "name": "$states.result.HyperParameterTuningJobName",
        },
        error="TuningFailed",
        where="Its training jobs say more: their FailureReason, and /aws/sagemaker/TrainingJobs.",
        result="tuning",
        before=create_with_parents(settings=settings, partition=partition, tuning_job=tuning_job)
        if warm
        else None,
        Next="HasBestTrial",
    )
