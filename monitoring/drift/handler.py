"""The Lambda function of drift's state machine: `plan` ahead of the job, `compare` behind it."""

import json
import logging
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from monitoring.aws import NAMESPACE, client
from monitoring.drift.places import OBSERVATIONS, Night, baseline_folder, night_of
from monitoring.drift.plan import ABOUT, Wanted, plan_night

log = logging.getLogger()
log.setLevel(logging.INFO)
_LATEST = timedelta(days=13)  # CloudWatch takes no older figure


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"step": "plan", "day": null | "yyyy-mm-dd", "started": "…"}` or `{"step": "compare", "plan": {…}}`.

    Each step may be done twice: it writes the same objects again.
    """
    if event["step"] == "plan":
        return _plan(night_of(event["day"], started=event["started"]))
    return _compare(event["plan"])


def _plan(night: Night) -> dict[str, Any]:
    wanted = Wanted(
        bucket=os.environ["BUCKET"],
        captures=os.environ["CAPTURES"],
        answers=int(os.environ["MOST_ANSWERS"]),
        images=int(os.environ["MOST_IMAGES"]),
        image_share=float(os.environ["IMAGE_SHARE"]),
    )
    plan = plan_night(client("s3"), night=night, wanted=wanted)
    if plan["reason"]:
        from monitoring.drift.report import untested

        _publish(untested(plan, nights_per_alarm=_nights_per_alarm()), night)
    log.info("%s", plan)
    return plan


def _compare(plan: dict[str, Any]) -> dict[str, Any]:
    # Imported here: planning needs no numpy.
    from monitoring.drift.compare import Baseline
    from monitoring.drift.observation import Observations
    from monitoring.drift.report import report_of

    night = night_of(plan["day"], started="")
    folder = baseline_folder(plan["model"])
    about = json.loads(_read(f"{folder}{ABOUT}"))
    baseline = Baseline(
        Observations.of_file(_read(f"{folder}{OBSERVATIONS}")), sizes=about["sizes"] == "original"
    )
    answers = Observations.of_answers(json.loads(_read(night.answers))["rows"])
    images = Observations.of_file(_read(f"{night.observed}{OBSERVATIONS}")) if plan["images"] else None
    families = baseline.compare(
        day=plan["day"], answers=answers, images=images, nights_per_alarm=_nights_per_alarm()
    )
    report = report_of(
        families,
        plan=plan,
        nights={"answers": answers, **({} if images is None else {"images": images})},
        reference=baseline.reference,
        nights_per_alarm=_nights_per_alarm(),
    )
    _publish(report, night)
    return {name: report[name] for name in ("day", "model", "tested", "drifted", "summary")}


def _publish(report: dict[str, Any], night: Night) -> None:
    """The page, the figures for the alarm, and last the report."""
    from monitoring.drift.page import page

    _write(night.page, page(report).encode(), kind="text/html; charset=utf-8")
    _put_metrics(report, night)
    _write(night.report, json.dumps(report, indent=1).encode() + b"\n", kind="application/json")


def _put_metrics(report: dict[str, Any], night: Night) -> None:
    """At the day's end. A night that was not tested has no figure of drift, and rings no alarm."""
    end = datetime(night.day.year, night.day.month, night.day.day, tzinfo=UTC) + timedelta(days=1)
    now = datetime.now(UTC)
    if not now - _LATEST < end <= now:
        return
    figures = {"drift-answers": float(report["answers"])}
    if report["tested"]:
        figures["drift"] = float(report["drifted"])
    dimensions = [{"Name": "endpoint", "Value": os.environ["ENDPOINT"]}]
    client("cloudwatch").put_metric_data(
        Namespace=NAMESPACE,
        MetricData=[
            {"MetricName": name, "Dimensions": dimensions, "Timestamp": end, "Value": value}
            for name, value in figures.items()
        ],
    )


def _nights_per_alarm() -> int:
    return int(os.environ["NIGHTS_PER_ALARM"])


def _read(key: str) -> bytes:
    try:
        return client("s3").get_object(Bucket=os.environ["BUCKET"], Key=key)["Body"].read()
    except ClientError as error:
        raise RuntimeError(
            f"{key} cannot be read ({error}): start the execution again with this day"
        ) from error


def _write(key: str, body: bytes, *, kind: str) -> None:
    client("s3").put_object(Bucket=os.environ["BUCKET"], Key=key, Body=body, ContentType=kind)
