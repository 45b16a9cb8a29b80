"""Callers that are known: the owner's key test/test with a right signature, IAM's keys, sessions of STS.

ministack checks the signatures of users and sessions, but takes the owner's key on its word, takes every
number of 12 digits for the owner of another account, and lets anybody list and make buckets.
"""

from collections.abc import Callable
from typing import Any

OWNER_KEY = "test"
_OF_AN_ACCOUNT = ("s3:ListAllMyBuckets", "s3:CreateBucket")


def is_owner(access_key_id: str) -> bool:
    """Whether a key is the account owner's; no key is what services use among themselves."""
    return access_key_id in ("", OWNER_KEY)


def is_exempt(access_key_id: str) -> bool:
    """Whether a key needs no right signature: none does not."""
    return False


def with_owner_known(identity: Callable[[str], Any], *, account: Callable[[], str]) -> Callable[[str], Any]:
    """ministack's display identity of a key, which asks `is_exempt` whether it is the owner."""

    def run(access_key_id: str) -> Any:
        if access_key_id != OWNER_KEY:
            return identity(access_key_id)
        return {
            "accessKey": access_key_id,
            "accountId": account(),
            "userArn": f"arn:aws:iam::{account()}:root",
            "userId": account(),
            "principalOrgId": None,
            "session": None,
        }

    return run


def refusing_nobody(
    enforce: Callable[..., Any], *, is_anonymous: Callable[[], bool], refuse: Callable[[], Any]
) -> Callable[..., Any]:
    """ministack's decision, which knows nothing that an unsigned request to S3 itself may not do."""

    def run(access_key_id: str, iam_action: str, *others: Any, **named: Any) -> Any:
        if iam_action in _OF_AN_ACCOUNT and not access_key_id and is_anonymous():
            return refuse()
        return enforce(access_key_id, iam_action, *others, **named)

    return run
