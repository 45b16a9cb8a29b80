"""From a model to a server that answers, by the project's program in place of its image."""

import tarfile
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from embedded_cloud.aws import Aws, split_s3_uri
from embedded_cloud.hosting.model_server import ModelServer
from embedded_cloud.identity import ACCOUNT
from embedded_cloud.jobs.output import LogStream
from embedded_cloud.jobs.run import container_environment
from embedded_cloud.settings import Project, Settings


def repository_of(image: str) -> str:
    """The repository in an image's address: `123.dkr.ecr.region.amazonaws.com/bins:1` is `bins`."""
    path = image.split("@", 1)[0]
    first, _, rest = path.partition("/")
    is_registry = rest and ("." in first or ":" in first)
    return (rest if is_registry else path).split(":", 1)[0]


def is_replaced(image: str, *, project: Project, aws: Aws, role: str | None) -> bool:
    """Whether the project's programs run in place of `image`.

    They do for its server_repository, and for what a build pushed to this account's registry and `role` may
    pull.
    """
    repository = repository_of(image)
    if repository == project.server_repository:
        return True
    if not image.startswith(f"{ACCOUNT}.dkr.ecr."):
        return False
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2] or "latest"
    wanted = {"imageDigest": digest} if digest else {"imageTag": tag}
    try:
        found: dict[str, Any] = aws.client("ecr", role=role).batch_get_image(
            repositoryName=repository, imageIds=[wanted]
        )
    except ClientError:
        return False
    return bool(found["images"])


class DeploymentError(Exception):
    """Why an endpoint could not be brought up; becomes its FailureReason."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What is to run: the container definition of a model behind an endpoint's variant, or of a batch job.

    `name` is the endpoint's or the job's; the server's output becomes a stream in `log_group` whose name
    starts with `log_stream`.
    """

    name: str
    variant: str
    log_group: str
    log_stream: str
    image: str
    model_data_url: str | None
    environment: Mapping[str, str]
    role: str | None


def deploy(deployment: Deployment, *, settings: Settings, aws: Aws) -> ModelServer:
    """Fetches the model, starts its server and waits for `/ping`. Raises DeploymentError with the reason."""
    command = _command_for(deployment, settings=settings, aws=aws)
    model_dir = settings.models_dir / f"{deployment.name}-{uuid.uuid4().hex[:8]}" / "model"
    model_dir.mkdir(parents=True)
    if deployment.model_data_url:
        fetch_model(deployment.model_data_url, target=model_dir, s3=aws.client("s3", role=deployment.role))
    server = _start(deployment, command=command, model_dir=model_dir, settings=settings, aws=aws)
    reason = server.wait_ready(seconds=settings.server_start_seconds)
    if reason:
        server.stop(grace=2.0)
        raise DeploymentError(f"The primary container for production variant {deployment.variant}: {reason}")
    return server


def fetch_model(uri: str, *, target: Path, s3: Any) -> None:
    """Downloads a model.tar.gz and unpacks it into `target`. Raises DeploymentError."""
    archive = target.parent / "model.tar.gz"
    try:
        bucket, key = split_s3_uri(uri)
        s3.download_file(bucket, key, str(archive))
    except (ValueError, ClientError, BotoCoreError) as error:
        raise DeploymentError(f"Could not access model data at {uri}: {error}") from error
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(target, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DeploymentError(
            f"Failed to extract model data archive {uri}, expected a .tar.gz: {error}"
        ) from error
    archive.unlink()


def _command_for(deployment: Deployment, *, settings: Settings, aws: Aws) -> Sequence[str]:
    """What runs in place of the image. Raises DeploymentError where nothing does."""
    project = settings.project
    if not is_replaced(deployment.image, project=project, aws=aws, role=deployment.role):
        raise DeploymentError(
            f"The embedded cloud has no Docker and replaces {project.images} alone, "
            f"got {deployment.image!r}: name its repository with Project(server_repository=…) or "
            "--server-repository."
        )
    if not project.server_command:
        raise DeploymentError(
            f"The embedded cloud has no Docker, and no program is named that runs in place of "
            f"{deployment.image!r}: name one with Project(server_command=…) or --server-command."
        )
    return project.server_command


def _start(
    deployment: Deployment, *, command: Sequence[str], model_dir: Path, settings: Settings, aws: Aws
) -> ModelServer:
    log = LogStream(
        logs=aws.client("logs"),
        group=deployment.log_group,
        stream=f"{deployment.log_stream}/i-{uuid.uuid4().hex[:17]}-{time.time_ns()}",
    )
    role = deployment.role or ""
    environment = {
        **container_environment(home=model_dir.parent, temporary=settings.temporary_dir),
        "PYTHONPATH": settings.project.python_path_variable,
        **aws.environment(role=role, session=deployment.name),
        **{
            key: value.replace("/opt/ml/model", str(model_dir), 1)
            if value.startswith("/opt/ml/model")
            else value
            for key, value in deployment.environment.items()
        },
    }
    return ModelServer(
        variant=deployment.variant,
        command=command,
        environment=environment,
        directory=settings.project.folder,
        model_dir=model_dir,
        log=log,
    )
