"""What a destroyed stage left in its account, found by the tags and names that no destruction takes away."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from infra.names import PART, Names

NO_TAGS = ("NoSuchTagSet", "NoSuchBucket", "AccessDeniedException")


class StacksRemain(Exception):
    """The stage is still deployed; the text names its stacks."""


def require_destroyed(cloudformation: Any, names: Names, *, first: str) -> None:
    """Raises StacksRemain, which ends with what to do `first`, where a stack of the stage is there."""
    found = stacks_of(cloudformation, names)
    if found:
        raise StacksRemain(f"still deployed: {', '.join(sorted(found))}: {first}")


def stacks_of(cloudformation: Any, names: Names) -> dict[str, str]:
    """{name: status} of the stage's stacks."""
    found = pages(cloudformation, "describe_stacks", "Stacks")
    return {s["StackName"]: s["StackStatus"] for s in found if s["StackName"].startswith(f"{names.prefix}-")}


def buckets(s3: Any, *, prefix: str) -> list[str]:
    """The buckets of the client's region whose names begin with `prefix`.

    S3 lists an account's buckets of all regions, and a stage of the same name may be in another one.
    """
    region = s3.meta.region_name
    return [each["Name"] for each in pages(s3, "list_buckets", "Buckets", Prefix=prefix, BucketRegion=region)]


def buckets_of(s3: Any, *, part: str) -> list[str]:
    """The buckets of the client's region with the tag `part` (`<stack>/<construct>`)."""
    found: list[str] = []
    for name in buckets(s3, prefix="bincount-"):
        try:
            tags = s3.get_bucket_tagging(Bucket=name)["TagSet"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in NO_TAGS:
                raise
            continue
        if {"Key": PART, "Value": part} in tags:
            found.append(name)
    return found


def keys_of(kms: Any, *, part: str) -> list[str]:
    """The ids of the keys with the tag `part` that are not on their way out already."""
    found: list[str] = []
    for key in pages(kms, "list_keys", "Keys"):
        try:
            tags = kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]
        except ClientError as error:  # another's key, which may be closed to us
            if error.response["Error"]["Code"] not in NO_TAGS:
                raise
            continue
        if {"TagKey": PART, "TagValue": part} in tags:
            state = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"]
            found += [key["KeyId"]] * (state != "PendingDeletion")
    return found


def registry_of(sagemaker: Any, *, group: str) -> str | None:
    """The ARN of the model package group of that name, or None."""
    found = pages(sagemaker, "list_model_package_groups", "ModelPackageGroupSummaryList", NameContains=group)
    arns = {each["ModelPackageGroupName"]: each["ModelPackageGroupArn"] for each in found}
    return arns.get(group)


def pages(client: Any, operation: str, member: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    """The items of all pages of an operation that lists."""
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page[member]
