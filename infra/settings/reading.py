"""Reads the settings of a stage from the CDK context; every fault is told at once."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from infra.settings.checking import Fault, faults_of, meant
from infra.settings.declared import plain, values_of
from infra.settings.errors import SettingsError
from infra.settings.section import sections
from infra.settings.stage import Settings

_DOTTED = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")


def load(lookup: Callable[[str], Any], *, given: Iterable[str] = ()) -> Settings:
    """The settings of the stage that the CDK context names.

    `lookup` gives a context value by its key, or None; `given` are all keys of the context, among which a
    misspelt setting is found. Raises SettingsError with every fault.
    """
    stage = lookup("stage")
    values = values_of(lookup("stages"), stage)
    values["stage"] = stage
    faults = [*_override(values, lookup), *_misspelt(given), *faults_of(Settings, values)]
    if faults:
        lines = "".join(f"\n  {fault}" for fault in sorted(set(faults)))
        raise SettingsError(f"{len(set(faults))} wrong setting(s) of stage {stage!r}:{lines}")
    return Settings.model_validate(values)


def _override(values: dict[str, Any], lookup: Callable[[str], Any]) -> list[Fault]:
    """Lay values given as `-c section.field=value` over those of the file."""
    for section, field in paths():
        given = lookup(f"{section}.{field}" if section else field)
        if given is None or (not section and field == "stage"):
            continue
        target = values.setdefault(section, {}) if section else values
        if isinstance(target, dict):  # else the section itself is a fault
            target[field] = plain(_from_command_line(given))
    return []


def _misspelt(given: Iterable[str]) -> list[Fault]:
    """Keys of the context that look like settings and are none.

    The CDK's own keys hold @, : or /. A key without a dot may be anybody's: it is a fault where it comes near
    to a setting's name.
    """
    known = {f"{section}.{field}" if section else field for section, field in paths()}
    names = {name for name, _ in sections(Settings)}
    faults: list[Fault] = []
    for key in given:
        if key in known or key == "stages" or not (_DOTTED.fullmatch(key) or re.fullmatch(r"[\w-]+", key)):
            continue
        section, _, field = key.partition(".")
        if field:
            inside = sorted(name for name in known if name.startswith(f"{section}."))
            hint = meant(key, inside if section in names else known)
        elif key in names:
            hint = f" (it is a section: give its settings one by one, such as {key}.NAME)"
        else:
            spelt = key.lower().replace("-", "_")
            hint = meant(spelt, (name for name in known if "." not in name and _is_near(key, name)))
            if not hint:
                continue
        faults.append(Fault(key, "", f"no such setting{hint}: correct the -c option or remove it"))
    return faults


def _is_near(key: str, name: str) -> bool:
    return abs(len(key) - len(name)) <= 2


def _from_command_line(given: Any) -> Any:
    """`-c` gives text: lists and objects are written as JSON (`-c 'training.epochs=[2, 4]'`)."""
    if given == "null":
        return None
    if not isinstance(given, str) or not given.startswith(("[", "{")):
        return given
    try:
        return json.loads(given)
    except ValueError:
        return given  # the model says what it expected instead


def paths() -> list[tuple[str, str]]:
    """Every setting as (section, field); the section of a top-level setting is ''."""
    nested = dict(sections(Settings))
    found: list[tuple[str, str]] = []
    for name in Settings.model_fields:
        found += [(name, field) for field in nested[name].model_fields] if name in nested else [("", name)]
    return found
