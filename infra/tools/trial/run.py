"""A trial from its consent to its end, however that comes."""

import shutil
import time
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.settings import Settings
from infra.tools.trial import evidence
from infra.tools.trial.account import Account, words_of
from infra.tools.trial.commands import Commands, Progress
from infra.tools.trial.cost_bound import Bound
from infra.tools.trial.execution import stop_all
from infra.tools.trial.journal import REMOVING, STEPS, WORDS, Entry, Journal, StepFailed, TrialError
from infra.tools.trial.options import Options
from infra.tools.trial.steps_of_use import Removing, again_line, removal_lines

REMOVAL_SECONDS = 2 * 3600
FAULTS = (StepFailed, BotoCoreError, ClientError, OSError, KeyError, ValueError)
OK, FAILED, BROKEN, INTERRUPTED = 0, 1, 3, 130


class Trial:
    """One trial of a stage that nobody else uses; the exit status says how it ended."""

    def __init__(
        self, *, options: Options, settings: Settings, account: Account, bound: Bound, journal: Journal
    ) -> None:
        self._options = options
        self._settings = settings
        self._account = account
        self._bound = bound
        self._journal = journal
        self._progress = Progress()
        deadline = time.monotonic() + options.hours * 3600
        self._commands = Commands(log=options.folder / "trial.log", deadline=deadline, region=account.region)
        self._steps = Removing(
            options=options,
            settings=settings,
            account=account,
            commands=self._commands,
            journal=journal,
            progress=self._progress,
        )

    def run(self) -> int:
        """The steps that are asked for; 0 held, 1 a step failed, 3 something is broken, 130 interrupted."""
        try:
            return self._run()
        except KeyboardInterrupt:
            self._write("interrupted")
            print(f"\ninterrupted; evidence so far: {self._options.out}")
            self._say_what_is_left()
            return INTERRUPTED

    def _run(self) -> int:
        if self._options.remove:
            return self._end(self._remove())
        self._begin()
        if not self._journal.done("doctor") and not self._step("doctor"):
            self._write("failed")
            print(f"\nnothing was spent: correct what is missing, then {again_line(self._options)}")
            return FAILED
        self._consent()
        for step in STEPS:
            if not self._is_due(step) or self._step(step):
                continue
            self._write("failed")
            print(f"evidence so far: {self._options.out}", flush=True)
            if self._options.keep:
                self._say_what_is_left()
                return FAILED
            self._remove()
            return self._end(FAILED)
        return self._end(OK)

    def _begin(self) -> None:
        """Raises TrialError where the trial would collide with something."""
        names, options = self._steps.names, self._options
        if options.resume:
            if not self._journal.steps:
                raise TrialError(f"no trial of stage {options.stage} is under way here: leave --resume out")
            return
        if left := self._account.left(names):
            removal = removal_lines(options)
            go_on = (
                f"go on with {again_line(options, '--resume')}, or remove"
                if self._journal.spends
                else "remove"
            )
            raise TrialError(
                f"of stage {options.stage} there is already: {', '.join(left)}\n{go_on} it:\n  "
                + "\n  ".join(removal)
            )
        for folder in ("images", "recount"):
            shutil.rmtree(options.folder / folder, ignore_errors=True)
        self._journal.begin(at=evidence.now(), overrides=options.overrides)

    def _consent(self) -> None:
        """States the bound and asks for it, unless it was given. Raises TrialError where it is not."""
        options = self._options
        print(f"\nThe trial deploys stage {options.stage} into {self._account.region} and removes it again.")
        print(f"{self._bound}\nIf it is killed: {again_line(options, '--resume')}")
        print(f"or remove it:    {again_line(options, '--remove')}\n", flush=True)
        if options.budget_usd is not None and self._bound.usd > options.budget_usd:
            raise TrialError(f"that is above --budget-usd {options.budget_usd:g}: nothing was begun")
        if options.yes or self._journal.done("deploy"):
            return
        try:
            answer = input(f"Type yes to spend at most {self._bound.usd:.2f} dollars: ")
        except EOFError:
            answer = ""
        if answer.strip() != "yes":
            raise TrialError("nothing was begun: yes was not typed (or give --yes)")

    def _is_due(self, step: str) -> bool:
        options = self._options
        if step == "doctor" or step in options.skip:
            return False
        if options.only:
            return step in options.only
        if options.keep and step in REMOVING:
            return False
        return not self._journal.done(step)

    def _step(self, step: str) -> bool:
        """Whether it came to a good end; the journal and the evidence say so before this returns."""
        former = self._journal.steps.get(step, Entry())
        # What a step began and what it registered is not begun again.
        kept = {k: v for k, v in former.facts.items() if k in ("execution", "package", "artifacts")}
        entry = self._journal.steps[step] = Entry(began=evidence.now(), facts=kept)
        self._journal.save()
        self._progress.say(f"{step}: {WORDS[step]}")
        began = time.monotonic()
        try:
            if time.monotonic() > self._commands.deadline:
                raise StepFailed(f"the trial's {self._options.hours:g} hours are over")
            getattr(self._steps, step)(entry)
            if entry.state == "running":
                entry.state = "done"
        except FAULTS as error:
            entry.state = "failed"
            entry.error = words_of(error) if isinstance(error, ClientError) else str(error)
        finally:
            entry.seconds = time.monotonic() - began
            self._journal.save()
        self._write("running")
        reason = f": {self._account.redacted(entry.error)}" if entry.error else ""
        self._progress.say(f"{step} {entry.state} after {entry.seconds:.0f} s{reason}")
        return entry.state != "failed"

    def _remove(self) -> int:
        """Stops what runs, then removes all; it has a time of its own."""
        self._commands.deadline = time.monotonic() + REMOVAL_SECONDS
        self._progress.say("removing the stage")
        try:
            stop_all(
                self._account,
                self._steps.names,
                deadline=self._commands.deadline,
                say=self._progress.detail,
            )
        except FAULTS as error:
            self._progress.detail(f"not all was stopped: {self._account.redacted(str(error))}")
        if self._step("teardown"):
            return OK
        self._say_what_is_left()
        return FAILED

    def _end(self, code: int) -> int:
        record = self._write("failed" if code else "done")
        print(f"\n{evidence.closing(record)}\n\nevidence: {self._options.out}")
        if self._journal.spends:
            self._say_what_is_left()
        else:
            print("nothing of the stage is left (KMS deletes its key in 7 days)")
        print("next: open an issue with evidence.json; it holds no account number and no names of people")
        broken = any(each["state"] == "broken" for each in record["assumptions"])
        return code or (BROKEN if broken else OK)

    def _write(self, state: str) -> dict[str, Any]:
        record = evidence.evidence(
            journal=self._journal,
            settings=self._settings,
            account=self._account,
            bound=self._bound,
            ended=state,
        )
        evidence.write(self._options.out, record)
        return record

    def _say_what_is_left(self) -> None:
        options = replace(self._options, overrides=self._journal.overrides)
        print("the stage may still be up, and cost. Go on with:")
        print(f"  {again_line(options, '--resume')}")
        print(f"or remove it:\n  {again_line(options, '--remove')}\nwhich by hand is:")
        print("\n".join(f"  {line}" for line in removal_lines(options)), flush=True)
