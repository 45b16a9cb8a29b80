"""What a trial has done so far, on disk: `--resume` goes on from it, the evidence is made of it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

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
            told = json.loads(path.read_text(encoding="utf-8"))
            self.overrides, self.began = told["overrides"], told["began"]
            self.steps = {name: Entry(**entry) for name, entry in told["steps"].items()}

    def begin(self, *, at: str, overrides: Mapping[str, str]) -> None:
        """Forget what stood there, for a new trial."""
        self.steps, self.overrides, self.began = {}, dict(overrides), at
        self.save()

    def done(self, step: str) -> bool:
        """Whether that step came to a good end, or was left out for a reason."""
        return step in self.steps and self.steps[step].state in ("done", "skipped")

    @property
    def spends(self) -> bool:
        """Whether something of the stage may stand in the account."""
        return "deploy" in self.steps and not self.done("teardown")

    def save(self) -> None:
        """Write it, all or nothing."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        told = {
            "began": self.began,
            "overrides": self.overrides,
            "steps": {name: asdict(entry) for name, entry in self.steps.items()},
        }
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        part.replace(self._path)
