"""What executions on the embedded cloud gave their states' expressions: the files below recordings/.

`make recordings` renews them. Each file is of one machine: a list of moments, one a line.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recordings"


@dataclass(frozen=True, kw_only=True)
class Moment:
    """An instant of a state: what `$states` and the variables held, and what expressions gave then.

    `kind`: "entry" before its work is done, "result" after, "error" after it failed.
    """

    state: str
    kind: str
    states: dict[str, Any]
    variables: dict[str, Any]
    values: dict[str, Any]


@cache
def moments(machine: str) -> list[Moment]:
    """Those of a machine, by its name without system and stage (`pipeline-stop`)."""
    file = FOLDER / f"{machine}.jsonl"
    return [Moment(**json.loads(line)) for line in file.read_text().splitlines()] if file.is_file() else []


def kind_of(recorded: dict[str, Any]) -> str:
    """Of an evaluation as emulator/src/embedded_cloud/stepfunctions/evaluations.py writes it."""
    if recorded["error"] is not None:
        return "error"
    return "entry" if recorded["result"] is None else "result"
