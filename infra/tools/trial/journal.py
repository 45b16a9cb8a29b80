"""The steps of a trial, how one fails, and what was done so far, on disk: `--resume` goes on from it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal


class TrialError(Exception):
    """Nothing was spent; the text says what to do."""


class StepFailed(Exception):
    """A step did not reach its end; the text holds AWS's own words."""


STEPS = (
    "doctor",
    "deploy",
    "pipeline",
    "approve",
    "count",
    "recount",
    "second",
    "rollback",
    "destroy",
    "again",
    "teardown",
)
REMOVING = ("destroy", "again", "teardown")
OPTIONAL = ("recount", "second", "rollback", "again")
WORDS = {
    "doctor": "what the account still needs, and the CDK's own stack in it",
    "deploy": "npx cdk deploy --all",
    "pipeline": "prepare, train and tune, gate, register",
    "approve": "bincount models approve: the endpoint comes up",
    "count": "bincount count over HTTPS, and a file that is not an image",
    "recount": "bincount site s3://…: a batch transform",
    "second": "the gate evaluates the other trial's model, and it takes over",
    "rollback": "bincount models rollback: the first model serves again",
    "destroy": "npx cdk destroy --all",
    "again": "make adopt, and a deploy onto what was kept",
    "teardown": "npx cdk destroy --all, make teardown",
}


State = Literal["running", "done", "failed", "skipped"]


@dataclass(kw_only=True)
class Entry:
    """One step. `words` are AWS's own (ids, statuses), `facts` what checks read, `error` why it failed."""

    state: State = "running"
    began: str = ""
    seconds: float = 0.0
    words: list[str] = field(default_factory=list[str])
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    error: str = ""


class Journal:
    """The steps of one trial by name; `save` after each change. `settings` are those that it began with."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.steps: dict[str, Entry] = {}
        self.overrides: dict[str, str] = {}
        self.began = ""
        if path.is_file():
            kept = json.loads(path.read_text(encoding="utf-8"))
            self.overrides, self.began = kept["overrides"], kept["began"]
            self.steps = {name: Entry(**entry) for name, entry in kept["steps"].items()}

    def begin(self, *, at: str, overrides: Mapping[str, str]) -> None:
        """Forget what the file held, for a new trial."""
        self.steps, self.overrides, self.began = {}, dict(overrides), at
        self.save()

    def done(self, step: str) -> bool:
        """Whether that step came to a good end, or was left out for a reason."""
        return step in self.steps and self.steps[step].state in ("done", "skipped")

    @property
    def spends(self) -> bool:
        """Whether something of the stage may be in the account."""
        return "deploy" in self.steps and not self.done("teardown")

    def save(self) -> None:
        """Write it, all or nothing."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        kept = {
            "began": self.began,
            "overrides": self.overrides,
            "steps": {name: asdict(entry) for name, entry in self.steps.items()},
        }
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
        part.replace(self._path)
