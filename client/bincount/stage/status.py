"""What a stage looks like now, as lines for people, and what is wrong with it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from bincount.models.training_jobs import dollars, jobs_since, read_prices, shown_dollars, total_cost
from bincount.stage.last_executions import LastExecution, last_execution, last_release
from bincount.stage.stage import Stage
from bincount.texts import shortened

_NOT_THERE = ("ValidationError", "ValidationException", "StateMachineDoesNotExist", "ParameterNotFound")
PARTS = ("data", "training", "serving", "recount", "api", "operations")
OPTIONAL = ("api",)
"""The setting api.enabled leaves it out."""
NOT_DEPLOYED = "not deployed"
_NO_MODEL = "none"


@dataclass(slots=True, kw_only=True)
class StageStatus:
    """`lines` are {what: how it is}; `problems` what a person has to look at, in short."""

    deployed: bool = False
    lines: dict[str, str] = field(default_factory=dict[str, str])
    problems: list[str] = field(default_factory=list[str])

    @property
    def state(self) -> str:
        """`ok`, `degraded: …`, or `not deployed`."""
        if not self.deployed:
            return NOT_DEPLOYED
        return f"degraded: {'; '.join(self.problems)}" if self.problems else "ok"

    @property
    def is_well(self) -> bool:
        """Whether it is deployed and nothing is wrong with it."""
        return self.deployed and not self.problems


def stage_status(stage: Stage) -> StageStatus:
    """How the stage is. Raises botocore's ClientError where the caller may not look."""
    found = StageStatus()
    busy = _look_at_stacks(stage, found)
    endpoint = _endpoint(stage)
    model = _parameter(stage, "model")
    _look_at_endpoint(endpoint, model, found, busy=busy)
    found.lines["approved model"] = model
    found.lines["latest dataset"] = _parameter(stage, "dataset")
    _look_at_runs(stage, found)
    _look_at_alarms(stage, found)
    found.lines["spend this month (estimate)"] = _spend(stage, endpoint)
    return found


def _look_at_stacks(stage: Stage, found: StageStatus) -> bool:
    """Whether something is being changed just now."""
    statuses = {part: _stack(stage, part) for part in PARTS}
    found.deployed = any(status is not None for status in statuses.values())
    for part, status in statuses.items():
        name = f"stack {stage.prefix}-{part}"
        found.lines[name] = status or NOT_DEPLOYED
        if status is None and part not in OPTIONAL:
            found.problems.append(f"{name} is missing")
        elif status is not None and ("FAILED" in status or "ROLLBACK" in status):
            found.problems.append(f"{name} is {status}")
    return any(status is not None and status.endswith("_IN_PROGRESS") for status in statuses.values())


def _stack(stage: Stage, part: str) -> str | None:
    try:
        answer = stage.client("cloudformation").describe_stacks(StackName=f"{stage.prefix}-{part}")
    except ClientError as error:
        _raise_unless_absent(error)
        return None
    return answer["Stacks"][0]["StackStatus"]


def _endpoint(stage: Stage) -> dict[str, Any] | None:
    try:
        return stage.client("sagemaker").describe_endpoint(EndpointName=stage.prefix)
    except ClientError as error:
        _raise_unless_absent(error)
        return None


def _look_at_endpoint(endpoint: dict[str, Any] | None, model: str, found: StageStatus, *, busy: bool) -> None:
    if endpoint is None:
        words = {NOT_DEPLOYED: "none: the stage is not deployed", _NO_MODEL: "none: no model is approved yet"}
        found.lines["endpoint"] = words.get(model, "none, though a model is approved")
        if model not in words and not busy:
            found.problems.append("a model is approved, but there is no endpoint")
        return
    variants = endpoint.get("ProductionVariants", [])
    count = sum(variant.get("CurrentInstanceCount", 0) for variant in variants)
    reason = f": {endpoint['FailureReason']}" if "FailureReason" in endpoint else ""
    status = endpoint["EndpointStatus"]
    found.lines["endpoint"] = f"{endpoint['EndpointName']} is {status}, {count} instance(s){reason}"
    if status in ("Failed", "OutOfService", "UpdateRollbackFailed"):
        found.problems.append(f"the endpoint is {status}")


def _parameter(stage: Stage, what: str) -> str:
    try:
        answer = stage.client("ssm").get_parameter(Name=stage.parameter(what))
    except ClientError as error:
        _raise_unless_absent(error)
        return NOT_DEPLOYED
    return answer["Parameter"]["Value"]


def _look_at_runs(stage: Stage, found: StageStatus) -> None:
    for machine in ("pipeline", "release", "recount"):
        name = f"last {machine}"
        follow_up: LastExecution | None = None
        try:
            if machine == "release":
                run, follow_up = last_release(stage)
            else:
                run = last_execution(stage, machine)
        except ClientError as error:
            _raise_unless_absent(error)
            found.lines[name] = NOT_DEPLOYED
            continue
        found.lines[name] = "never" if run is None else run.shown()
        if run is not None and run.is_bad:
            words = f": {shortened(run.words, 120)}" if run.words else ""
            found.problems.append(f"the {name} {run.status}{words}")
        if follow_up is not None:
            found.lines["its follow-up"] = follow_up.shown()
            found.problems.append("a release was not put back")


def _look_at_alarms(stage: Stage, found: StageStatus) -> None:
    pages = (
        stage.client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=f"{stage.prefix}-")
    )
    alarms = [
        alarm
        for page in pages
        for kind in ("MetricAlarms", "CompositeAlarms")
        for alarm in page.get(kind, [])
    ]
    loud = sorted(alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM")
    if not alarms:
        found.lines["alarms"] = "none are set up"
        return
    found.lines["alarms"] = f"ALARM: {', '.join(loud)}" if loud else f"{len(alarms)}, none in alarm"
    if loud:
        found.problems.append(f"alarms: {', '.join(loud)}")


def _spend(stage: Stage, endpoint: dict[str, Any] | None) -> str:
    """Training since the month began, and the endpoint as it is now since then or since it was made."""
    now = datetime.now(UTC)
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    training = total_cost(jobs_since(stage, month))
    hosting = (
        0.0 if endpoint is None else _hosting(stage, endpoint, max(month, endpoint["CreationTime"]), now)
    )
    return (
        f"training {shown_dollars(training)}, endpoint {shown_dollars(hosting)} (list prices; "
        "AWS Cost Explorer has the bill)"
    )


def _hosting(stage: Stage, endpoint: dict[str, Any], since: datetime, now: datetime) -> float | None:
    client = stage.client("sagemaker")
    config = client.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    kind = config["ProductionVariants"][0].get("InstanceType", "")
    variants = endpoint.get("ProductionVariants", [])
    instances = sum(variant.get("CurrentInstanceCount", 0) for variant in variants)
    price = read_prices(stage).get(kind)
    return dollars(price, seconds=(now - since).total_seconds(), instances=instances)


def _raise_unless_absent(error: ClientError) -> None:
    """Raises `error` again unless it says that there is no such thing."""
    if error.response["Error"]["Code"] not in _NOT_THERE:
        raise error
