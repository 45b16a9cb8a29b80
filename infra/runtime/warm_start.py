"""Which ended tuning jobs the next one may learn from; a Lambda of the pipeline, which only reads.

The rules are SageMaker's (its developer guide, "Warm Start Tuning Restrictions"). A job that breaks one is
left out, with the reason: the pipeline then goes on without it.
"""

import logging
from collections.abc import Iterator
from itertools import islice
from typing import Any

import boto3
from botocore.exceptions import ClientError

log = logging.getLogger()
log.setLevel(logging.INFO)

LAST = "last"
MOST_JOBS = 500  # training jobs of a tuning job and all its parents together
MOST_CHANGES = 10
KINDS = {
    "IntegerParameterRanges": "integer",
    "ContinuousParameterRanges": "continuous",
    "CategoricalParameterRanges": "categorical",
}
Parameters = dict[str, tuple[str, Any]]
"""Hyperparameters by name: `static` and the value, or the kind of the range and how many values it counts."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"parents", "prefix", "config", "static"}` to `{"parents", "left_out"}`.

    `parents` is LAST (the newest completed job whose name begins with `prefix`) or names; `config` and
    `static` are HyperParameterTuningJobConfig and StaticHyperParameters of the job that is about to start.
    The answer's `parents` are as CreateHyperParameterTuningJob takes them; `left_out` says why others are
    not among them.
    """
    sagemaker = boto3.client("sagemaker")
    names = event["parents"]
    if names == LAST:
        names = [*islice(_completed(sagemaker, event["prefix"]), 1)]
    found: list[str] = []
    left_out = [] if names else [f"no tuning job {event['prefix']}... has completed yet"]
    room = MOST_JOBS - event["config"]["ResourceLimits"]["MaxNumberOfTrainingJobs"]
    for name in names:
        job = _describe(sagemaker, name)
        fault = fault_of(job, config=event["config"], static=event["static"], room=room)
        if fault or job is None:
            left_out.append(f"{name}: {fault}")
            continue
        found.append(name)
        room -= _launched(job)
    for line in left_out:
        log.info(line)
    return {"parents": [{"HyperParameterTuningJobName": name} for name in found], "left_out": left_out}


def fault_of(
    job: dict[str, Any] | None, *, config: dict[str, Any], static: dict[str, str], room: int
) -> str | None:
    """Why SageMaker would refuse `job` (its description) as a parent, or learn nothing from it; else None.

    `room` is how many training jobs a parent may have launched.
    """
    if job is None:
        return "it is not there (deleted?)"
    status = job["HyperParameterTuningJobStatus"]
    if status not in ("Completed", "Stopped", "Failed"):
        return f"it is {status}, and must have ended"
    if not job["ObjectiveStatusCounters"].get("Succeeded"):
        return "none of its training jobs has a value of the objective"
    if _launched(job) > room:
        return f"it launched {_launched(job)} training jobs, and {room} are left of {MOST_JOBS}"
    theirs = job["HyperParameterTuningJobConfig"]
    key = "HyperParameterTuningJobObjective"
    if theirs.get(key) != config[key]:
        return f"its objective is {theirs.get(key)}, not {config[key]}"
    before = _parameters(theirs, job.get("TrainingJobDefinition", {}).get("StaticHyperParameters", {}))
    return _change_fault(before, _parameters(config, static))


def _change_fault(before: Parameters, now: Parameters) -> str | None:
    if len(before) != len(now):
        other = ", ".join(sorted(before.keys() ^ now.keys()))
        return f"it has {len(before)} hyperparameters, not {len(now)} (of one only: {other})"
    for name in sorted(before.keys() & now.keys()):
        kinds = (before[name][0], now[name][0])
        if "static" not in kinds and kinds[0] != kinds[1]:
            return f"{name} was {kinds[0]} and is {kinds[1]}"
    changes = sum(_changes(before[name], now[name]) for name in before.keys() & now.keys())
    if changes > MOST_CHANGES:
        return f"{changes} changes of hyperparameters, more than the {MOST_CHANGES} that SageMaker takes"
    return None


def _changes(before: tuple[str, Any], now: tuple[str, Any]) -> int:
    """A value that was tuned and is static counts once, a categorical one for each value; another static
    value counts for two, as SageMaker's page has it.
    """
    if now[0] != "static":
        return 0
    if before[0] == "static":
        return 2 * (before[1] != now[1])
    return before[1]


def _parameters(config: dict[str, Any], static: dict[str, str]) -> Parameters:
    # SageMaker adds some of its own, which begin so.
    found: Parameters = {name: ("static", value) for name, value in static.items() if name[0] != "_"}
    for group, kind in KINDS.items():
        for limits in config.get("ParameterRanges", {}).get(group, []):
            found[limits["Name"]] = (kind, len(limits.get("Values", "1")))
    return found


def _launched(job: dict[str, Any]) -> int:
    return sum(job["TrainingJobStatusCounters"].values())


def _completed(sagemaker: Any, prefix: str) -> Iterator[str]:
    """Names of completed tuning jobs, newest first."""
    pages = sagemaker.get_paginator("list_hyper_parameter_tuning_jobs").paginate(
        NameContains=prefix, StatusEquals="Completed", SortBy="CreationTime", SortOrder="Descending"
    )
    for page in pages:
        for job in page["HyperParameterTuningJobSummaries"]:
            if job["HyperParameterTuningJobName"].startswith(prefix):
                yield job["HyperParameterTuningJobName"]


def _describe(sagemaker: Any, name: str) -> dict[str, Any] | None:
    try:
        return sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFound":
            raise
        return None
