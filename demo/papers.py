"""What a run leaves to look at: the model that serves, training's report and the gate's page."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bincount.models.registry import ModelPackage
from bincount.runs.runs import Runs
from bincount.stage.stage import Stage
from bincount_core.s3_address import split_s3_address


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


def _read(stage: Stage, address: str) -> bytes:
    bucket, key = split_s3_address(address)
    body: Any = stage.client("s3").get_object(Bucket=bucket, Key=key)["Body"]
    content: bytes = body.read()
    return content


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
