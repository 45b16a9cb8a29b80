"""AWS clients that talk to this embedded cloud, as its owner or as a role."""

import threading
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config

from embedded_cloud.environment import client_environment
from embedded_cloud.identity import REGION
from embedded_cloud.settings import Settings

Credentials = dict[str, str]
RoleCredentials = Callable[[str, str], Credentials]


class Aws:
    """Makes and keeps boto3 clients.

    `role_credentials(role_arn, session)` returns the variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`
    and `AWS_SESSION_TOKEN` of a session of that role.
    """

    def __init__(self, *, settings: Settings, role_credentials: RoleCredentials) -> None:
        self._settings = settings
        self._role_credentials = role_credentials
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def environment(self, *, role: str, session: str) -> dict[str, str]:
        """The variables with which a process of `role` reaches this cloud."""
        return {**client_environment(self._settings), **self._role_credentials(role, session)}

    def client(self, service: str, *, role: str | None = None) -> Any:
        """A boto3 client of `service` (boto3's name), with the rights of `role` or of the owner."""
        role = role or ""
        with self._lock:
            if (service, role) not in self._clients:
                self._clients[service, role] = self._new_client(service, role)
            return self._clients[service, role]

    def _new_client(self, service: str, role: str) -> Any:
        keys = self._role_credentials(role, "embedded-cloud") if role else {}
        return boto3.Session(region_name=REGION).client(
            service,
            endpoint_url=self._settings.endpoint_url,
            aws_access_key_id=keys.get("AWS_ACCESS_KEY_ID", "test"),
            aws_secret_access_key=keys.get("AWS_SECRET_ACCESS_KEY", "test"),
            aws_session_token=keys.get("AWS_SESSION_TOKEN"),
            verify=str(self._settings.certificate),
            config=Config(retries={"max_attempts": 2, "mode": "standard"}, max_pool_connections=32),
        )


def split_s3_uri(uri: str) -> tuple[str, str]:
    """`s3://bucket/key` as (bucket, key); raises ValueError for anything else."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise ValueError(f"expected an address of the form s3://bucket/key, got {uri!r}")
    return bucket, key
