"""What a run leaves to look at: the model that serves, training's report and the gate's page."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bincount.models.registry import ModelPackage
from bincount.runs.runs import Runs
from bincount.stage.stage import Stage
from bincount_core.s3_address import split_s3_address
from demo.screen import Screen


@dataclass(frozen=True, kw_only=True)
class Papers:
    """Files below the run's folder; what a stage did not write is None."""

    model: Path
    report: Path | None
    gate: Path | None


def keep_papers(stage: Stage, package: ModelPackage, *, folder: Path) -> Papers:
    """Write model.tar.gz, report.html and gate.html of `package` into `folder`, over an earlier run's."""
    report = gate = None
    if package.training_job:
        runs = Runs(stage=stage)
        page = runs.file(runs.run(package.training_job), "evaluation/report.html")
        report = _written(folder / "report.html", page)
    if package.report:
        gate = _written(folder / "gate.html", _read(stage, package.report))
    model = _written(folder / "model.tar.gz", _read(stage, package.model_data))
    return Papers(model=model, report=report, gate=gate)


def name_papers(papers: Papers | None, *, report: Path, screen: Screen) -> None:
    """Say where to look: at the run's report, training's and the gate's, and at the page for people."""
    if papers is None:
        return
    above = report.parents[2]
    named = {"report": report, "training's report": papers.report, "the gate's page": papers.gate}
    screen.console.print()
    for name, path in named.items():
        if path:
            screen.console.print(f"{name}: {path.relative_to(above)}", markup=False, soft_wrap=True)
    screen.console.print(
        f"the page for people, with this model: make try MODEL={papers.model.relative_to(above)}",
        markup=False,
        soft_wrap=True,
    )


def _read(stage: Stage, address: str) -> bytes:
    bucket, key = split_s3_address(address)
    body: Any = stage.client("s3").get_object(Bucket=bucket, Key=key)["Body"]
    content: bytes = body.read()
    return content


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
