"""Files out of a run's output.tar.gz, read as a stream: what comes after them is not fetched."""

import tarfile
from collections.abc import Sequence

from botocore.exceptions import ClientError

from bincount.errors import BincountError
from bincount.stage.stage import Stage
from bincount_core.s3_address import split_s3_address

MOST_BYTES = 64 * 1024 * 1024
"""A larger file is not one that a person looks at."""


def read_output(stage: Stage, uri: str, names: Sequence[str]) -> dict[str, bytes]:
    """The named files of the archive at an S3 address; those that are not in it are left out.

    A name that ends with a slash means all files of that folder. {} where the archive is not there. Raises
    BincountError where it is damaged.
    """
    bucket, key = split_s3_address(uri)
    try:
        body = stage.client("s3").get_object(Bucket=bucket, Key=key)["Body"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return {}
    found: dict[str, bytes] = {}
    folders = tuple(name for name in names if name.endswith("/"))
    try:
        with body, tarfile.open(fileobj=body, mode="r|gz") as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                wanted = name in names or name.startswith(folders)
                if wanted and member.isfile() and member.size <= MOST_BYTES:
                    file = archive.extractfile(member)
                    found[name] = file.read() if file else b""
                if len(found) == len(names) and not folders:
                    break
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise BincountError(f"{uri}: the archive is damaged ({error}): train again") from error
    return found
