"""Unpacking a model.tar.gz."""

import tarfile
from pathlib import Path

from inference.evaluate.errors import EvaluationError


def unpack(archive: Path, *, target: Path) -> Path:
    """Unpack `archive` into the new folder `target` and return it.

    Members that would leave the folder are an error (tarfile's `data` filter, PEP 706).

    Raises EvaluationError.
    """
    target.mkdir(parents=True)
    try:
        with tarfile.open(archive, "r:gz") as members:
            members.extractall(target, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise EvaluationError(
            f"{archive}: expected a model.tar.gz, got what cannot be unpacked: {error}"
        ) from error
    return target
