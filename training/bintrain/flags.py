"""The command line: kebab-case flags as SageMaker's toolkit passes them, all faults of a call at once."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from bintrain.errors import TrainingError
from bintrain.paths import PLACES, Places, find_places
from bintrain.settings import Machine, Settings, allowed_values

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One job as it was asked for."""

    settings: Settings
    machine: Machine
    places: Places


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise TrainingError(f"the command line does not parse: {message}. See train.py --help")


def parse_call(argv: Sequence[str], *, env: Mapping[str, str]) -> Call:
    """Read flags (booleans as `--flag True`) and SageMaker's environment.

    Raises TrainingError with every fault in one line: unknown flags, values out of bounds, missing folders.
    """
    parser = _build_parser()
    known, unknown = parser.parse_known_args(argv)
    given = {name: value for name, value in vars(known).items() if value is not None}
    faults = _unknown_faults(unknown, flags=list(vars(known)))
    settings = _validate(Settings, given, faults=faults)
    machine = _validate(Machine, given, faults=faults)
    places, missing = find_places(flags=given, env=env)
    faults += missing
    if faults or settings is None or machine is None or places is None:
        raise TrainingError("the job cannot start: " + "; ".join(faults))
    return Call(settings=settings, machine=machine, places=places)


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="train.py", description="Train and export a bin counter.", allow_abbrev=False)
    for title, model in (("hyperparameters", Settings), ("machine", Machine)):
        group = parser.add_argument_group(title)
        for name, field in model.model_fields.items():
            allowed = allowed_values(field)
            text = f"{field.description} (default {field.default}{'; ' + allowed if allowed else ''})"
            group.add_argument(_flag(name), dest=name, metavar="VALUE", help=text.replace("%", "%%"))
    group = parser.add_argument_group("folders")
    for name, (variable, text) in PLACES.items():
        group.add_argument(_flag(name), dest=name, metavar="DIR", help=f"{text}; else ${variable}")
    return parser


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _validate(model: type[Model], given: Mapping[str, Any], *, faults: list[str]) -> Model | None:
    try:
        return model(**{name: value for name, value in given.items() if name in model.model_fields})
    except ValidationError as error:
        for fault in error.errors():
            name = str(fault["loc"][0])
            message = fault["msg"].removeprefix("Value error, ")
            text = message[0].lower() + message[1:]
            meaning = model.model_fields[name].description
            faults.append(f"{_flag(name)}: {text}, came {fault['input']!r} ({meaning})")
        return None


def _unknown_faults(unknown: Sequence[str], *, flags: Sequence[str]) -> list[str]:
    names = [_flag(name) for name in flags]
    faults: list[str] = []
    for item in unknown:
        if item.startswith("--"):
            near = difflib.get_close_matches(item.split("=")[0], names, n=1)
            advice = f"did you mean {near[0]}?" if near else "see train.py --help"
            faults.append(f"{item}: unknown flag; {advice}")
    if not faults and unknown:
        faults.append(f"{' '.join(unknown)}: not a flag; write --name value, see train.py --help")
    return faults
