"""Settings of the bucket and the keys."""

from typing import Literal

from pydantic import Field

from infra.settings.section import Section


class Storage(Section):
    """How data are encrypted and how long they are kept. Old versions follow their own rule."""

    encryption: Literal["s3", "kms"] = Field(
        "s3",
        description="s3: keys of S3 and of each service; kms: one customer-managed key, rotated yearly, for "
        "bucket, logs, volumes and notifications",
    )
    old_versions_days: int = Field(
        30, ge=1, le=3_650, description="replaced and deleted objects are kept this long, days"
    )
    datasets_days: int = Field(0, ge=0, le=3_650, description="datasets expire after this, days; 0: never")
    runs_days: int = Field(
        30, ge=1, le=3_650, description="work lists of data preparation expire after this, days"
    )
    checkpoints_days: int = Field(14, ge=1, le=3_650, description="checkpoints expire after this, days")
    captures_days: int = Field(90, ge=1, le=3_650, description="captured answers expire after this, days")
    access_logs_days: int = Field(
        90, ge=1, le=3_650, description="the bucket's access logs are kept this long, days"
    )
