"""How a job with a program of its own (ContainerEntrypoint) is started without a container.

The SageMaker SDK v3 starts training so: its channel `sm_drivers` brings the scripts, and they and the
arguments name `/opt/ml` outright. Without a container that folder is not there: the name is replaced in both.
"""

import re
from typing import Any

from embedded_cloud.jobs.failure import JobFailure
from embedded_cloud.jobs.job_files import CONTAINER_ROOT, JobFiles

_DRIVERS = "sm_drivers"
_SCRIPTS = {".py", ".sh", ".json"}
_SAFE = re.compile(r"[A-Za-z0-9/._+@%=:,-]+")  # what a shell leaves as it is


def own_command(record: dict[str, Any], files: JobFiles) -> list[str] | None:
    """The program that the job names, with its arguments; None where it names none.

    Replaces `/opt/ml` in the drivers that were downloaded. Raises JobFailure where this job's folder cannot
    stand in a shell script.
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
