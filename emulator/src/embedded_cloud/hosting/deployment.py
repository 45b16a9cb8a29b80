"""From a model to a server that answers."""

import os
import sys
import tarfile
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from embedded_cloud.aws import Aws, split_s3_uri
from embedded_cloud.hosting.images import is_server
from embedded_cloud.hosting.model_server import ModelServer
from embedded_cloud.jobs.log_stream import LogStream
from embedded_cloud.settings import SERVER_REPOSITORY, Settings


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
    _check_image(deployment, aws=aws)
    model_dir = settings.models_dir / f"{deployment.name}-{uuid.uuid4().hex[:8]}" / "model"
    model_dir.mkdir(parents=True)
    if deployment.model_data_url:
        fetch_model(deployment.model_data_url, target=model_dir, s3=aws.client("s3", role=deployment.role))
    server = _start(deployment, model_dir=model_dir, settings=settings, aws=aws)
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


def _check_image(deployment: Deployment, *, aws: Aws) -> None:
    if not is_server(deployment.image, aws=aws, role=deployment.role):
        raise DeploymentError(
            f"The embedded cloud has no Docker and runs only images of the repository {SERVER_REPOSITORY!r} "
            f"and those that CodeBuild pushed here and the role may pull (with the server of this source "
            f"tree), got {deployment.image!r}."
        )


def _start(deployment: Deployment, *, model_dir: Path, settings: Settings, aws: Aws) -> ModelServer:
    log = LogStream(
        logs=aws.client("logs"),
        group=deployment.log_group,
        stream=f"{deployment.log_stream}/i-{uuid.uuid4().hex[:17]}-{time.time_ns()}",
    )
    role = deployment.role or ""
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
        "HOME": str(model_dir.parent),
        "TMPDIR": str(settings.temporary_dir),
        "LANG": "C.UTF-8",
        "PYTHONPATH": settings.python_path,
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
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
        command=settings.server_command,
        environment=environment,
        directory=settings.tree,
        model_dir=model_dir,
        log=log,
    )
