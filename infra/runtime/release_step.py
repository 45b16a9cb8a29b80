"""Looks at a release's lock, models, endpoint and packages, and says what the state machine does next.

It reads and never writes: its role has no right to. The decisions are those of release_plan.py and
release_outcome.py, given what AWS answered. A call that AWS rejects is an answer, and a decision is made of
it; one that failed otherwise (a throttled call, an answer 5xx, a broken connection) is an error, which Step
Functions tries again.

Environment: `TABLE` (the lock's), `PARAMETER` (the approved model's), `STACK` (the serving one's), `ENDPOINT`
and `GROUP` (of model packages).
"""

import os
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import boto3
import release_outcome
import release_plan
from botocore.config import Config
from botocore.exceptions import ClientError
from release_plan import ROLLED_BACK, Decision, Facts, approved_package, ended_execution, error_of

PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 4})
THROTTLED = ("Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded")


def handler(event: Facts, context: object) -> Decision:
    """`step` is `lock`, `plan`, `served` or `left`; `input` the execution's input, `me` its ARN.

    The other members are variables of the state machine (infra/serving/release/definition.py).
    """
    steps = {"lock": _lock, "plan": _plan, "served": _served, "left": _left}
    return steps[event["step"]](event)


def _lock(event: Facts) -> Decision:
    item = _item()
    other = item.get("holder") and item["holder"] not in (event["me"], ended_execution(event))
    holder = None
    if other and not ended_execution(event):
        holder = _call("stepfunctions", "describe_execution", executionArn=item["holder"])
    return release_plan.lock(event, item, holder, now=_now())


def _plan(event: Facts) -> Decision:
    item = _item()
    own = not item.get("former") and not ended_execution(event)
    package: Facts = {}
    approved: Facts = {}
    parameter: Facts = {}
    if own:
        package = _package(approved_package(event))
        approved = _approved()
        parameter = _parameter()
    return release_plan.plan(event, item, package, approved, parameter)


def _served(event: Facts) -> Decision:
    stack = _call("cloudformation", "describe_stacks", StackName=os.environ["STACK"])
    return release_outcome.served(event, _item(), stack, _parameter(), _endpoint(), now=_now())


def _left(event: Facts) -> Decision:
    item = _item()
    if item.get("kind") == ROLLED_BACK:
        return release_outcome.left(event, item, package={}, too_new=_newer(event, item))
    return release_outcome.left(event, item, package=_package(item.get("package", "")), too_new={})


def _item() -> dict[str, str]:
    """The lock's item, read as it is now."""
    key = {"id": {"S": "release"}}
    found = _call("dynamodb", "get_item", TableName=os.environ["TABLE"], Key=key, ConsistentRead=True)
    if error_of(found):
        raise RuntimeError(f"the lock could not be read: {error_of(found)}")
    return {name: value["S"] for name, value in found.get("Item", {}).items()}


def _parameter() -> Facts:
    return _call("ssm", "get_parameter", Name=os.environ["PARAMETER"])


def _package(name: str) -> Facts:
    return _call("sagemaker", "describe_model_package", ModelPackageName=name)


def _approved() -> Facts:
    """The approved packages, newest first; the newest hundred are enough."""
    return _call(
        "sagemaker",
        "list_model_packages",
        ModelPackageGroupName=os.environ["GROUP"],
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=100,
    )


def _newer(event: Facts, item: Facts) -> Facts:
    """A package that the rollback has to reject, or {}. The list may lag behind, so each is described."""
    approved = _approved()
    if error_of(approved):
        return approved
    for arn in release_outcome.newer(event, item, approved):
        package = _package(arn)
        if package.get("ModelApprovalStatus") == "Approved":
            return package
    return {}


def _endpoint() -> Facts:
    """`status` and `serves`, the address of the model, by the endpoint's config and its model."""
    ask = partial(_call, "sagemaker")
    endpoint = ask("describe_endpoint", EndpointName=os.environ["ENDPOINT"])
    if error_of(endpoint):
        return endpoint
    config = ask("describe_endpoint_config", EndpointConfigName=endpoint["EndpointConfigName"])
    if error_of(config):
        return config
    model = ask("describe_model", ModelName=config["ProductionVariants"][0]["ModelName"])
    if error_of(model):
        return model
    return {"status": endpoint["EndpointStatus"], "serves": model["PrimaryContainer"]["ModelDataUrl"]}


def _call(service: str, operation: str, **arguments: Any) -> Facts:
    """What AWS answers, an error too (`Error`); raises where it could not answer."""
    try:
        return getattr(_client(service), operation)(**arguments)
    except ClientError as error:
        answer: Any = error.response
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500 or answer["Error"]["Code"] in THROTTLED:
            raise
        return answer


@cache
def _client(service: str) -> Any:
    """One for each service as long as the function is warm."""
    return boto3.client(service, config=PATIENT)


def _now() -> datetime:
    return datetime.now(tz=UTC)
