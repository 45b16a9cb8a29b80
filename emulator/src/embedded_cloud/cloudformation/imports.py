"""Resource import of types that ministack cannot import, or does not have."""

import contextvars
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from embedded_cloud.errors import AwsError

Handler = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
Lookup = tuple[tuple[str, ...], Callable[..., str | None]]


def bucket_policy_import(handler: Handler) -> Handler:
    """ministack's handler of AWS::S3::BucketPolicy, which a bucket's policy can be imported with."""

    def imported(identifier: dict[str, str]) -> tuple[str, dict[str, Any]]:
        return identifier["Bucket"], {}

    return {**handler, "import": imported}


def import_lookups(*, policies: Any, describe_group: Callable[[str], Any]) -> dict[str, Lookup]:
    """For ministack's table: the keys of each type's identifier, and why one names nothing (or None).

    `policies` is ministack's map of each bucket's policy, `describe_group` raises AwsError where there is no
    such model package group.
    """

    def policy_problem(bucket: str) -> str | None:
        return None if bucket in policies else "The bucket policy does not exist"

    def group_problem(arn: str) -> str | None:
        try:
            describe_group(arn.rsplit("/", 1)[-1])
        except AwsError as error:
            return error.message
        return None

    return {
        "AWS::S3::BucketPolicy": (("Bucket",), policy_problem),
        "AWS::SageMaker::ModelPackageGroup": (("ModelPackageGroupArn",), group_problem),
    }


def with_identifiers(
    summarise: Callable[[dict[str, Any]], Answer],
    *,
    template_of: Callable[[dict[str, Any]], Mapping[str, Any]],
    lookups: Mapping[str, Lookup],
) -> Callable[[dict[str, Any]], Answer]:
    """ministack's GetTemplateSummary with ResourceIdentifierSummaries, which `cdk import` asks for."""

    def run(params: dict[str, Any]) -> Answer:
        status, headers, body = summarise(params)
        if status != 200:
            return status, headers, body
        names: dict[str, list[str]] = {}
        for name, resource in template_of(params).get("Resources", {}).items():
            names.setdefault(str(resource["Type"]), []).append(str(name))
        members = "".join(
            f"<member><ResourceType>{escape(kind)}</ResourceType>"
            f"<LogicalResourceIds>{_members(names[kind])}</LogicalResourceIds>"
            f"<ResourceIdentifiers>{_members(lookups[kind][0])}</ResourceIdentifiers></member>"
            for kind in names
            if kind in lookups
        )
        block = f"<ResourceIdentifierSummaries>{members}</ResourceIdentifierSummaries>"
        end = b"</GetTemplateSummaryResult>"
        return status, headers, body.replace(end, block.encode() + end)

    return run


class ImportedBuckets:
    """Lets a stack take over a bucket that exists (ImportExistingResources).

    ministack holds the names of all a stack's buckets to be free before it deploys, imported ones too.
    `deploying` and `validating` wrap its two functions.
    """

    def __init__(self) -> None:
        self._imported: contextvars.ContextVar[frozenset[str]] = contextvars.ContextVar(
            "imported", default=frozenset()
        )

    def deploying(self, deploy: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        """ministack's deployment, with what it imports remembered."""

        async def run(*arguments: Any, imports: Mapping[str, Any] | None = None, **named: Any) -> None:
            self._imported.set(frozenset(imports or {}))
            await deploy(*arguments, imports=imports, **named)

        return run

    def validating(self, validate: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        """ministack's check of names, of which imported resources are free."""

        def run(*arguments: Any) -> list[Any]:
            imported = self._imported.get()
            found = validate(*arguments)
            return [row for row in found if row[0] not in imported or row[2] != "NAME_CONFLICT_VALIDATION"]

        return run


def _members(values: list[str] | tuple[str, ...]) -> str:
    return "".join(f"<member>{escape(value)}</member>" for value in values)
