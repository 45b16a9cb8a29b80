"""What a stage looks like now, as lines for people."""

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from bincount.prices import dollars, shown_dollars
from bincount.stage import Stage
from bincount.training_jobs import jobs_since, total_cost

_NOT_THERE = ("ValidationError", "ValidationException", "StateMachineDoesNotExist", "ParameterNotFound")
PARTS = ("data", "training", "serving", "recount", "front", "operations")


def stage_status(stage: Stage) -> dict[str, str]:
    """{what: how it is}. Raises botocore's ClientError where the caller may not look."""
    lines = {f"stack {stage.prefix}-{part}": _stack(stage, part) for part in PARTS}
    endpoint = _endpoint(stage)
    lines["endpoint"] = _shown_endpoint(endpoint)
    lines["approved model"] = _parameter(stage, "model")
    lines["latest dataset"] = _parameter(stage, "dataset")
    for machine in ("pipeline", "release", "recount"):
        lines[f"last {machine}"] = _last_run(stage, machine)
    lines["alarms"] = _alarms(stage)
    lines["spend this month (estimate)"] = _spend(stage, endpoint)
    return lines


def _stack(stage: Stage, part: str) -> str:
    try:
        answer = stage.client("cloudformation").describe_stacks(StackName=f"{stage.prefix}-{part}")
    except ClientError as error:
        return _absent(error, "not deployed")
    return answer["Stacks"][0]["StackStatus"]


def _endpoint(stage: Stage) -> dict[str, Any] | None:
    try:
        return stage.client("sagemaker").describe_endpoint(EndpointName=stage.prefix)
    except ClientError as error:
        _absent(error, "")
        return None


def _shown_endpoint(endpoint: dict[str, Any] | None) -> str:
    if endpoint is None:
        return "none: no model is approved yet"
    variants = endpoint.get("ProductionVariants", [])
    count = sum(variant.get("CurrentInstanceCount", 0) for variant in variants)
    reason = f": {endpoint['FailureReason']}" if "FailureReason" in endpoint else ""
    return f"{endpoint['EndpointName']} is {endpoint['EndpointStatus']}, {count} instance(s){reason}"


def _parameter(stage: Stage, what: str) -> str:
    try:
        answer = stage.client("ssm").get_parameter(Name=stage.parameter(what))
    except ClientError as error:
        return _absent(error, "not deployed")
    return answer["Parameter"]["Value"]


def _last_run(stage: Stage, machine: str) -> str:
    try:
        runs = stage.client("stepfunctions").list_executions(
            stateMachineArn=stage.state_machine(machine), maxResults=1
        )["executions"]
    except ClientError as error:
        return _absent(error, "not deployed")
    if not runs:
        return "never"
    run = runs[0]
    return f"{run['status']}, started {run['startDate'].astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _alarms(stage: Stage) -> str:
    answer = stage.client("cloudwatch").describe_alarms(AlarmNamePrefix=stage.prefix)
    alarms = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    loud = sorted(alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM")
    if not alarms:
        return "none are set up"
    return f"ALARM: {', '.join(loud)}" if loud else f"{len(alarms)}, none in alarm"


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
    return dollars(kind, seconds=(now - since).total_seconds(), instances=instances)


def _absent(error: ClientError, words: str) -> str:
    """`words` where the error says that there is no such thing; anything else is raised again."""
    if error.response["Error"]["Code"] not in _NOT_THERE:
        raise error
    return words
