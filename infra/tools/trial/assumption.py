"""What an assumption about AWS is, and the few ways in which a trial settles one."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from infra.settings import Settings
from infra.tools.trial.journal import Entry

State = Literal["held", "broken", "not reached", "not asked"]
Part = Literal[
    "Before the deploy", "While it is deployed", "The pipeline", "The release", "Answers", "Removing"
]
Ground = Literal["D", "M", "P", "B"]
TRIAL = "make account-trial"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of an assumption; `words` are AWS's own, `step` is where they were said."""

    state: State
    words: tuple[str, ...] = ()
    step: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """All that a check may look at: the steps so far and the settings of the stage."""

    steps: Mapping[str, Entry]
    settings: Settings

    def fact(self, step: str, name: str, default: Any = None) -> Any:
        """A fact of a step; `default` where the step was not reached or did not see it."""
        return self.steps[step].facts.get(name, default) if step in self.steps else default


Check = Callable[[Seen], Verdict]


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """A line of docs/first-account.md. `check` is None where a trial cannot ask; `because` says why."""

    name: str
    part: Part
    believed: str
    ground: Ground
    why: str
    shows: str
    command: str
    by: Literal["doctor", "trial", "doctor, trial", "nobody yet"]
    check: Check | None = None
    because: str = ""


def evaluated(assumption: Assumption, seen: Seen) -> Verdict:
    """The verdict; a check that meets what it did not expect is `not reached`, and says so."""
    if assumption.check is None:
        return Verdict(state="not asked", reason=assumption.because)
    try:
        return assumption.check(seen)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        return Verdict(state="not reached", reason=f"the check did not understand what it saw: {error!r}")


def passed(step: str, *, signs: str = r"(?!)", state: str = "") -> Check:
    """Held where the step is done, or has left `state`; broken where its error matches `signs`."""
    pattern = re.compile(signs, re.IGNORECASE)

    def check(seen: Seen) -> Verdict:
        entry = seen.steps.get(step)
        if entry is None or entry.state == "skipped":
            return Verdict(state="not reached", step=step, reason=entry.error if entry else "")
        left = state in entry.facts.get("left", ()) if state else entry.state == "done"
        if left:
            words = tuple(entry.words) or (f"{state or step} came to its end",)
            return Verdict(state="held", step=step, words=words)
        if pattern.search(entry.error):
            return Verdict(state="broken", step=step, words=(entry.error,))
        return Verdict(state="not reached", step=step, reason=entry.error[:500])

    return check


def fact(step: str, name: str, *, right: Callable[[Any], bool], missing: str = "") -> Check:
    """Held where the fact is `right`, broken where it is not; not reached where the step did not see it."""

    def check(seen: Seen) -> Verdict:
        value = seen.fact(step, name)
        if value is None or value == []:
            return Verdict(state="not reached", step=step, reason=missing)
        return Verdict(state="held" if right(value) else "broken", step=step, words=_words(value))

    return check


def every(*checks: Check) -> Check:
    """Broken where one is, else not reached where one is not, else held; the words of all that settle it."""

    def check(seen: Seen) -> Verdict:
        found = [each(seen) for each in checks]
        for state in ("broken", "not asked", "not reached"):
            for verdict in found:
                if verdict.state == state:
                    return verdict
        words = tuple(dict.fromkeys(word for verdict in found for word in verdict.words))
        return Verdict(state="held", step=found[-1].step, words=words)

    return check


def only_if(condition: Callable[[Settings], bool], reason: str, check: Check) -> Check:
    """`check` where the stage's settings let it be asked; else not asked, for `reason`."""
    return lambda seen: check(seen) if condition(seen.settings) else Verdict(state="not asked", reason=reason)


def _words(value: Any) -> tuple[str, ...]:
    several: list[Any] = list(value) if isinstance(value, list | tuple) else [value]  # pyright: ignore[reportUnknownArgumentType]
    return tuple(str(each) or "nothing" for each in several)
