"""Reads the settings of a stage from the CDK context; all faults are in one message."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from infra.settings.checking import Fault, faults_of, meant, shown
from infra.settings.section import sections
from infra.settings.stage import SECTIONS, Settings


class SettingsError(ValueError):
    """One or more settings are wrong; the text names every one of them and how to correct it."""


EXTENDS = "extends"
STAGE_NAME = r"^[a-z][a-z0-9]{0,9}$"
"""SageMaker takes 32 characters for a tuning job: `bins-`, 10 for the stage, `-` and 16 for the execution.
Without a hyphen, no name of one stage begins with those of another, which rights by prefix rely on."""
_CDK_JSON = Path(__file__).resolve().parents[2] / "cdk.json"


def plain(value: Any) -> Any:
    """jsii hands out mappings and sequences of its own; pydantic wants dicts and lists."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in cast("list[object]", value)]
    return value


def values_of(stages: Any, stage: Any) -> dict[str, Any]:
    """The settings of `stage` with those of the stages that it extends beneath. Raises SettingsError.

    Of two values for one setting that of the nearer stage counts; sections are laid over one another setting
    by setting, while a list or an object (such as `tags`) that is one setting counts as a whole.
    """
    if not isinstance(stages, Mapping):
        raise SettingsError(
            'cdk.json: "context" has no "stages" object: add one with a stage, such as {"dev": {}}'
        )
    declared: dict[str, Any] = plain(stages)
    known = ", ".join(declared)
    if not isinstance(stage, str) or stage not in declared:
        raise SettingsError(
            f"unknown stage {stage!r}{meant(str(stage), declared)}: pass -c stage=NAME with one of {known}"
        )
    if not re.fullmatch(STAGE_NAME, stage):
        raise SettingsError(
            f"cdk.json: {stage!r} cannot be the name of a stage: take at most 10 letters a-z and digits, "
            "first a letter (SageMaker takes 32 characters for the name of a tuning job)"
        )
    values: dict[str, Any] = {}
    chain: list[str] = []
    name: Any = stage
    while name is not None:
        if name in chain:
            circle = " -> ".join([*chain[chain.index(name) :], name])
            raise SettingsError(f"cdk.json: stages extend one another in a circle: {circle}")
        if not isinstance(name, str) or name not in declared:
            raise SettingsError(
                f"cdk.json: stages.{chain[-1]}.{EXTENDS} = {shown(name)}: no such stage"
                f"{meant(str(name), declared)}: name one of {known}"
            )
        if not isinstance(declared[name], dict):
            raise SettingsError(
                f"cdk.json: stages.{name} = {shown(declared[name])}: an object with settings is expected"
            )
        chain.append(name)
        values = _laid_over(values, declared[name])
        name = declared[name].get(EXTENDS)
    values.pop(EXTENDS, None)
    return values


def _laid_over(upper: dict[str, Any], lower: dict[str, Any]) -> dict[str, Any]:
    """`lower` with `upper` over it, down to the settings of sections."""
    merged = {**lower, **upper}
    for name in SECTIONS:
        both = (lower.get(name, {}), upper.get(name, {}))
        if name in merged and all(isinstance(each, dict) for each in both):
            merged[name] = {**both[0], **both[1]}
    return merged


def context_of_cdk_json(options: Sequence[str] = (), *, file: Path = _CDK_JSON) -> dict[str, Any]:
    """The file's `context` with `options` (each `KEY=VALUE`, as `-c` of the CDK takes it) laid over it.

    Raises SettingsError where the file cannot be read or holds none, or an option has another form.
    """
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file.name} cannot be read as JSON: {error}") from error
    found = cast("dict[str, Any]", content).get("context") if isinstance(content, dict) else None
    if not isinstance(found, dict):
        raise SettingsError(f'{file.name}: expected an object with an object "context" in it')
    context = cast("dict[str, Any]", found)
    for option in options:
        key, separator, value = option.partition("=")
        if not separator:
            raise SettingsError(f"-c {option}: expected KEY=VALUE")
        context[key] = value
    return context


def stages_of_cdk_json() -> tuple[str, ...]:
    """The names in cdk.json, in its order; none where it is broken, which its reader then reports."""
    try:
        stages = context_of_cdk_json().get("stages")
    except SettingsError:
        return ()
    return tuple(plain(stages)) if isinstance(stages, Mapping) else ()


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
