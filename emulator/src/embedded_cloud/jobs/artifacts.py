"""Packs and uploads what a job leaves behind."""

import tarfile
from pathlib import Path
from typing import Any

from embedded_cloud.aws import split_s3_uri


def upload_archive(*, folder: Path, archive: Path, uri: str, s3: Any) -> None:
    """Packs the contents of `folder` (at the archive's root) as .tar.gz into `archive` and uploads it to
    `uri`.
    """
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, arcname=path.name)
    bucket, key = split_s3_uri(uri)
    s3.upload_file(str(archive), bucket, key)
    archive.unlink()
