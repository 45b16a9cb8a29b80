"""Addresses in S3, and what is none."""

import pytest

from bincount_core.s3_address import split_s3_address


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("s3://bins", ("bins", "")),
        ("s3://bins/", ("bins", "")),
        ("s3://my.bins-2/a folder/00901.jpg", ("my.bins-2", "a folder/00901.jpg")),
        ("s3://bins//odd/", ("bins", "/odd/")),
    ],
)
def test_an_address_is_a_bucket_and_a_key_or_prefix(address: str, parts: tuple[str, str]) -> None:
    assert split_s3_address(address) == parts


@pytest.mark.parametrize(
    "address", ["", "bins/key", "s3:/bins/key", "s3:///key", "s3://B_ins/key", "https://bins/key"]
)
def test_anything_else_is_rejected_with_what_came(address: str) -> None:
    with pytest.raises(ValueError, match="not an S3 address; give s3://bucket/key") as caught:
        split_s3_address(address)
    assert repr(address) in str(caught.value)
