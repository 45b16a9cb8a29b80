"""The reports of drift of a stage's last days, and their page."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bincount.stage.objects import read_if_there
from bincount.stage.stage import Stage

NIGHTS = "drift/nights/"


@dataclass(frozen=True, slots=True, kw_only=True)
class NightReport:
    """One day (UTC). `report`: its drift.json (docs/schemas/drift.schema.json), None where there is none."""

    day: date
    report: dict[str, Any] | None

    @property
    def drifted(self) -> bool:
        """Whether something had changed."""
        return self.report is not None and bool(self.report["drifted"])

    @property
    def state(self) -> str:
        """One or two words for a table."""
        if self.report is None:
            return "no report"
        if not self.report["tested"]:
            return "not compared"
        return "changed" if self.drifted else "as it was"


def last_nights(stage: Stage, *, days: int, today: date | None = None) -> list[NightReport]:
    """The `days` days before `today` (default: now, UTC), the newest first."""
    newest = today or datetime.now(UTC).date()
    s3, bucket = stage.client("s3"), stage.bucket
    return [_night(s3, bucket, newest - timedelta(days=back)) for back in range(1, days + 1)]


def fetch_page(stage: Stage, night: NightReport, *, folder: Path) -> Path:
    """The night's page for people, below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"drift-{night.day}.html"
    body = stage.client("s3").get_object(Bucket=stage.bucket, Key=f"{_folder(night.day)}drift.html")["Body"]
    path.write_bytes(body.read())
    return path


def _night(s3: Any, bucket: str, day: date) -> NightReport:
    body = read_if_there(s3, bucket, f"{_folder(day)}drift.json")
    return NightReport(day=day, report=None if body is None else json.loads(body))


def _folder(day: date) -> str:
    return f"{NIGHTS}{day:%Y/%m/%d}/"
