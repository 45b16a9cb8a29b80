"""One reader for each kind of labels. Another kind of label file is another line here."""

from typing import Literal

from bincount_sources.found import BadLabels, Found
from bincount_sources.ground_truth import read_ground_truth
from bincount_sources.table import read_table

Kind = Literal["public", "class-folders", "table", "ground-truth"]
"""How a source is laid out; `public` is the Amazon Bin Image Dataset's."""

_BY_SUFFIX: dict[str, Kind] = {
    ".csv": "table",
    ".tsv": "table",
    ".parquet": "table",
    ".manifest": "ground-truth",
    ".jsonl": "ground-truth",
}


def kind_of_labels(address: str) -> Kind:
    """The kind that the name of a labels file says. Raises BadLabels."""
    for suffix, kind in _BY_SUFFIX.items():
        if address.lower().endswith(suffix):
            return kind
    raise BadLabels(f"labels {address[:200]!r} end with none of {', '.join(_BY_SUFFIX)}; say the kind")


def read_labels(data: bytes, *, kind: Kind, attribute: str | None, bucket: str | None, prefix: str) -> Found:
    """The rows of a labels file of the kind `table` or `ground-truth`. Raises BadLabels."""
    if kind == "ground-truth":
        return read_ground_truth(data, attribute=attribute, bucket=bucket, prefix=prefix)
    return read_table(data, bucket=bucket, prefix=prefix)
