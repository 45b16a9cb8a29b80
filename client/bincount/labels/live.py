"""How good production was, as the stage's nightly join says it (docs/live-accuracy.md)."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bincount.errors import BincountError
from bincount.stage.objects import listed_below, read_if_there
from bincount.stage.stage import Stage

FIGURES = {
    "accuracy": "counted right",
    "within_one": "within one",
    "rmse": "RMSE",
    "coverage": "interval holds the count",
    "false_match": "false matches",
    "false_mismatch": "false mismatches",
    "review_rate": "asked for a person",
}
"""The figures of docs/schemas/live.schema.json, in the order of reading, as people say them."""
_WINDOW = "live/window.json"
_DAYS = "live/days/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """`window` is all days together, `days` the last ones by themselves, oldest first."""

    window: dict[str, Any]
    days: list[dict[str, Any]]


def live(stage: Stage, *, days: int) -> Live:
    """Reads what the last night's join wrote. Raises BincountError where there was none."""
    bucket, s3 = stage.bucket, stage.client("s3")
    window = read_if_there(s3, bucket, _WINDOW)
    if window is None:
        raise BincountError(
            "no night has joined answers and labels yet: set live.enabled, deploy, and look again after "
            "01:20 UTC"
        )
    keys = [each["Key"] for each in listed_below(s3, bucket, _DAYS)][-days:]
    found = [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]
    return Live(window=json.loads(window), days=found)


def image_of(stage: Stage, request_id: str) -> bytes | None:
    """The kept image of an answer; None where none was kept, it expired, or it was forgotten."""
    folder = f"images/{quote(request_id, safe='')}/"
    s3, bucket = stage.client("s3"), stage.bucket
    about = read_if_there(s3, bucket, f"{folder}answer.json")
    return None if about is None else read_if_there(s3, bucket, f"{folder}{json.loads(about)['image']}")


def shown(name: str, figure: dict[str, Any], *, interval: bool = True) -> str:
    """A figure with its interval: `71.0 % (62.1 to 78.9)`; a dash where there is not enough to say one."""
    value, low, high = figure["value"], figure["low"], figure["high"]
    one = _number if name == "rmse" else _percent
    bounds = f"{one(low)} to {one(high)}" if low is not None and high is not None else ""
    if value is None:
        return bounds if interval and bounds else "–"
    unit = "" if name == "rmse" else " %"
    return f"{one(value)}{unit}" + (f" ({bounds})" if interval and bounds else "")


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _number(value: float) -> str:
    return f"{value:.2f}"
