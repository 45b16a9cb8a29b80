"""How SageMaker's own training toolkit is started without a container."""

import os
import sys
from pathlib import Path
from typing import Any

from embedded_cloud.aws import Aws
from embedded_cloud.jobs.job_files import JobFiles
from embedded_cloud.settings import TRAINING_TOOLKIT

# The toolkit splits "<sys.executable> -m pip …" at spaces, which this tree's path may hold: it shall look
# `python` up in PATH instead.
_START = "import sys; sys.executable = 'python'; from sagemaker_training.cli.train import main; main()"


def toolkit_command() -> list[str]:
    """What the console script `train` of sagemaker-training does, with this interpreter."""
    return [sys.executable, "-c", _START]


def toolkit_environment(*, record: dict[str, Any], files: JobFiles, aws: Aws) -> dict[str, str]:
    """The environment of the training container; the job's own Environment comes last.

    This interpreter's folder is first in PATH, so that `python` and `pip` are those that hold the
    dependencies.
    """
    name = record["TrainingJobName"]
    own = {key: files.localised(value) for key, value in record.get("Environment", {}).items()}
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
        "HOME": str(files.root),
        "TMPDIR": str(files.temporary),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
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
