"""The account that a trial runs in, what of the stage is there, and what may leave this machine."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.names import Names
from infra.tools.leftovers import buckets, pages, registry_of, stacks_of

ROOT = str(Path(__file__).resolve().parents[3])
_PEOPLE = re.compile(r":(user|assumed-role/[^/\s]+)/[^\s\"',]+")
_ACCOUNT = re.compile(r"(?<![0-9A-Za-z-])[0-9]{8}([0-9]{4})(?![0-9A-Za-z-])")


def redacted(text: str, *, number: str) -> str:
    """Of every account's number the last four digits stay; `number` is the caller's, also within names."""
    shorter = text.replace(number, f"…{number[-4:]}").replace(ROOT, ".")
    return _PEOPLE.sub(r":\1/…", _ACCOUNT.sub(r"…\1", shorter))


class Account:
    """Clients with the operator's own credentials in `region`."""

    def __init__(self, region: str) -> None:
        self._session = boto3.Session(region_name=region)
        self.region = region
        self.number: str = self.client("sts").get_caller_identity()["Account"]

    @cache  # noqa: B019  (there is one account in a trial)
    def client(self, service: str) -> Any:
        """A boto3 client of a service."""
        config = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10, read_timeout=70)
        return self._session.client(service, config=config)

    def redacted(self, text: str) -> str:
        """`text` without what is nobody's business."""
        return redacted(text, number=self.number)

    def stacks(self, names: Names) -> dict[str, str]:
        """The stage's stacks and their statuses."""
        return stacks_of(self.client("cloudformation"), names)

    def left(self, names: Names) -> list[str]:
        """What of the stage is there, by its fixed names."""
        return [f"{kind} {name}" for kind, name in self._left(names)]

    def _left(self, names: Names) -> Iterator[tuple[str, str]]:
        for stack in self.stacks(names):
            yield "stack", stack
        for bucket in buckets(self.client("s3"), prefix=f"{names.prefix}-"):
            yield "bucket", bucket
        group = registry_of(self.client("sagemaker"), group=names.model_package_group)
        if group:
            yield "model package group", names.model_package_group
        for repository in pages(self.client("ecr"), "describe_repositories", "repositories"):
            if repository["repositoryName"].startswith(f"{names.prefix}-"):
                yield "repository", repository["repositoryName"]
        where = {"Path": names.parameters, "Recursive": True}
        for parameter in pages(self.client("ssm"), "get_parameters_by_path", "Parameters", **where):
            yield "parameter", parameter["Name"]
        where = {"NameContains": names.endpoint}
        for endpoint in pages(self.client("sagemaker"), "list_endpoints", "Endpoints", **where):
            if endpoint["EndpointName"] == names.endpoint:
                yield "endpoint", names.endpoint

    def failures(self, names: Names, *, since: float) -> list[str]:
        """CloudFormation's reasons for what failed in the stage's stacks after `since` (POSIX)."""
        client, found = self.client("cloudformation"), list[str]()
        for stack in self.stacks(names):
            for event in client.describe_stack_events(StackName=stack)["StackEvents"]:
                failed = event.get("ResourceStatus", "").endswith("_FAILED")
                reason = event.get("ResourceStatusReason", "")
                if failed and event["Timestamp"].timestamp() >= since and "cancelled" not in reason:
                    found.append(f"{stack} {event['LogicalResourceId']} ({event['ResourceType']}): {reason}")
        return found


def words_of(error: ClientError) -> str:
    """Code and message of an AWS error."""
    answer = error.response.get("Error", {})
    return f"{error.operation_name}: {answer.get('Code', '')}: {answer.get('Message', '')}"
