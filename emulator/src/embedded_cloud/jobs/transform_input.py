"""Which objects a batch transform job reads, and under which name each answer is written."""

import json
from collections.abc import Iterator
from typing import Any, cast

from embedded_cloud.aws import split_s3_uri


def transform_input(source: dict[str, str], *, s3: Any) -> Iterator[tuple[str, str, str]]:
    """Yields (bucket, key, name) of every object; its answer becomes `<output>/<name>.out`.

    `source` is an S3DataSource. S3Prefix: all below the prefix, the name is relative to its last folder.
    ManifestFile: `[{"prefix": "s3://bucket/folder/"}, "a.jpg", …]`, the name is the entry.
    Raises ValueError for a manifest of another form, ClientError where S3 refuses.
    """
    bucket, key = split_s3_uri(source["S3Uri"])
    if source["S3DataType"] == "ManifestFile":
        yield from _listed(s3.get_object(Bucket=bucket, Key=key)["Body"].read(), source["S3Uri"])
        return
    folder = key[: key.rfind("/") + 1]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
        for item in page.get("Contents", []):
            if not item["Key"].endswith("/"):
                yield bucket, item["Key"], item["Key"].removeprefix(folder)


def _listed(content: bytes, uri: str) -> Iterator[tuple[str, str, str]]:
    document = json.loads(content)
    entries = cast("list[object]", document) if isinstance(document, list) else []
    if not entries or not isinstance(entries[0], dict):
        raise ValueError(f'{uri}: expected [{{"prefix": "s3://bucket/folder/"}}, "name", …]')
    bucket, prefix = split_s3_uri(cast("dict[str, str]", entries[0]).get("prefix", ""))
    for name in entries[1:]:
        if not isinstance(name, str):
            raise ValueError(f"{uri}: expected names after the prefix, got {name!r}")
        yield bucket, f"{prefix}{name}", name
