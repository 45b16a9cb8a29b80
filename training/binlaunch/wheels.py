"""Wheels for a stage whose jobs have no network: those that its deployed code archive holds."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

from binlaunch.errors import LaunchError
from binlaunch.stage import Stage

MOUNT = "/opt/ml/input/data/wheels"


def stage_wheels(*, stage: Stage, requirements: Path, s3: Any) -> str:
    """Put the wheels below `launch/wheels/<digest>/` of the stage's bucket, once; returns that S3 address.

    Raises LaunchError where `requirements` are not those that the stage was deployed with.
    """
    wanted = requirements.read_bytes()
    prefix = f"launch/wheels/{hashlib.sha256(wanted).hexdigest()[:16]}/"
    uri, seal = f"s3://{stage.bucket}/{prefix}", prefix.rstrip("/") + ".complete"
    if _exists(s3, stage.bucket, seal):
        return uri
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch, "code.tar.gz")
        bucket, _, key = stage.code.removeprefix("s3://").partition("/")
        s3.download_file(bucket, key, str(archive))
        with tarfile.open(archive, "r:gz") as packed:
            deployed = packed.extractfile("requirements.txt")
            if deployed is None or deployed.read() != wanted:
                raise LaunchError(
                    "training/requirements.txt is not the one that the stage was deployed with, and its jobs "
                    f"have no network to fetch packages: npx cdk deploy --all -c stage={stage.name} first"
                )
            for member in packed.getmembers():
                name = PurePosixPath(member.name)
                if name.parent.name == "wheels" and (content := packed.extractfile(member)):
                    s3.upload_fileobj(content, stage.bucket, prefix + name.name)
    s3.put_object(Bucket=stage.bucket, Key=seal, Body=b"")
    return uri


def _exists(s3: Any, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True
