"""The reports of drift of a stage's last days, and their page."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from bincount.stage.stage import Stage

NIGHTS = "drift/nights/"
_NOT_THERE = ("NoSuchKey", "404", "NotFound")


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
    s3 = stage.client("s3")
    return [_night(s3, stage.bucket, newest - timedelta(days=back)) for back in range(1, days + 1)]


def fetch_page(stage: Stage, night: NightReport, *, folder: Path) -> Path:
    """The night's page for people, below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"drift-{night.day}.html"
    body = stage.client("s3").get_object(Bucket=stage.bucket, Key=f"{_folder(night.day)}drift.html")["Body"]
    path.write_bytes(body.read())
    return path


def _night(s3: Any, bucket: str, day: date) -> NightReport:
    try:
        body = s3.get_object(Bucket=bucket, Key=f"{_folder(day)}drift.json")["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in _NOT_THERE:
            return NightReport(day=day, report=None)
        raise
    return NightReport(day=day, report=json.loads(body))


def _folder(day: date) -> str:
    return f"{NIGHTS}{day:%Y/%m/%d}/"
