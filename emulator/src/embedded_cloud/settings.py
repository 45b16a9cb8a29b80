"""What one embedded cloud is started with."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_PORT = 4566
TRAINING_TOOLKIT = "sagemaker_pytorch_container.training:main"


@dataclass(frozen=True, kw_only=True)
class Project:
    """Whose programs run in place of container images: there is no Docker here.

    folder: where servers and processing jobs run, as in an image's working directory; `node_modules` in it is
    what Lambdas of Node find.
    server_command: what runs in place of a serving image; `{model_dir}` and `{port}` are filled in. None: a
    model cannot be deployed, and says so.
    server_repository: the name of the ECR repository whose images it replaces. Beside it are those that the
    cloud's CodeBuild has pushed. None: those alone.
    python_path: folders that these programs import from beside their own.
    """

    folder: Path = field(default_factory=Path.cwd)
    server_command: Sequence[str] | None = None
    server_repository: str | None = None
    python_path: Sequence[Path] = ()

    @property
    def python_path_variable(self) -> str:
        """PYTHONPATH of the project's programs."""
        return os.pathsep.join(map(str, self.python_path))

    @property
    def images(self) -> str:
        """Which images these programs replace, for messages."""
        named = f"images of the repository {self.server_repository!r} and " if self.server_repository else ""
        return f"{named}images that its own CodeBuild has pushed and the role may pull"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of one embedded cloud.

    port: TCP port on 127.0.0.1.
    data_dir: everything that the cloud writes is below it.
    plain_port: a second TCP port that answers over plain HTTP, so that what policies say of
    `aws:SecureTransport` can be seen; None for no such port.
    project: whose programs run in place of container images.
    server_start_seconds: how long a server may take until `/ping` answers 200.
    stop_grace_seconds: how long a process may take to end after SIGTERM before SIGKILL.
    longest_bake_seconds: a step of an endpoint's blue/green update is watched for its own time, but no
    longer than this: five minutes a step are for a real fleet.
    """

    port: int
    data_dir: Path
    plain_port: int | None = None
    project: Project = field(default_factory=Project)
    server_start_seconds: float = 60.0
    stop_grace_seconds: float = 30.0
    longest_bake_seconds: float = 10.0

    @property
    def endpoint_url(self) -> str:
        """Where every AWS API of this cloud answers."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def plain_url(self) -> str | None:
        """Where this cloud answers without TLS, or None."""
        return f"http://127.0.0.1:{self.plain_port}" if self.plain_port else None

    @property
    def client_file(self) -> Path:
        """While the cloud runs: the variables with which clients reach it, as a JSON object."""
        return self.data_dir / "client.json"

    @property
    def temporary_dir(self) -> Path:
        """TMPDIR of the cloud and of everything it starts."""
        return self.data_dir / "tmp"

    @property
    def certificate(self) -> Path:
        """The server's self-signed certificate, which clients must trust."""
        return self.temporary_dir / "ministack-tls" / "server.crt"

    @property
    def certificate_bundle(self) -> Path:
        """The system's roots and the server's certificate in one file."""
        return self.certificate.with_name("trusted.pem")

    @property
    def jobs_dir(self) -> Path:
        """One folder for each training job is here: the `/opt/ml` of that job."""
        return self.data_dir / "jobs"

    @property
    def models_dir(self) -> Path:
        """One folder for each running server is here: its unpacked model."""
        return self.data_dir / "models"
