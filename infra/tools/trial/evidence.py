"""evidence.json: each assumption by name with what became of it (docs/schemas/evidence.schema.json)."""

import json
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from infra.settings import Settings
from infra.tools.trial.account import Account
from infra.tools.trial.assumption import Seen, evaluated
from infra.tools.trial.assumptions import ASSUMPTIONS
from infra.tools.trial.cost_bound import Bound
from infra.tools.trial.journal import Journal

ROOT = Path(__file__).resolve().parents[3]
MOST_CHARACTERS = 2000  # of one text of AWS's
PACKAGES = ("aws-cdk-lib", "boto3", "botocore")


def evidence(
    *, journal: Journal, settings: Settings, account: Account, bound: Bound, ended: str
) -> dict[str, Any]:
    """All that was seen so far. `ended` is the state of the trial: running, done, failed or interrupted."""
    seen = Seen(steps=journal.steps, settings=settings)

    def text(value: str) -> str:
        return account.redacted(value)[:MOST_CHARACTERS]

    assumptions: list[dict[str, Any]] = []
    for each in ASSUMPTIONS:
        verdict = evaluated(each, seen)
        entry = journal.steps.get(verdict.step)
        assumptions.append(
            {
                "name": each.name,
                "state": verdict.state,
                "words": [text(word) for word in verdict.words if word],
                "step": verdict.step,
                "at": entry.began if entry else "",
                "reason": text(verdict.reason),
            }
        )
    return {
        "format": 1,
        "state": ended,
        "stage": settings.stage,
        "overrides": {key: text(value) for key, value in journal.overrides.items()},
        "region": account.region,
        "account": account.number[-4:],
        "began": journal.began,
        "written": now(),
        "bound_usd": round(bound.usd, 2),
        "versions": versions(),
        "steps": {
            name: {
                "state": entry.state,
                "began": entry.began,
                "seconds": round(entry.seconds, 1),
                "words": [text(word) for word in entry.words],
                "error": text(entry.error),
            }
            for name, entry in journal.steps.items()
        },
        "assumptions": assumptions,
    }


def write(path: Path, record: dict[str, Any]) -> None:
    """The file, all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    part.replace(path)


def closing(record: dict[str, Any]) -> str:
    """The table at the end: an assumption a line, what needs a look first."""
    order = {"broken": 0, "held": 1, "not reached": 2, "not asked": 3}
    rows = sorted(record["assumptions"], key=lambda each: order[each["state"]])
    lines = [f"{each['state']:<11}  {each['name']:<20}  {_short(each)}".rstrip() for each in rows]
    counts = {state: sum(each["state"] == state for each in rows) for state in order}
    return "\n".join([*lines, "", ", ".join(f"{number} {state}" for state, number in counts.items())])


def _short(each: dict[str, Any]) -> str:
    words = " ".join((each["words"] or [each["reason"]])[0].split())
    return words if len(words) <= 100 or each["state"] == "broken" else f"{words[:97]}…"


@cache
def versions() -> dict[str, str]:
    """Of what decides what is sent to AWS; the commit ends with `-dirty` where files were changed."""
    locked = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    return {
        **{package: version(package) for package in PACKAGES},
        "aws-cdk": locked["node_modules/aws-cdk"]["version"],
        "commit": _commit(),
    }


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def now() -> str:
    """The time in UTC, to the second."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
