"""What every section of the settings shares."""

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

BucketName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]


class Section(BaseModel):
    """Frozen, and a misspelt name is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


SectionT = TypeVar("SectionT", bound=Section)


def defaults_of(section: type[SectionT]) -> SectionT:
    """A field that is `section` with all its defaults where the stage does not name it.

    Type checkers overlook the positional defaults of pydantic's Field: to them, Field(default_factory=Gate)
    calls Gate without its arguments.
    """
    return Field(default_factory=section)
