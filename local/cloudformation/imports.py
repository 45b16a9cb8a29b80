"""Resource import of types that ministack cannot import, or lacks."""

from collections.abc import Callable
from typing import Any

from local.errors import AwsError

Handler = dict[str, Any]
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
