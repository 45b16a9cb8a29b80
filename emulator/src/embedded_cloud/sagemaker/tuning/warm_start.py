"""WarmStartConfig: which earlier tuning jobs a new one may learn from, and what their best trial was.

The rules are those of SageMaker's developer guide, "Warm Start Tuning Restrictions".
"""

from typing import Any

from embedded_cloud.errors import validation_error
from embedded_cloud.sagemaker.store import Record, Store
from embedded_cloud.sagemaker.tuning.sampler import Sample

IDENTICAL = "IdenticalDataAndAlgorithm"
MOST_TRAINING_JOBS = 500
_ENDED = ("Completed", "Stopped", "Failed")
_OBJECTIVE = "HyperParameterTuningJobObjective"
_GROUPS = ("IntegerParameterRanges", "ContinuousParameterRanges", "CategoricalParameterRanges")


def parents_of(request: dict[str, Any], store: Store) -> list[Record]:
    """The records of the request's parents. Raises AwsError for one that is not there or may not be one."""
    warm_start = request.get("WarmStartConfig")
    if not warm_start:
        return []
    names = [each["HyperParameterTuningJobName"] for each in warm_start["ParentHyperParameterTuningJobs"]]
    if len(set(names)) < len(names):
        raise validation_error(f"WarmStartConfig names a parent twice: {', '.join(names)}.")
    parents = [store.get(name) for name in names]
    for parent in parents:
        _check(request, parent, identical=warm_start["WarmStartType"] == IDENTICAL)
    launched = sum(sum(parent["TrainingJobStatusCounters"].values()) for parent in parents)
    own = request["HyperParameterTuningJobConfig"]["ResourceLimits"].get("MaxNumberOfTrainingJobs", 0)
    if launched + own > MOST_TRAINING_JOBS:
        raise validation_error(
            f"MaxNumberOfTrainingJobs is {own} and the parents launched {launched} training jobs, together "
            f"more than {MOST_TRAINING_JOBS}."
        )
    return parents


def best_of(parents: list[Record], objective: dict[str, str]) -> dict[str, Any] | None:
    """The summary of the best training job of all `parents`; None where none has a value."""
    found = [parent["BestTrainingJob"] for parent in parents if "BestTrainingJob" in parent]
    if not found:
        return None
    choose = max if objective["Type"] == "Maximize" else min
    return choose(found, key=lambda each: each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


def start_of(parents: list[Record], objective: dict[str, str]) -> Sample | None:
    """The hyperparameters near which a job with these parents begins: all of its best trial, static too."""
    best = best_of(parents, objective)
    if best is None:
        return None
    (parent,) = [each for each in parents if each.get("BestTrainingJob") is best]
    static = parent["TrainingJobDefinition"].get("StaticHyperParameters", {})
    return {**static, **best["TunedHyperParameters"]}


def _check(request: dict[str, Any], parent: Record, *, identical: bool) -> None:
    name, status = parent["HyperParameterTuningJobName"], parent["HyperParameterTuningJobStatus"]
    if status not in _ENDED:
        raise validation_error(
            f"The parent tuning job {name} is in status {status}, and must be in one of {', '.join(_ENDED)}."
        )
    config, theirs = request["HyperParameterTuningJobConfig"], parent["HyperParameterTuningJobConfig"]
    if config[_OBJECTIVE] != theirs[_OBJECTIVE]:
        raise validation_error(
            f"The objective {config[_OBJECTIVE]} differs from that of the parent tuning job {name}, "
            f"{theirs[_OBJECTIVE]}."
        )
    own, other = _kinds(request), _kinds(parent)
    if len(own) != len(other):
        raise validation_error(
            f"The total number of static and tunable hyperparameters is {len(own)}, but {len(other)} in the "
            f"parent tuning job {name}: it must remain the same."
        )
    both = own.keys() & other.keys()
    changed = [key for key in both if own[key] and other[key] and own[key] != other[key]]
    if changed:
        raise validation_error(
            f"The type of {sorted(changed)} differs from that in the parent tuning job {name}."
        )
    if identical and _fixed(request) != _fixed(parent):
        raise validation_error(
            f"{IDENTICAL} takes the training image and the input data of the parent tuning job {name}: take "
            "TransferLearning."
        )


def _kinds(job: dict[str, Any]) -> dict[str, str]:
    """Every hyperparameter with the group of its range, "" for a static one."""
    ranges = job["HyperParameterTuningJobConfig"].get("ParameterRanges", {})
    static = job["TrainingJobDefinition"].get("StaticHyperParameters", {})
    tuned = {each["Name"]: group for group in _GROUPS for each in ranges.get(group, [])}
    return {**dict.fromkeys(static, ""), **tuned}


def _fixed(job: dict[str, Any]) -> tuple[Any, Any]:
    definition = job["TrainingJobDefinition"]
    return definition["AlgorithmSpecification"]["TrainingImage"], definition.get("InputDataConfig")
