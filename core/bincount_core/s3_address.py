"""Addresses of the form s3://bucket/key."""

import re

_ADDRESS = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", re.DOTALL)


def split_s3_address(address: str) -> tuple[str, str]:
    """Bucket and key (or prefix, which may be empty). Raises ValueError for anything else."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise ValueError(f"{address[:200]!r} is not an S3 address; give s3://bucket/key")
    return found[1], found[2] or ""
