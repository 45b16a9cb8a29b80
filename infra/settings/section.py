"""What every section of the settings shares."""

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _is_no_address(name: str) -> str:
    if re.fullmatch(r"(\d+\.){3}\d+", name):
        raise ValueError("a bucket's name, which is no address of four numbers, is expected")
    return name


def _is_not_awss(name: str) -> str:
    if name.lower().startswith("aws:"):
        raise ValueError("a name that does not begin with aws:, which AWS keeps to itself, is expected")
    return name


# No two dots side by side, no dot beside a hyphen, no address of four numbers (S3's rules for names).
BucketName = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]([a-z0-9]|-+[a-z0-9]|\.[a-z0-9])+$",
        min_length=3,
        max_length=63,
    ),
    AfterValidator(_is_no_address),
]
# Keys as data preparation and SageMaker take them: no token of a template, no wildcard of a policy.
S3_ADDRESS = r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^*?${}\s][^*?${}]*"
# What every service takes in tags (docs.aws.amazon.com/tag-editor, "Tag naming limits and requirements").
TagName = Annotated[
    str,
    Field(pattern=r"^[\p{L}\p{N}_.:/=+@ -]+$", max_length=128),
    AfterValidator(_is_not_awss),
]
TagValue = Annotated[str, Field(pattern=r"^[\p{L}\p{N}_.:/=+@ -]*$", max_length=256)]
InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]

Rule = Callable[[Any], str | None]


def is_graviton(instance_type: str) -> bool:
    """True for ARM families (c7g, m8gd, …); an accelerated one (g5) is none."""
    family = instance_type.split(".")[1]
    generation = next((i for i, letter in enumerate(family) if letter.isdigit()), len(family))
    return "g" in family[generation + 1 :]


def no_graviton(instance_type: str, *, jobs: str) -> str | None:
    """What is wrong with an instance type of SageMaker's `jobs`, which have no ARM instances; or None."""
    if not is_graviton(instance_type):
        return None
    return f"SageMaker has no Graviton instances for {jobs}: take an x86 type, such as ml.c7i.xlarge"


def rule(*settings: str) -> Callable[[Rule], Rule]:
    """Marks a method of a section as a rule about several settings.

    The method returns what is wrong, or None; the fault is reported under the first of `settings` (names of
    fields; in the stage itself `section.field`). It is asked whenever the settings that it reads are valid
    each for itself, whatever else is wrong (infra/settings/checking.py).
    """

    def mark(method: Rule) -> Rule:
        method.__dict__["settings"] = settings
        return method

    return mark


class Section(BaseModel):
    """Frozen, and a misspelt name is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    rules: ClassVar[tuple[Rule, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.rules = tuple(method for method in vars(cls).values() if hasattr(method, "settings"))


SectionT = TypeVar("SectionT", bound=Section)


def defaults_of(section: type[SectionT]) -> SectionT:
    """A field that is `section` with all its defaults where the stage does not name it.

    Type checkers overlook the positional defaults of pydantic's Field: to them, Field(default_factory=Gate)
    calls Gate without its arguments.
    """
    return Field(default_factory=section)


def sections(model: type[Section]) -> Iterator[tuple[str, type[Section]]]:
    """The fields of `model` that are sections themselves: name and class."""
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            yield name, kind
