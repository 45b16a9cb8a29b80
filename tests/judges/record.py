"""Makes the files below recordings/ of what embedded clouds wrote down (`make recordings`)."""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import infra  # noqa: F401  (before any aws_cdk: its cache stays out of the home folder)
from tests.judges.recordings import FOLDER, kind_of, moments
from tests.judges.unrecorded_places import every_place, unreached

Recorded = dict[str, Any]
Moments = dict[str, dict[str, Any]]


def main(folder: Path) -> None:
    """Of each machine, the moments that bring an expression in a kind that none before has brought."""
    recorded = [
        json.loads(line) for file in sorted(folder.rglob("*.jsonl")) for line in file.read_text().splitlines()
    ]
    FOLDER.mkdir(exist_ok=True)
    for machine, known in _expressions().items():
        kept = _needed(_moments_of(recorded, machine, known).values())
        lines = [json.dumps(moment, sort_keys=True) for moment in kept]
        (FOLDER / f"{machine}.jsonl").write_text("".join(f"{_of_no_machine(line)}\n" for line in lines))
        print(f"{machine}: {len(lines)} moments, {sum(len(each['values']) for each in kept)} values")
    moments.cache_clear()
    for machine, state, kind in sorted(unreached()):
        print(f"not reached: {machine}, {state}, {kind} (tests/infra/test_machine_*.py may walk there)")


def _expressions() -> dict[str, set[tuple[str, str]]]:
    """{machine: (state, expression) of any stage}."""
    found: dict[str, set[tuple[str, str]]] = {}
    for machine, place in every_place():
        found.setdefault(machine, set()).add((place.state, place.text))
    return found


def _moments_of(recorded: list[Recorded], machine: str, known: set[tuple[str, str]]) -> Moments:
    """Those of a machine: by its name, or, where a test walked without one, by what only it has."""
    states = {state for state, _ in known}
    found: Moments = {}
    for each in recorded:
        by_name = each["machine"].partition("-")[2].partition("-")[2] == machine and each["state"] in states
        if not by_name and not (not each["machine"] and (each["state"], each["expression"]) in known):
            continue
        given = {"input": each["input"], "context": each["context"]}
        if each["result"] is not None:
            given["result"] = each["result"]
        if each["error"] is not None:
            given["errorOutput"] = each["error"]
        moment = {
            "state": each["state"],
            "kind": kind_of(each),
            "states": given,
            "variables": each["variables"],
        }
        stored = found.setdefault(json.dumps(moment, sort_keys=True), {**moment, "values": {}})
        stored["values"][each["expression"]] = each["value"]
    return found


def _of_no_machine(line: str) -> str:
    """Ports and folders of the machine that recorded say nothing; they go everywhere in the same way."""
    return re.sub(
        r"/tmp/[^\s\"'\\]+", "/tmp/cloud", re.sub(r"(127\.0\.0\.1|localhost):\d+", "127.0.0.1", line)
    )


def _needed(moments: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The longest first, so that few are enough; in an order that stays."""
    brought: set[tuple[str, str, str, str]] = set()
    kept: list[dict[str, Any]] = []
    for moment in sorted(moments, key=lambda each: (each["state"], each["kind"], -len(each["values"]))):
        brings = {
            (moment["state"], moment["kind"], text, json.dumps(value) if isinstance(value, bool) else "")
            for text, value in moment["values"].items()
        }
        if not brings <= brought:
            brought |= brings
            kept.append(moment)
    return kept


if __name__ == "__main__":
    main(Path(sys.argv[1]))
