"""Callers with as few rights as a test wants, and their requests to an API on a strict cloud."""

import json
import ssl
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from embedded_cloud.cloud import Cloud
from embedded_cloud.identity import ACCOUNT, REGION


@dataclass(frozen=True)
class Caller:
    """An IAM user's keys."""

    key: str
    secret: str

    def environment(self) -> dict[str, str]:
        """The caller's credentials, for a process."""
        return {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret}

    def sign(self, method: str, url: str, headers: dict[str, str], body: bytes) -> dict[str, str]:
        """`headers` with those of a Signature Version 4 for execute-api."""
        request = AWSRequest(method=method, url=url, data=body, headers=headers)
        SigV4Auth(Credentials(self.key, self.secret), "execute-api", REGION).add_auth(request)
        return dict(request.headers.items())

    def client(self, cloud: Cloud, service: str, *, url: str | None = None) -> Any:
        """A boto3 client with the caller's rights; `url` in place of the cloud's own."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=url or cloud.url,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            verify=str(cloud.certificate_bundle),
        )


def new_caller(cloud: Cloud, name: str, *statements: dict[str, Any]) -> Caller:
    """A new IAM user that may do what `statements` (Action, Resource) allow, and nothing else."""
    iam = cloud.client("iam")
    iam.create_user(UserName=name)
    if statements:
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **s} for s in statements]}
        iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=json.dumps(document))
    keys = iam.create_access_key(UserName=name)["AccessKey"]
    return Caller(keys["AccessKeyId"], keys["SecretAccessKey"])


@dataclass(frozen=True)
class Api:
    """An API whose address on AWS is `aws_url` (the stack's output ApiUrl)."""

    cloud: Cloud
    aws_url: str

    @property
    def url(self) -> str:
        """Where the cloud serves the API on this machine."""
        return self.cloud.api_url(self.aws_url)

    @property
    def arn(self) -> str:
        """Every method of it, for a policy."""
        name = self.aws_url.removeprefix("https://").split(".")[0]
        return f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{name}/v1/*"

    def ask(
        self,
        path: str = "/count",
        *,
        method: str = "POST",
        caller: Caller | None = None,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """One request, signed where there is a caller."""
        given = dict(headers or {})
        if caller is not None:
            given = caller.sign(method, self.url + path, given, body)
        trusted = ssl.create_default_context(cafile=str(self.cloud.certificate_bundle))
        return httpx.request(method, self.url + path, headers=given, content=body, verify=trusted, timeout=90)
