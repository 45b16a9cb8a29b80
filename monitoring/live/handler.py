"""The Lambda function that looks at production every 20 minutes, and joins labels once a night.

Each run does what is due and was not done: the answers of the last hours, whether SageMaker still captures,
and in the first run of a day that comes late enough the join. A run that was killed or missed is made up for
by the next.
"""

import json
import logging
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from monitoring.aws import NAMESPACE, client
from monitoring.captures.hours import DAY, HOUR, hour_of
from monitoring.live.answers import write_hour
from monitoring.live.join import join_window, joined_on, night_of
from monitoring.live.promise import broken
from monitoring.live.silence import ARRIVES_WITHIN, missing_answers

log = logging.getLogger()
log.setLevel(logging.INFO)
_LATE_HOURS = 3
_NIGHT = timedelta(hours=1)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """One run; `{"join": true}` joins now, whether it is time or not. What it did, for the log."""
    return look(
        client("s3"),
        client("cloudwatch"),
        environment=os.environ,
        now=datetime.now(UTC),
        joins=bool(event.get("join")),
    )


def look(
    s3: Any, cloudwatch: Any, *, environment: Mapping[str, str], now: datetime, joins: bool = False
) -> dict[str, Any]:
    """The same with clients, settings and clock from outside."""
    bucket, folder = environment["BUCKET"], environment["CAPTURED"]
    days = int(environment["WINDOW_DAYS"])
    night = night_of(now, after=_NIGHT)
    due = joins or (night is not None and joined_on(s3, bucket=bucket) != night)
    hours = write_hours(s3, bucket=bucket, folder=folder, now=now, days=days if due else 0)
    missing = missing_answers(
        s3,
        cloudwatch,
        bucket=bucket,
        folder=folder,
        share=int(environment["CAPTURE_PERCENT"]) / 100,
        now=now,
    )
    metrics: dict[str, float] = {"capture_missing": missing}
    if due:
        window = join_window(s3, bucket=bucket, today=now.date(), days=days)
        metrics |= figures_of_night(window, floors=json.loads(environment["FLOORS"]))
    emit(metrics, endpoint=environment["ENDPOINT"])
    return {"hours": hours, "joined_days": days if due else 0, **metrics}


def write_hours(s3: Any, *, bucket: str, folder: str, now: datetime, days: int) -> int:
    """Writes the answers of hours that are over and whose files have come; how many hours were written."""
    last = hour_of(now - ARRIVES_WITHIN - HOUR)
    count = max(_LATE_HOURS, days * (DAY // HOUR) + now.hour)
    hours = [last - n * HOUR for n in range(count)]
    written = [write_hour(s3, bucket=bucket, folder=folder, hour=hour) for hour in hours]
    return sum(each is not None for each in written)


def figures_of_night(window: dict[str, Any], *, floors: Mapping[str, float]) -> dict[str, float]:
    """The metrics of a night: figures of the model that answered last, over the window."""
    if not window["model"]:
        return {"below_promise": 0.0, "live_labels": 0.0}
    model = window["models"][window["model"]]
    figures = model["figures"]
    wrong = broken(figures, floors)
    if wrong:
        log.warning("%s breaks what the gate promised: %s", window["model"], ", ".join(wrong))
    found = {
        "live_accuracy": figures["accuracy"]["value"],
        "live_accuracy_high": figures["accuracy"]["high"],
        "live_within_one": figures["within_one"]["value"],
        "live_review_rate": figures["review_rate"]["value"],
        "live_labels": float(model["labels"]),
        "below_promise": float(len(wrong)),
    }
    return {name: number for name, number in found.items() if number is not None}


def emit(metrics: Mapping[str, float], *, endpoint: str) -> None:
    """One line in CloudWatch's embedded metric format: it needs no right and no call."""
    about = {
        "Timestamp": int(time.time() * 1000),
        "CloudWatchMetrics": [
            {
                "Namespace": NAMESPACE,
                "Dimensions": [["endpoint"]],
                "Metrics": [{"Name": name, "Unit": "None"} for name in sorted(metrics)],
            }
        ],
    }
    print(json.dumps({"_aws": about, "endpoint": endpoint, **metrics}), flush=True)
