"""Parquet files for the tests of their reader."""

import io
from typing import Any

from arro3.core import Array, DataType, Table
from arro3.io import write_parquet


def parquet(*, compression: str = "snappy", **columns: Array) -> bytes:
    """A Parquet file of these columns."""
    data = io.BytesIO()
    table = Table.from_arrays(  # pyright: ignore[reportUnknownMemberType]
        list(columns.values()), names=list(columns)
    )
    write_parquet(table, data, compression=compression)
    return data.getvalue()


def column(values: list[Any], kind: DataType) -> Array:
    """Arrow's values of that type; moments are numbers since 1970."""
    whole = DataType.is_temporal(kind)
    return Array(values, DataType.int64()).cast(kind) if whole else Array(values, kind)
