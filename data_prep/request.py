"""What a dataset is asked for with, and the dataset's id that follows from it."""

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from data_prep.errors import BadRequest
from data_prep.faults import fault_words
from data_prep.sources import MOST_WEIGHT, FieldSource, Part, Source

FORMAT = 2
"""Goes into every dataset's id: raise it when the same request would make other bytes than before."""


class Stored(Part):
    """Images are kept at a short side of `short_side` pixels (smaller ones as they are), JPEG `quality` 1
    to 100. With `square` the long side is brought down to that too: networks see squares anyway."""

    short_side: Annotated[int, Field(ge=32, le=4096)]
    quality: Annotated[int, Field(ge=1, le=100)] = 90
    square: bool = False


class Request(Part):
    """A dataset: which images, how split, how laid out, how large. Build it with `parse_request`.

    Exactly one of `file_list` (an s3:// address, or a path at the command line) and `counts` ([min, max],
    both included) selects; other kinds of sources than `public` have no file list, and all counts where none
    are given. `limit_per_class` keeps at most that many of each count, chosen by a stable hash. `corrections`
    is the address of a corrections file (data_prep/select/corrections.py). `field` adds what was labelled in
    production; of it the limit takes nothing away.
    """

    source: Source
    field: FieldSource | None = None
    file_list: Annotated[str, Field(min_length=1)] | None = None
    counts: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]] | None = None
    corrections: Annotated[str, Field(min_length=1, max_length=1100)] | None = None
    limit_per_class: Annotated[int, Field(ge=1)] | None = None
    validation_share: Annotated[float, Field(gt=0, le=0.5)] = 0.2
    layout: Literal["folders", "shards", "both"] = "folders"
    shard_mb: Annotated[int, Field(ge=1, le=1000)] = 100
    stored: Stored | None = None

    @model_serializer(mode="wrap")
    def _without_new_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A request without them is written as before there were any: the same bytes.
        written: dict[str, Any] = handler(self)
        for name in ("corrections", "field"):
            if getattr(self, name) is None:
                written.pop(name, None)
        return written

    @model_validator(mode="after")
    def _one_selection(self) -> Self:
        if self.source.own and self.file_list is not None:
            raise ValueError("a file_list belongs to the kind public; labels or class folders say all here")
        if not self.source.own and (self.file_list is None) == (self.counts is None):
            raise ValueError("give either file_list or counts, to say which images are wanted")
        if self.counts is not None and self.counts[0] > self.counts[1]:
            raise ValueError(f"counts must be [min, max] with min <= max, not {list(self.counts)}")
        if self.file_list is not None and self.source.bucket and not self.file_list.startswith("s3://"):
            raise ValueError(f"file_list must be an s3://bucket/key address, not {self.file_list!r}")
        return self


_REMEDIES = {
    "source": 'give {"bucket": "<name>", "prefix": "", "unsigned": false}',
    "bucket": "give a bucket's bare name, such as aft-vbi-pds",
    "prefix": 'leave it out, or end it with "/" and do not begin it with one',
    "unsigned": "true for a public bucket that the role has no right to, else false",
    "kind": "give public, class-folders, table or ground-truth",
    "labels": "give the address of the labels, such as s3://bucket/labels.csv",
    "label_attribute": "give the attribute of the manifest that holds the counts",
    "near_duplicates": "give error or allow",
    "field": 'give {"bucket": "<name>", "prefix": "images/", "labels": "s3://<name>/images/labelled.csv"}',
    "weight": f"give 1 to {MOST_WEIGHT:g}: how much more an image counts whose count a person said",
    "corrections": "give the address of the corrections, such as s3://bucket/corrections.jsonl",
    "file_list": "give the address of the list, such as s3://bucket/file_list.json",
    "counts": "give the smallest and the largest count wanted, such as [1, 5]",
    "limit_per_class": "give a whole number of at least 1, or leave it out for no limit",
    "validation_share": "give a share above 0 and up to 0.5; 0.2 is usual",
    "layout": "give folders, shards or both",
    "shard_mb": "give 1 to 1000; 100 is usual",
    "stored": 'give {"short_side": 256, "quality": 90}, or leave it out to keep the originals',
    "short_side": "give 32 to 4096 pixels",
    "quality": "give 1 to 100",
    "square": "give true, or leave it out to keep each image's shape",
}


def parse_request(value: Any, *, directories: bool = False) -> Request:
    """The checked request; `directories` allows a folder as source (the command line, not the Lambda).

    Raises BadRequest naming every fault, each with what came and how to correct it.
    """
    try:
        request = Request.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False)
        faults = [fault_words(dict(fault), remedies=_REMEDIES, whole="request") for fault in found]
        raise BadRequest(f"the request has {len(faults)} fault(s): " + "; ".join(faults)) from error
    for name, place in (("source", request.source), ("field", request.field)):
        if place is not None and place.directory is not None and not directories:
            raise BadRequest(f"{name}: a directory is only known to the command line; name a bucket")
    if request.corrections and not directories and not request.corrections.startswith("s3://"):
        raise BadRequest(f"corrections must be an s3://bucket/key address, not {request.corrections[:80]!r}")
    return request


def dataset_id(
    request: Request,
    *,
    file_list_sha256: str | None,
    corrections_sha256: str | None = None,
    field_sha256: str | None = None,
) -> str:
    """`bins-` and 12 hex digits of the canonical request and of the content of what it names: file list (or
    labels), corrections, the field's labels.

    The content counts, not only the address: a list that was edited makes another dataset.
    Fields at their defaults are left out, so that a field added later changes no id.
    """
    canonical = {
        "format": FORMAT,
        "request": request.model_dump(mode="json", exclude_defaults=True),
        "file_list_sha256": file_list_sha256,
    }
    if corrections_sha256:
        canonical["corrections_sha256"] = corrections_sha256
    if field_sha256:
        canonical["field_sha256"] = field_sha256
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"))
    return "bins-" + hashlib.sha256(text.encode()).hexdigest()[:12]
