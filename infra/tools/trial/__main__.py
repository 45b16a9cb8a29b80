"""`make account-trial`: reads the command line and the settings, takes the lock, runs the trial."""

import fcntl
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra import settings
from infra.tools.trial.account import Account, words_of
from infra.tools.trial.cost_bound import bound
from infra.tools.trial.journal import Journal, TrialError
from infra.tools.trial.options import Options, options
from infra.tools.trial.run import Trial

TRIAL = "trial"
NOT_BEGUN = 2


def main() -> int:
    """The exit status: 0 all held, 1 a step failed, 2 nothing was begun, 3 one is broken, 130 interrupted."""
    for number in (signal.SIGINT, signal.SIGTERM):  # the first is ignored in what a script starts with `&`
        signal.signal(number, signal.default_int_handler)
    try:
        given = options()
        _refuse_a_teams_own(given.stage)
        given.folder.mkdir(parents=True, exist_ok=True)
        with _alone(given.folder):
            journal = Journal(given.folder / "journal.json")
            if given.resume:
                if given.overrides and given.overrides != journal.overrides:
                    raise TrialError(f"this trial has the settings {journal.overrides}: give them or none")
                given = replace(given, overrides=journal.overrides)
            chosen = _settings(given)
            account = Account(chosen.region)
            most = bound(chosen, hours=given.hours)
            trial = Trial(options=given, settings=chosen, account=account, bound=most, journal=journal)
            return trial.run()
    except (TrialError, settings.SettingsError, BotoCoreError) as error:
        print(f"error: {error}", file=sys.stderr)
    except ClientError as error:
        print(f"error: {words_of(error)}", file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted; nothing was begun", file=sys.stderr)
    return NOT_BEGUN


def _refuse_a_teams_own(stage: str) -> None:
    """Raises TrialError for a stage that does not extend `trial`: a trial removes all of its stage."""
    name: str | None = stage
    while name != TRIAL:
        name = _context()["stages"].get(name, {}).get("extends")
        if name is None:
            raise TrialError(
                f"stage {stage} is not a trial's, and a trial removes its stage with all data: take "
                f'`{TRIAL}`, or add a stage to cdk.json with "extends": "{TRIAL}"'
            )


def _context() -> dict[str, Any]:
    return settings.context_of_cdk_json()


def _settings(given: Options) -> settings.Settings:
    context = {**_context(), "stage": given.stage, **given.overrides}
    chosen = settings.load(context.get, given=given.overrides)
    if chosen.release.approval != "manual":
        raise TrialError("a trial approves by itself: leave release.approval at manual")
    return chosen


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TrialError(f"another trial of this stage runs here ({folder})") from error
        yield


if __name__ == "__main__":
    sys.exit(main())
