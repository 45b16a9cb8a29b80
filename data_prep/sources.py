"""Where a dataset's images come from: its source, and with it what was labelled in production."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from bincount_sources.read import Kind

MOST_WEIGHT = 10.0
"""Of an image that a person counted. Beyond it a few labels, and the wrong ones among them, would be most of
what is learned."""
_BUCKET = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"
_PREFIX = r"^(|[^/].*/)$"


class Part(BaseModel):
    """A part of a request: what it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Part):
    """Where the images are, and how they and their counts are laid out.

    `public`: `<prefix>bin-images/<id>.jpg` and `<prefix>metadata/<id>.json`. `class-folders`:
    `<prefix><count>/<anything>.jpg`. `table` and `ground-truth`: images anywhere below the prefix, named by
    `labels`, an s3:// address (at the command line also a path) of a CSV, a Parquet or an augmented manifest,
    whose `label_attribute` is needed where several have metadata. Near-duplicates in two splits are an error,
    or allowed.
    """

    bucket: Annotated[str, Field(pattern=_BUCKET)] | None = None
    prefix: Annotated[str, Field(max_length=512, pattern=_PREFIX)] = ""
    unsigned: bool = False
    directory: Annotated[str, Field(min_length=1)] | None = None
    kind: Kind = "public"
    labels: Annotated[str, Field(min_length=1, max_length=1100)] | None = None
    label_attribute: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,127}$")] | None = None
    near_duplicates: Literal["error", "allow"] = "error"

    @property
    def own(self) -> bool:
        """Whether it is not in the public layout."""
        return self.kind != "public"

    @property
    def has_labels(self) -> bool:
        """Whether a labels file says the counts."""
        return self.kind in ("table", "ground-truth")

    @model_serializer(mode="wrap")
    def _without_new_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A request of the kind public is written as it was before there were others: the same bytes.
        written: dict[str, Any] = handler(self)
        for name in ("kind", "labels", "label_attribute", "near_duplicates"):
            if getattr(self, name) == type(self).model_fields[name].default:
                written.pop(name, None)
        return written

    @model_validator(mode="after")
    def _labels_of_the_layout(self) -> Self:
        if self.has_labels != (self.labels is not None):
            said = "names no labels" if self.labels is None else "takes no labels"
            raise ValueError(f"the kind {self.kind} {said}; table and ground-truth have them, no other")
        if self.label_attribute is not None and self.kind != "ground-truth":
            raise ValueError("label_attribute belongs to the kind ground-truth")
        if self.labels and self.bucket and not self.labels.startswith("s3://"):
            raise ValueError(f"labels must be an s3://bucket/key address, not {self.labels[:80]!r}")
        return self

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.bucket is None) == (self.directory is None):
            raise ValueError("name either a bucket or (at the command line) a directory")
        if self.directory is not None and (self.prefix or self.unsigned):
            raise ValueError("prefix and unsigned belong to a bucket, not to a directory")
        return self


class FieldSource(Part):
    """Images of production that people counted, beside those of the source, which is called home then.

    `labels` is a table of `image,count[,group][,taken_at]`, its names below `prefix`, as `bincount labelled`
    writes it; in it the last label of an image counts. An image that a person counted (these, and images of
    home with a correction) weighs `weight` times as much in training as any other.
    """

    bucket: Annotated[str, Field(pattern=_BUCKET)] | None = None
    prefix: Annotated[str, Field(max_length=512, pattern=_PREFIX)] = ""
    directory: Annotated[str, Field(min_length=1)] | None = None
    labels: Annotated[str, Field(min_length=1, max_length=1100)]
    weight: Annotated[float, Field(ge=1, le=MOST_WEIGHT)] = 3.0

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.bucket is None) == (self.directory is None):
            raise ValueError("name either a bucket or (at the command line) a directory")
        if self.directory is not None and self.prefix:
            raise ValueError("prefix belongs to a bucket, not to a directory")
        if self.bucket and not self.labels.startswith("s3://"):
            raise ValueError(f"labels must be an s3://bucket/key address, not {self.labels[:80]!r}")
        return self
