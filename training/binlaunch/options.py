"""The command line of launch.py."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from binlaunch.errors import LaunchError
from bintrain.settings import Settings, allowed_values

TUNED = ("epochs", "batch-size", "learning-rate")


@dataclass(frozen=True, kw_only=True)
class Options:
    """One call. `flags` are train.py's, in kebab case, as far as they were given."""

    command: str
    stage: str
    region: str | None
    dataset: str | None
    wait: bool
    max_jobs: int | None
    max_runtime_seconds: int | None
    flags: dict[str, Any]


def parse(argv: Sequence[str]) -> Options:
    """Read a call; raises LaunchError with every wrong flag of train.py in one line."""
    given = vars(_parser().parse_args(argv))
    flags = {name: value for name in Settings.model_fields if (value := given.pop(name)) is not None}
    try:
        checked = Settings(**flags)
    except ValidationError as error:
        faults = [
            f"--{str(fault['loc'][0]).replace('_', '-')}: {_said(fault['msg'])}, came {fault['input']!r}"
            for fault in error.errors()
        ]
        raise LaunchError("; ".join(faults)) from None
    given.setdefault("max_jobs", None)
    return Options(**given, flags={name.replace("_", "-"): getattr(checked, name) for name in flags})


def _said(message: str) -> str:
    return message.removeprefix("Value error, ").lower()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="launch.py", description="Train in a deployed stage with the code of this working tree."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for command, text in (
        ("train", "one training job"),
        ("tune", "a tuning job over the stage's ranges of epochs, batch size and learning rate"),
    ):
        child = commands.add_parser(
            command, help=text, description=text.capitalize() + ".", allow_abbrev=False
        )
        _add_own(child, tunes=command == "tune")
        _add_hyperparameters(child, tunes=command == "tune")
    return parser


def _add_own(parser: argparse.ArgumentParser, *, tunes: bool) -> None:
    parser.add_argument("--stage", required=True, help="a stage of cdk.json that is deployed")
    parser.add_argument("--region", help="AWS region of the stage (default: your AWS configuration's)")
    parser.add_argument(
        "--dataset", metavar="S3URI", help="a sealed dataset (default: the stage's latest, from SSM)"
    )
    parser.add_argument("--wait", action="store_true", help="follow the job to its end; 1 if it fails")
    parser.add_argument(
        "--max-runtime-seconds", type=int, help="a job is stopped after this (default: the stage's)"
    )
    if tunes:
        parser.add_argument("--max-jobs", type=int, help="training jobs in all (default: the stage's)")


def _add_hyperparameters(parser: argparse.ArgumentParser, *, tunes: bool) -> None:
    title = "hyperparameters" + (" (given: the same in every trial, in place of the range)" if tunes else "")
    group = parser.add_argument_group(title)
    for name, field in Settings.model_fields.items():
        allowed = allowed_values(field)
        text = f"{field.description}{' (' + allowed + ')' if allowed else ''}"
        group.add_argument(
            f"--{name.replace('_', '-')}", dest=name, metavar="VALUE", help=text.replace("%", "%%")
        )
