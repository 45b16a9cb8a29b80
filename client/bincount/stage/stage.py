"""A deployed stage: its names (docs/contracts.md) and the AWS clients that reach it."""

import json
import os
import re
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError

from bincount.errors import BincountError

if TYPE_CHECKING:
    import boto3
    from botocore.credentials import Credentials

VARIABLE = "BINCOUNT_CLOUD"


def embedded_cloud(client_file: Path | None = None) -> dict[str, str]:
    """The variables with which AWS clients reach it: AWS_ENDPOINT_URL, keys, region, AWS_CA_BUNDLE.

    They are in `client_file`, or in the file that the variable BINCOUNT_CLOUD names; {} where neither is
    given, which means AWS. Raises BincountError where that cloud does not run.
    """
    named = client_file or os.environ.get(VARIABLE)
    if not named:
        return {}
    path = Path(named)
    if path.is_file():
        variables: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        if _answers(variables["AWS_ENDPOINT_URL"]):
            return variables
    raise BincountError(
        f"no embedded cloud runs at {named}: start one with `KEEP=1 make demo`, set {VARIABLE} to its "
        f"client.json, or unset {VARIABLE} to reach AWS"
    )


def _answers(url: str) -> bool:
    """Whether something listens there; a killed cloud leaves its file behind."""
    parts = urlsplit(url)
    if parts.hostname != "127.0.0.1" or parts.port is None:
        return False
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=5).close()
    except OSError:
        return False
    return True


STAGE_NAME = re.compile(r"[a-z][a-z0-9]{0,9}")  # as infra/settings takes it
_CONNECT_SECONDS = 10
_READ_SECONDS = 70  # an endpoint may take 60 s to answer


class Stage:
    """One stage of the project in one account and region, or in an embedded cloud.

    `region` and `profile` are the AWS SDK's; None takes AWS_REGION, else the SDK's own defaults. Where
    `cloud` or the variable BINCOUNT_CLOUD names the client.json of an embedded cloud, neither counts, nor do
    credentials of the environment: that cloud is reached and nothing else.
    Raises BincountError for a name that no stage has, an unknown profile, or where that cloud does not run.
    """

    def __init__(
        self,
        name: str,
        *,
        region: str | None = None,
        profile: str | None = None,
        connections: int = 32,
        cloud: Path | None = None,
    ) -> None:
        if not STAGE_NAME.fullmatch(name):
            raise BincountError(
                f"{name!r} cannot be a stage: its name has at most 10 letters a-z and digits, as in cdk.json"
            )
        self.name = name
        self._connections = connections
        self._variables = embedded_cloud(cloud)
        self._session = self._open(region, profile)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def prefix(self) -> str:
        """What every name starts with; also the endpoint and the model package group."""
        return f"bincount-{self.name}"

    @property
    def is_embedded(self) -> bool:
        """Whether it is the embedded cloud here: no proxy, profile or key of the environment counts."""
        return bool(self._variables)

    @property
    def region(self) -> str:
        """The AWS region. Raises BincountError where none is set."""
        if not self._session.region_name:
            raise BincountError("no AWS region is set: pass --region or set AWS_REGION")
        return self._session.region_name

    def parameter(self, what: str) -> str:
        """The SSM parameter's name: `model`, `dataset` or `image`."""
        return f"/bincount/{self.name}/{what}"

    def state_machine(self, what: str) -> str:
        """The ARN of `pipeline`, `release` or `recount`."""
        client = self.client("stepfunctions")
        account = self.client("sts").get_caller_identity()["Account"]
        name = f"{self.prefix}-{what}"
        return f"arn:{client.meta.partition}:states:{self.region}:{account}:stateMachine:{name}"

    def output(self, part: str, key: str) -> str | None:
        """An output of the stack `part`; None where the stack has none of that name."""
        stacks = self.client("cloudformation").describe_stacks(StackName=f"{self.prefix}-{part}")["Stacks"]
        values = {row["OutputKey"]: row["OutputValue"] for row in stacks[0].get("Outputs", [])}
        return values.get(key)

    @property
    def bucket(self) -> str:
        """The stage's bucket. Raises BincountError where its data stack is of an older version."""
        name = self.output("data", "BucketName")
        if not name:
            raise BincountError(f"the stack {self.prefix}-data has no output BucketName: deploy it again")
        return name

    @property
    def api_url(self) -> str:
        """Where the stage's HTTPS API answers. Raises BincountError where the stage has none.

        In a cloud in one process it answers at `/_aws/execute-api/<id>/<stage>`.
        """
        url = self.output("api", "ApiUrl")
        if not url:
            raise BincountError(f"the stack {self.prefix}-api has no output ApiUrl: deploy this version")
        if not self.is_embedded:
            return url
        parts = urlsplit(url)
        return (
            f"{self._variables['AWS_ENDPOINT_URL']}/_aws/execute-api/{parts.netloc.split('.')[0]}{parts.path}"
        )

    @property
    def credentials(self) -> "Credentials":
        """The caller's botocore credentials. Raises BincountError where there are none."""
        found = self._session.get_credentials()
        if found is None:
            raise BincountError("no AWS credentials found: run `aws sso login` or set AWS_PROFILE")
        return found

    @property
    def ca_bundle(self) -> str | None:
        """The file of trusted certificates, as for the AWS SDK (AWS_CA_BUNDLE); None: the system's."""
        return (self._variables or os.environ).get("AWS_CA_BUNDLE")

    def client(self, service: str) -> Any:
        """A boto3 client of `service`, made once; thread-safe. botocore's standard retries apply."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._new_client(service)
            return self._clients[service]

    def _open(self, region: str | None, profile: str | None) -> "boto3.Session":
        import boto3  # here: half of the start of a command that asks no stage
        import botocore.session

        if self._variables:
            # The session of the embedded cloud must not see profiles and files of real accounts.
            nothing = {name: (None, None, None, None) for name in ("profile", "ca_bundle")}
            files = {name: (None, None, os.devnull, None) for name in ("config_file", "credentials_file")}
            return boto3.Session(
                aws_access_key_id=self._variables["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=self._variables["AWS_SECRET_ACCESS_KEY"],
                region_name=self._variables["AWS_REGION"],
                botocore_session=botocore.session.Session(session_vars={**nothing, **files}),
            )
        try:
            # boto3 reads AWS_DEFAULT_REGION alone; the other SDKs, the CDK and curl's users set AWS_REGION.
            return boto3.Session(
                region_name=region or os.environ.get("AWS_REGION") or None, profile_name=profile
            )
        except BotoCoreError as error:
            raise BincountError(f"{error}: name another profile or correct AWS_PROFILE") from error

    def _new_client(self, service: str) -> Any:
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "max_attempts": 4},
            max_pool_connections=self._connections,
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
        )
        if not self._variables:
            return self._session.client(service, region_name=self.region, config=config)
        return self._session.client(
            service,
            endpoint_url=self._variables["AWS_ENDPOINT_URL"],
            verify=self._variables.get("AWS_CA_BUNDLE"),
            config=config.merge(Config(proxies={})),
        )
