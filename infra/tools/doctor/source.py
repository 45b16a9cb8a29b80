"""The source of images: whether it is where the settings say, and what its images may be used for."""

from collections.abc import Iterable

from botocore.exceptions import ClientError

from infra.settings.data_prep import PUBLIC_SOURCE
from infra.tools.doctor.finding import Finding, error_of, missing, ok, unknown
from infra.tools.doctor.subject import Subject

NAME = "own images"
UNSIGNED = "own images, unsigned"


def images(subject: Subject) -> Iterable[Finding]:
    """The source bucket, something below the prefix, and the labels, nothing of Amazon's public bucket; the
    corrections of either."""
    source = subject.settings.data_prep
    if source.corrections:
        yield _file(subject, "corrections", source.corrections)
    if source.source_bucket == PUBLIC_SOURCE:
        return
    if source.unsigned:
        text = f"{source.source_bucket} would be read without credentials, as only a public bucket allows"
        yield unknown(UNSIGNED, text, next="set data_prep.unsigned to false in cdk.json")
    s3, place = subject.client("s3"), f"s3://{source.source_bucket}/{source.source_prefix}"
    try:
        found = s3.list_objects_v2(Bucket=source.source_bucket, Prefix=source.source_prefix, MaxKeys=1)
    except ClientError as error:
        if error_of(error)[0] != "NoSuchBucket":
            raise
        step = "make the bucket, or correct data_prep.source_bucket in cdk.json"
        yield missing(NAME, f"there is no bucket {source.source_bucket}", next=step)
        return
    if not found.get("KeyCount"):
        step = f"aws s3 sync DIR {place}, or correct data_prep.source_prefix in cdk.json"
        yield missing(NAME, f"nothing is below {place}", next=step)
        return
    yield ok(NAME, f"there are some below {place}")
    if source.labels:
        yield _file(subject, "labels", source.labels)


def _file(subject: Subject, name: str, address: str) -> Finding:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    # Of all keys that begin so the listing has the key itself first.
    found = subject.client("s3").list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    there = [entry for entry in found.get("Contents", ()) if entry["Key"] == key]
    if not there:
        step = f"aws s3 cp FILE {address}, or correct data_prep.{name} in cdk.json"
        return missing(name, f"nothing is at {address}", next=step)
    return ok(name, f"{there[0]['Size']:,} bytes at {address}")


def licence(subject: Subject) -> Iterable[Finding]:
    """The default source may not be used commercially."""
    source = subject.settings.data_prep.source_bucket
    if source != PUBLIC_SOURCE:
        return [ok("licence", f"your own photographs in {source}")]
    text = "Amazon's photographs are CC BY-NC-SA 3.0 US: not for commercial use"
    step = "read docs/dataset.md; for your own photographs docs/own-bins.md"
    return [unknown("licence", text, next=step)]
