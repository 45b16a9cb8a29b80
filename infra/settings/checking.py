"""Finds every fault of a stage's settings at once: those of single settings, and those between them."""

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError

from infra.settings.section import Section, sections

_LONGEST_VALUE = 100


@dataclass(frozen=True, order=True)
class Fault:
    """One wrong setting: its dotted name, its value as text (empty: there is none), what is wrong."""

    setting: str
    value: str
    text: str

    def __str__(self) -> str:
        return f"{self.setting}{f' = {self.value}' if self.value else ''}: {self.text}"


def faults_of(model: type[Section], values: Mapping[str, Any]) -> list[Fault]:
    """Every fault of `values`; an empty list where `model` takes them."""
    known, found = _check(model, values, path="")
    return found + _broken_rules(model, known, path="")


class _Unknown(Exception):
    """A rule has asked for a setting that is not valid."""


class _Known:
    """A section as far as it is valid: asking for anything else raises _Unknown."""

    def __init__(self, section: Section, valid: Mapping[str, Any]) -> None:
        self._section = section
        self._valid = valid

    def __getattr__(self, name: str) -> Any:
        if name in self._valid:
            return self._valid[name]
        if name in type(self._section).model_fields:
            raise _Unknown(name)
        # Properties and methods of the section see this object, so that they too meet what is unknown.
        found: Any = getattr(type(self._section), name)
        return found.__get__(self)


def _check(model: type[Section], values: Mapping[str, Any], *, path: str) -> tuple[_Known, list[Fault]]:
    """What is known of a section, and the faults of its single settings and of the sections in it."""
    found: list[Fault] = []
    inner: dict[str, Any] = {}
    nested = dict(sections(model))
    for name, kind in nested.items():
        given = values.get(name, {})
        if not isinstance(given, Mapping):
            found.append(
                Fault(path + name, shown(given), "an object with this section's settings is expected")
            )
            continue
        known, faults = _check(kind, cast("Mapping[str, Any]", given), path=f"{path}{name}.")
        inner[name] = known
        found += faults + _broken_rules(kind, known, path=f"{path}{name}.")
    own = {name: value for name, value in values.items() if name not in nested}
    bad = _own_faults(model, own, path=path, found=found)
    good = model.model_validate(
        {name: value for name, value in own.items() if name not in bad} | _stand_ins(model, bad)
    )
    valid = {
        name: getattr(good, name) for name in model.model_fields if name not in bad and name not in nested
    }
    return _Known(good, valid | inner), found


def _own_faults(model: type[Section], own: Mapping[str, Any], *, path: str, found: list[Fault]) -> set[str]:
    """Adds the faults of the settings in `model` itself; returns the names that are wrong."""
    try:
        model.model_validate(own)
    except ValidationError as error:
        texts: dict[str, list[str]] = {}
        for fault in error.errors(include_url=False):
            name, *place = (str(part) for part in fault["loc"])
            texts.setdefault(name, []).append(_text(model, name, place, fault))
        for name, reasons in texts.items():
            value = shown(own[name]) if name in own else ""
            found.append(Fault(path + name, value, "; ".join(dict.fromkeys(reasons))))
        return set(texts)
    return set()


def _stand_ins(model: type[Section], bad: Iterable[str]) -> dict[str, Any]:
    """Values for settings that have no default and are wrong; nothing reads them."""
    return {
        name: "standin"
        for name in bad
        if name in model.model_fields and model.model_fields[name].is_required()
    }


def _text(model: type[Section], name: str, place: list[str], fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return f"no such setting{meant(name, model.model_fields)}: correct its name or remove it"
    if fault["type"] == "missing":
        return "is missing: add it"
    words = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "string_pattern_mismatch":
        words = f"must match {fault['ctx']['pattern']}"
    words = words.replace("Input should be", "must be")
    return f"{words} (at {'.'.join(place)})" if place else words


def _broken_rules(model: type[Section], known: _Known, *, path: str) -> list[Fault]:
    found: list[Fault] = []
    for each in model.rules:
        try:
            text = each(known)
        except _Unknown:
            continue  # what it reads is wrong itself, and is reported
        if text:
            setting = each.__dict__["settings"][0]
            found.append(Fault(path + setting, shown(_value(known, setting)), text))
    return found


def _value(known: _Known, setting: str) -> Any:
    value: Any = known
    for part in setting.split("."):
        value = getattr(value, part)
    return value


def meant(name: str, names: Iterable[str]) -> str:
    """` (did you mean "…"?)`, where one of `names` is near to `name`; else nothing."""
    near = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f' (did you mean "{near[0]}"?)' if near else ""


def shown(value: Any) -> str:
    """A value as it is in cdk.json, not too long."""
    text = json.dumps(value, default=lambda each: each.model_dump(), ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
