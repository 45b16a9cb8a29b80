"""The options of a trial."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from infra.tools.trial.journal import OPTIONAL, STEPS, TrialError

ROOT = Path(__file__).resolve().parents[3]
HOURS = 5.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """`only` and `skip` name steps; `out` is evidence.json, `folder` holds all else of the stage."""

    stage: str
    overrides: dict[str, str]
    yes: bool
    budget_usd: float | None
    hours: float
    keep: bool
    resume: bool
    remove: bool
    only: tuple[str, ...]
    skip: tuple[str, ...]
    despite: tuple[str, ...]
    folder: Path
    out: Path

    @property
    def context(self) -> list[str]:
        """The settings as the CDK and the tools of infra take them."""
        return [word for key, value in self.overrides.items() for word in ("-c", f"{key}={value}")]


def options() -> Options:
    """The command line's. Raises TrialError for what does not go together."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.tools.trial",
        description="Runs the whole path small in a real account, and writes evidence.json. It costs money.",
    )
    parser.add_argument("--stage", default="trial", help="`trial`, or a stage of cdk.json that extends it")
    parser.add_argument(
        "-c",
        "--override",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting, as cdk -c takes it",
    )
    parser.add_argument("--yes", action="store_true", help="spend up to the bound without asking")
    parser.add_argument(
        "--budget-usd", type=float, metavar="N", help="do not begin where the bound is above N"
    )
    parser.add_argument(
        "--hours", type=float, default=HOURS, help=f"end and remove all after so long ({HOURS:g})"
    )
    parser.add_argument("--keep", action="store_true", help="leave the stage up, also after a failure")
    parser.add_argument(
        "--resume", action="store_true", help="go on where the last trial of the stage stopped"
    )
    parser.add_argument("--remove", action="store_true", help="only remove what the last trial left")
    names = "one of " + ", ".join(STEPS)
    parser.add_argument("--only", action="append", default=[], metavar="STEP", choices=STEPS, help=names)
    parser.add_argument(
        "--skip", action="append", default=[], metavar="STEP", choices=OPTIONAL, help="leave it out"
    )
    parser.add_argument(
        "--despite", action="append", default=[], metavar="FINDING", help="go on though the doctor misses it"
    )
    parser.add_argument("--folder", type=Path, help="journal, logs, images (build/account-trial/<stage>)")
    parser.add_argument("--out", type=Path, help="the evidence (evidence.json in that folder)")
    given = parser.parse_args()
    wrong = [pair for pair in given.override if "=" not in pair]
    if wrong:
        raise TrialError(f"-c {wrong[0]}: KEY=VALUE is expected, such as -c region=eu-west-1")
    if given.only and not given.resume:
        raise TrialError("--only does single steps of a trial that is under way: give --resume --keep too")
    if given.hours <= 0 or (given.budget_usd is not None and given.budget_usd <= 0):
        raise TrialError("--hours and --budget-usd must be above 0")
    folder = (given.folder or ROOT / "build" / "account-trial" / given.stage).resolve()
    return Options(
        stage=given.stage,
        overrides=dict(pair.split("=", 1) for pair in given.override),
        yes=given.yes,
        budget_usd=given.budget_usd,
        hours=given.hours,
        keep=given.keep or bool(given.only),
        resume=given.resume or given.remove,
        remove=given.remove,
        only=tuple(given.only),
        skip=tuple(given.skip),
        despite=tuple(given.despite),
        folder=folder,
        out=(given.out or folder / "evidence.json").resolve(),
    )
