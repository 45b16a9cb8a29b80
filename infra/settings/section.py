"""What every section of the settings shares."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

BucketName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]


class Section(BaseModel):
    """Frozen, and a misspelt name is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)
