"""How a training job is started without a container: SageMaker's own toolkit, or a program that it names.

The SageMaker SDK v3 starts training so: its channel `sm_drivers` brings the scripts, and they and the
arguments name `/opt/ml` outright. Without a container that folder is not there: the name is replaced in both.
"""

import re
import sys
from typing import Any

from embedded_cloud.aws import Aws
from embedded_cloud.jobs.job_files import CONTAINER_ROOT, JobFiles
from embedded_cloud.jobs.run import JobFailure, container_environment
from embedded_cloud.settings import TRAINING_TOOLKIT

_DRIVERS = "sm_drivers"
_SCRIPTS = {".py", ".sh", ".json"}
_SAFE = re.compile(r"[A-Za-z0-9/._+@%=:,-]+")  # what a shell leaves as it is
# The toolkit splits "<sys.executable> -m pip …" at spaces, which this tree's path may hold: it shall look
# `python` up in PATH instead.
_START = "import sys; sys.executable = 'python'; from sagemaker_training.cli.train import main; main()"


def toolkit_command() -> list[str]:
    """What the console script `train` of sagemaker-training does, with this interpreter."""
    return [sys.executable, "-c", _START]


def toolkit_environment(*, record: dict[str, Any], files: JobFiles, aws: Aws) -> dict[str, str]:
    """The environment of the training container; the job's own Environment comes last."""
    name = record["TrainingJobName"]
    own = {key: files.localised(value) for key, value in record.get("Environment", {}).items()}
    return {
        **container_environment(home=files.root, temporary=files.temporary),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "SAGEMAKER_TRAINING_MODULE": TRAINING_TOOLKIT,
        "SAGEMAKER_BASE_DIR": str(files.root),
        "SM_STUDIO_LOCAL_MODE": "true",  # no name server knows `algo-1` here: skips the toolkit's wait for it
        "SAGEMAKER_JOB_NAME": name,
        "TRAINING_JOB_NAME": name,
        "TRAINING_JOB_ARN": record["TrainingJobArn"],
        **aws.environment(role=record["RoleArn"], session=name),
        **own,
    }


def own_command(record: dict[str, Any], files: JobFiles) -> list[str] | None:
    """The program that the job names, with its arguments; None where it names none.

    Replaces `/opt/ml` in the drivers that were downloaded. Raises JobFailure where this job's folder cannot
    be in a shell script.
    """
    algorithm = record["AlgorithmSpecification"]
    entrypoint = algorithm.get("ContainerEntrypoint")
    if not entrypoint:
        return None
    root = str(files.root)
    if not _SAFE.fullmatch(root):
        raise JobFailure(
            f"ClientError: a job with a ContainerEntrypoint needs a folder without spaces or quotes in its "
            f"name, got {root}: give the cloud another data_dir"
        )
    drivers = files.input_data / _DRIVERS
    for path in sorted(drivers.rglob("*")) if drivers.is_dir() else []:
        if path.suffix in _SCRIPTS:
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(CONTAINER_ROOT, root), encoding="utf-8")
    parts = [*entrypoint, *algorithm.get("ContainerArguments", [])]
    return [part.replace(CONTAINER_ROOT, root) for part in parts]
