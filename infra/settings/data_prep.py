"""Settings of the data preparation."""

from typing import Any, Literal

from pydantic import Field, field_validator

from infra.settings.section import S3_ADDRESS, BucketName, Section, rule

PUBLIC_SOURCE = "aft-vbi-pds"
"""Amazon's bucket, in the layout that it gave its name to."""


class Stored(Section):
    """How images are kept in the dataset, in place of the original bytes (data_prep/request.py)."""

    short_side: int = Field(ge=32, le=4096, description="pixels; smaller images stay as they are")
    quality: int = Field(90, ge=1, le=100, description="of the JPEG")
    square: bool = Field(False, description="no side longer than short_side, whatever the shape")


class DataPrep(Section):
    """Where the images come from and how they are arranged."""

    source_bucket: BucketName = Field(PUBLIC_SOURCE, description="bucket that holds the images")
    source_kind: Literal["public", "class-folders", "table", "ground-truth"] = Field(
        "public",
        description="public: bin-images/ and metadata/ as in the public dataset; class-folders: "
        "<count>/<anything>.jpg; table and ground-truth: `labels` names images and counts",
    )
    source_prefix: str = Field(
        "",
        max_length=512,
        pattern=r"^(|[^/*?${}][^*?${}]*/)$",
        description="key prefix before the images (public: before bin-images/ and metadata/)",
    )
    source_key_arn: str = Field(
        "",
        pattern=r"^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[a-z0-9-]+)?$",
        description="key that encrypts the source bucket, of which its images may be decrypted; empty: none "
        "of KMS",
    )
    labels: str = Field(
        "",
        pattern=rf"^({S3_ADDRESS})?$",
        description="s3:// address of a CSV or Parquet of image,count[,group][,taken_at] (table), or of "
        "SageMaker Ground Truth's augmented manifest (ground-truth)",
    )
    label_attribute: str = Field(
        "",
        pattern=r"^[A-Za-z0-9-]{0,127}$",
        description="attribute of the manifest with the counts; empty: the only one that has metadata",
    )
    near_duplicates: Literal["error", "allow"] = Field(
        "error", description="of one's own images: one photograph, saved twice, in two splits"
    )
    unsigned: bool = Field(True, description="read the source without credentials, as a public bucket allows")
    file_list: str = Field(
        "",
        pattern=rf"^({S3_ADDRESS})?$",
        description="s3:// address of a file list ({count: [paths]}); empty: `counts` selects",
    )
    corrections: str = Field(
        "",
        pattern=rf"^({S3_ADDRESS})?$",
        description="s3:// address of a corrections file, from the page of `bincount audit`; empty: none",
    )
    counts: tuple[int, int] = Field(
        (0, 5), description="without a file list: the smallest and the largest count that are wanted"
    )
    field_weight: float = Field(
        3.0,
        ge=1.0,
        le=10.0,
        description="how many times an image that a person counted in production (`bincount train --field`) "
        "counts in training; datasets without such images do not know it",
    )
    limit_per_class: int = Field(
        0, ge=0, le=1_000_000, description="at most so many images of each count; 0: no limit"
    )
    validation_share: float = Field(
        0.2,
        gt=0.0,
        le=0.5,
        description="share of the blocks (neighbouring ids, groups, hours) that is kept for validation and "
        "test, half each",
    )
    layout: Literal["folders", "shards", "both"] = Field(
        "folders", description="a file for each image, or tar shards of about 100 MB, which stream"
    )
    stored: Stored | None = Field(
        None,
        description='how images are kept, such as {"short_side": 256, "quality": 90, "square": true}; null: '
        "the original bytes",
    )
    memory_mib: int = Field(1024, ge=512, le=10_240, description="memory of the data-preparation Lambda, MiB")
    architecture: Literal["x86_64", "arm64"] = Field(
        "arm64", description="processor of the data-preparation Lambda"
    )
    batch_size: int = Field(100, ge=1, le=1_000, description="images in one Lambda invocation")
    max_concurrency: int = Field(50, ge=1, le=1_000, description="Lambda invocations at a time")

    @field_validator("counts")
    @classmethod
    def _is_range(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 0 <= value[0] <= value[1]:
            raise ValueError("[low, high] with 0 <= low <= high is expected")
        return value

    @rule("source_kind", "source_bucket")
    def _names_a_bucket_of_its_own(self) -> str | None:
        if self.source_kind == "public" or self.source_bucket != PUBLIC_SOURCE:
            return None
        return f"{PUBLIC_SOURCE} has the public layout: set data_prep.source_bucket to your own"

    @rule("labels", "source_kind", "label_attribute")
    def _has_labels_where_they_belong(self) -> str | None:
        if (self.source_kind in ("table", "ground-truth")) != bool(self.labels):
            return (
                "it goes with data_prep.source_kind table or ground-truth, which need it, and with no other; "
                f"that is {self.source_kind}"
            )
        if self.label_attribute and self.source_kind != "ground-truth":
            return "data_prep.label_attribute goes with data_prep.source_kind ground-truth: empty it"
        return None

    @rule("file_list", "source_kind")
    def _has_a_list_of_the_public_layout(self) -> str | None:
        if not self.file_list or self.source_kind == "public":
            return None
        return "a file list belongs to the public layout: empty it; labels or class folders say all"

    def request(self) -> dict[str, Any]:
        """The pipeline's own request to data preparation (docs/contracts.md)."""
        source: dict[str, Any] = {
            "bucket": self.source_bucket,
            "prefix": self.source_prefix,
            "unsigned": self.unsigned,
        }
        if self.source_kind != "public":
            source |= {"kind": self.source_kind, "near_duplicates": self.near_duplicates}
            source |= {"labels": self.labels} if self.labels else {}
            source |= {"label_attribute": self.label_attribute} if self.label_attribute else {}
        selection = {"file_list": self.file_list} if self.file_list else {"counts": list(self.counts)}
        corrections = {"corrections": self.corrections} if self.corrections else {}
        limit = {"limit_per_class": self.limit_per_class} if self.limit_per_class else {}
        stored = {"stored": self.stored.model_dump()} if self.stored else {}
        return {
            "source": source,
            **selection,
            **corrections,
            **limit,
            "validation_share": self.validation_share,
            "layout": self.layout,
            **stored,
        }
