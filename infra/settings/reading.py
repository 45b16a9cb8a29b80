"""Reads the settings of a stage from the CDK context; every fault is told at once."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from pydantic import ValidationError

from infra.settings.section import Section
from infra.settings.stage import STAGES, Settings


class SettingsError(ValueError):
    """One or more settings are wrong; the text names every one of them and how to mend it."""


def load(lookup: Callable[[str], Any]) -> Settings:
    """The settings of the stage that the CDK context names.

    `lookup` gives a context value by its key, or None. Raises SettingsError with every fault.
    """
    stages = lookup("stages")
    if not isinstance(stages, Mapping):
        raise SettingsError(
            'cdk.json: "context" has no "stages" object: add one with a stage, such as {"dev": {}}'
        )
    stage = lookup("stage")
    known = [name for name in STAGES if name in stages]
    if stage not in known:
        raise SettingsError(f"unknown stage {stage!r}: pass -c stage=NAME with one of {', '.join(known)}")
    values = {**_plain(stages[stage]), "stage": stage}
    _override(values, lookup)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_explain(stage, error)) from None


def _plain(value: Any) -> Any:
    """jsii hands out mappings and sequences of its own; pydantic wants dicts and lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast("Sequence[object]", value)]
    return value


def _override(values: dict[str, Any], lookup: Callable[[str], Any]) -> None:
    """Lay values given as `-c section.field=value` over those of the file."""
    for section, field in paths():
        given = lookup(f"{section}.{field}" if section else field)
        if given is None or (not section and field == "stage"):
            continue
        target = values.setdefault(section, {}) if section else values
        target[field] = _plain(_from_command_line(given))


def _from_command_line(given: Any) -> Any:
    """`-c` gives text: lists and objects are written as JSON (`-c 'training.epochs=[2, 4]'`)."""
    if not isinstance(given, str) or not given.startswith(("[", "{")):
        return given
    try:
        return json.loads(given)
    except ValueError:
        return given  # the model says what it expected instead


def paths() -> list[tuple[str, str]]:
    """Every setting as (section, field); the section of a top-level setting is ''."""
    found: list[tuple[str, str]] = []
    for name, info in Settings.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            found += [(name, field) for field in kind.model_fields]
        else:
            found.append(("", name))
    return found


def _explain(stage: str, error: ValidationError) -> str:
    lines = [f"cdk.json: {error.error_count()} wrong setting(s) of stage {stage!r}:"]
    for fault in error.errors(include_url=False):
        path = ".".join(str(part) for part in fault["loc"]) or "(the stage)"
        if fault["type"] == "extra_forbidden":
            lines.append(f"  {path}: no such setting: remove it or mend its name")
        elif fault["type"] == "missing":
            lines.append(f"  {path}: is missing: add it")
        else:
            lines.append(f"  {path}: {fault['msg']} (got {fault['input']!r})")
    return "\n".join(lines)
