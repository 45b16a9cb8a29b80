"""The training runs of a stage, as Python objects."""

from bincount.errors import BincountError
from bincount.runs.output import read_output
from bincount.runs.run import Details, Run, find_run, find_runs, read_details
from bincount.stage.stage import Stage


class Runs:
    """What `bincount runs` shows, to compute with; docs/notebooks/runs.ipynb uses all of it."""

    def __init__(
        self, *, stage: str | Stage = "dev", region: str | None = None, profile: str | None = None
    ) -> None:
        self._stage = Stage(stage, region=region, profile=profile) if isinstance(stage, str) else stage

    def newest(self, most: int = 20) -> list[Run]:
        """The newest first, whatever became of them."""
        return find_runs(self._stage, most=most)

    def run(self, name: str) -> Run:
        """The training job of that name. Raises BincountError where there is none."""
        return find_run(self._stage, name)

    def details(self, run: Run) -> Details | None:
        """Its settings, and its metrics by epoch; None where it wrote nothing."""
        return read_details(self._stage, run)

    def file(self, run: Run, name: str) -> bytes:
        """A file that it wrote beside its model, such as `evaluation/report.html` or `MODEL_CARD.md`.

        Raises BincountError where it wrote none of that name.
        """
        found = read_output(self._stage, run.output, [name]) if run.output else {}
        if name not in found:
            raise BincountError(f"{run.name} is {run.job.status} and has written no {name}")
        return found[name]
