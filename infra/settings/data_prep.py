"""Settings of the data preparation."""

from typing import Any, Literal

from pydantic import Field, field_validator

from infra.settings.section import S3_ADDRESS, BucketName, Section


class Stored(Section):
    """How images are kept in the dataset, in place of the original bytes (data_prep/request.py)."""

    short_side: int = Field(ge=32, le=4096, description="pixels; smaller images stay as they are")
    quality: int = Field(90, ge=1, le=100, description="of the JPEG")
    square: bool = Field(False, description="no side longer than short_side, whatever the shape")


class DataPrep(Section):
    """Where the images come from and how they are arranged."""

    source_bucket: BucketName = Field(
        "aft-vbi-pds", description="bucket with bin-images/ and metadata/ in the public dataset's layout"
    )
    source_prefix: str = Field(
        "",
        max_length=512,
        pattern=r"^(|[^/*?${}][^*?${}]*/)$",
        description="key prefix before bin-images/ and metadata/",
    )
    unsigned: bool = Field(True, description="read the source without credentials, as a public bucket allows")
    file_list: str = Field(
        "",
        pattern=rf"^({S3_ADDRESS})?$",
        description="s3:// address of a file list ({count: [paths]}); empty: `counts` selects",
    )
    counts: tuple[int, int] = Field(
        (0, 5), description="without a file list: the smallest and the largest count that are wanted"
    )
    limit_per_class: int = Field(
        0, ge=0, le=1_000_000, description="at most so many images of each count; 0: no limit"
    )
    validation_share: float = Field(
        0.2,
        gt=0.0,
        le=0.5,
        description="share of the id blocks that is kept for validation and test, half each",
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

    def request(self) -> dict[str, Any]:
        """The pipeline's own request to data preparation (docs/contracts.md)."""
        source = {
            "bucket": self.source_bucket,
            "prefix": self.source_prefix,
            "unsigned": self.unsigned,
        }
        selection = {"file_list": self.file_list} if self.file_list else {"counts": list(self.counts)}
        limit = {"limit_per_class": self.limit_per_class} if self.limit_per_class else {}
        stored = {"stored": self.stored.model_dump()} if self.stored else {}
        return {
            "source": source,
            **selection,
            **limit,
            "validation_share": self.validation_share,
            "layout": self.layout,
            **stored,
        }
