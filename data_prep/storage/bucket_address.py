"""The HTTP address and region at which a bucket answers."""

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from data_prep.errors import TransferFailed

_EVENT = "request-created.s3.HeadBucket"


class BucketAddress(NamedTuple):
    """`path` is what comes before "/<key>": nothing, or a slash and the bucket's name."""

    tls: bool
    host: str
    port: int | None
    path: str
    region: str


def find_address(client: Any, bucket: str) -> BucketAddress:
    """Ask for the bucket's head with `client`, boto3's: it knows partitions, endpoints and settings, and goes
    on to the bucket's own region where that is another than the client's.

    Call it from one thread at a time. A head that may not be read will do: S3 names the region even then.
    Raises TransferFailed where there is no such bucket, or nothing answers.
    """
    asked: list[str] = []

    def note(request: Any, **_: Any) -> None:
        asked.append(request.url)

    client.meta.events.register(_EVENT, note)
    try:
        answer = client.head_bucket(Bucket=bucket)
    except ClientError as error:
        answer = error.response
        if answer["ResponseMetadata"]["HTTPStatusCode"] != 403:
            raise TransferFailed(f"s3://{bucket}: {error}; check the bucket's name") from error
    except BotoCoreError as error:
        raise TransferFailed(f"s3://{bucket}: {error}") from error
    finally:
        client.meta.events.unregister(_EVENT, note)
    url = urlsplit(asked[-1])
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    return BucketAddress(
        tls=url.scheme == "https",
        host=url.hostname or "",
        port=url.port,
        path=url.path.rstrip("/"),
        region=headers.get("x-amz-bucket-region") or client.meta.region_name,
    )
