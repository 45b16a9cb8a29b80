"""Starts and stops an embedded cloud from Python: for tests and the demo."""

import json
import shlex
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from embedded_cloud.environment import client_environment, neutral_environment
from embedded_cloud.hosting.model_server import free_port
from embedded_cloud.identity import REGION
from embedded_cloud.server import READY
from embedded_cloud.settings import Project, Settings

_READY_SECONDS = 60.0
_STOP_SECONDS = 30.0
_TAIL_LINES = 20


class CloudError(Exception):
    """The embedded cloud did not start (then with the end of its log), or cannot do what was asked."""


class Cloud:
    """An embedded cloud in a process of its own, for the length of a `with` block.

    It ends with the block, also after an exception or Ctrl-C, and when this process dies. `log` is called
    once where the server's log is. It speaks HTTPS (and on a second port without, `plain_url`, to see it
    refused) and holds everybody to IAM policies and signatures; only the account's owner, with the keys
    test/test, may do everything.
    `project` names the programs that run in place of container images (None: none), `longest_bake_seconds`
    bounds the watching of a rollout (see Settings).

        with Cloud(data_dir=folder) as cloud:
            cloud.client("s3").create_bucket(Bucket="bins")
    """

    module = "embedded_cloud"
    """What `python -m` runs; a subclass may name another that changes something and then serves."""

    def __init__(
        self,
        *,
        data_dir: Path,
        port: int | None = None,
        log: Callable[[str], None] | None = None,
        project: Project | None = None,
        server_start_seconds: float = 60.0,
        longest_bake_seconds: float = 10.0,
    ) -> None:
        self._settings = Settings(
            port=port or free_port(),
            data_dir=data_dir.resolve(),
            plain_port=free_port(),
            project=project or Project(),
            server_start_seconds=server_start_seconds,
            longest_bake_seconds=longest_bake_seconds,
        )
        self._log: Callable[[str], None] = log or (lambda _: None)
        self._session = boto3.Session(region_name=REGION)
        self._clients: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self.log_file = self._settings.data_dir / "cloud.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where every AWS API answers."""
        return self._settings.endpoint_url

    @property
    def plain_url(self) -> str:
        """Where the cloud answers without TLS."""
        assert self._settings.plain_url is not None
        return self._settings.plain_url

    @property
    def certificate_bundle(self) -> Path:
        """What callers trust: the system's roots and the cloud's own certificate."""
        return self._settings.certificate_bundle

    @property
    def client_file(self) -> Path:
        """While it runs: the variables of `environment` as a JSON object, for other processes."""
        return self._settings.client_file

    def api_url(self, url: str) -> str:
        """Where an API answers here whose address on AWS is `url`: `https://<id>.execute-api.…/<stage>/…`."""
        host, _, path = url.removeprefix("https://").partition("/")
        return f"{self.url}/_aws/execute-api/{host.split('.')[0]}/{path}"

    @property
    def pid(self) -> int:
        """The server's process id. Raises CloudError before `start`."""
        if self._process is None:
            raise CloudError("the embedded cloud is not started: use it in a `with` block")
        return self._process.pid

    def environment(self) -> dict[str, str]:
        """The variables with which AWS SDKs, the AWS CLI and the CDK reach this cloud; add them to a
        process's own.
        """
        return client_environment(self._settings)

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client as the account's owner; `options` go to `boto3.client` (other keys, for example).

        Clients without options are made once: making one takes up to half a second.
        """
        defaults: dict[str, Any] = {
            "endpoint_url": self.url,
            "region_name": REGION,
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
            "verify": str(self._settings.certificate),
            "config": Config(
                retries={"max_attempts": 2, "mode": "standard"},
                max_pool_connections=64,
                # sync-states.… is an address of AWS alone; boto3's stubs know no such parameter
                inject_host_prefix=False,  # pyright: ignore[reportCallIssue]
            ),
        }
        if options:
            return self._session.client(service, **{**defaults, **options})
        if service not in self._clients:
            self._clients[service] = self._session.client(service, **defaults)
        return self._clients[service]

    def interrupt_training_job(self, name: str) -> None:
        """Takes the instance of a managed spot job away while it trains: SIGKILL, and a new start from its
        checkpoints in S3. Raises CloudError where there is no such job.
        """
        trust = ssl.create_default_context(cafile=str(self._settings.certificate))
        url = f"{self.url}/_embedded-cloud/training-jobs/{name}/interrupt"
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="POST"), context=trust).close()
        except urllib.error.HTTPError as error:
            raise CloudError(json.load(error)["message"]) from error

    def start(self) -> None:
        """Starts the server and waits until it is ready. Raises CloudError with the end of its log."""
        self._settings.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("wb") as output:
            self._process = subprocess.Popen(
                self._command(),
                env=self._server_environment(),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_ready(self._process)
        except BaseException:
            self.stop()
            raise
        self._log(f"{READY}{self.url}, log in {self.log_file}")

    def stop(self) -> None:
        """Ends the server and everything that it started; does nothing where it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        process.terminate()
        try:
            process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while READY.encode() not in self.log_file.read_bytes():
            if process.poll() is not None:
                raise CloudError(
                    f"the embedded cloud ended with exit code {process.returncode}.\n{self._tail()}"
                )
            if time.monotonic() > deadline:
                raise CloudError(
                    f"the embedded cloud was not ready within {_READY_SECONDS:.0f} s.\n{self._tail()}"
                )
            time.sleep(0.05)

    def _command(self) -> list[str]:
        settings = self._settings
        command = [
            sys.executable,
            "-m",
            self.module,
            "serve",
            "--port",
            str(settings.port),
            "--until-stdin-closes",
        ]
        project = settings.project
        command += ["--data", str(settings.data_dir), "--project", str(project.folder.resolve())]
        if project.server_command:
            command += ["--server-command", shlex.join(project.server_command)]
        if project.server_repository:
            command += ["--server-repository", project.server_repository]
        for folder in project.python_path:
            command += ["--python-path", str(folder.resolve())]
        command += ["--server-start-seconds", str(settings.server_start_seconds)]
        command += ["--longest-bake-seconds", str(settings.longest_bake_seconds)]
        return [*command, "--plain-port", str(settings.plain_port)]

    def _server_environment(self) -> dict[str, str]:
        """This process's environment without its account, which must not reach jobs and Lambdas."""
        # The CDK's Node Lambdas (it empties buckets with one) find the AWS SDK here, as in Lambda's own
        # runtime.
        modules = str(self._settings.project.folder.resolve() / "node_modules")
        return {**neutral_environment(), "PYTHONUNBUFFERED": "1", "NODE_PATH": modules}

    def _tail(self) -> str:
        lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])
