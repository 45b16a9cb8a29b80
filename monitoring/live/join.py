"""Joins answers and labels by request id: joined/yyyy/mm/dd/joined.jsonl and live/days/yyyy-mm-dd.json.

The day is that of the answer, so that a late label changes the day that it belongs to. Every night all days
of the window are joined anew from the hours' answers (live/answers/) and all labels of that time. Nothing is
remembered between two nights: what was killed, missed, or corrected later comes out right in the next.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from monitoring.aws import read_if_there
from monitoring.captures.hours import DAY, HOUR
from monitoring.labels.record import LabelEvent
from monitoring.live.answers import read_hour
from monitoring.live.last_labels import last_labels
from monitoring.live.tally import Tally, error_of

JOINED = "joined/"
DAYS = "live/days/"
WINDOW = "live/window.json"
_WORST = 24
Pair = tuple[dict[str, Any], LabelEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """One day: its sums, and its labelled answers in the order of their ids."""

    day: date
    tally: Tally
    pairs: list[Pair]
    seen: dict[str, int]

    def lines(self) -> Iterator[bytes]:
        """docs/schemas/joined.schema.json."""
        for answer, event in self.pairs:
            kind = (answer["model"], answer["review"], answer["verdict"])
            error = error_of(answer, event.label.count)
            document = {
                "schema_version": 1,
                **answer,
                "verdict": answer["verdict"] or None,
                "label": event.label.count,
                "labelled_at": event.time,
                "label_request_id": event.call,
                "error": error,
                "weight": round(self.tally.weight(kind), 6),
            }
            yield json.dumps(document).encode() + b"\n"


def join_window(s3: Any, *, bucket: str, today: date, days: int) -> dict[str, Any]:
    """Joins the `days` days before `today` and writes what changed, oldest first; the window's summary.

    The window's summary is written last: where it is of today, all is done. Run twice it writes the same
    bytes. A label is looked for in days after the answer and, since clocks differ, the day before it.
    """
    first = today - days * DAY
    labels = last_labels(s3, bucket=bucket, days=[first + (n - 1) * DAY for n in range(days + 2)])
    joined: list[Joined] = []
    unmatched = set(labels)
    for number in range(days):
        one = join_day(s3, bucket=bucket, day=first + number * DAY, labels=labels)
        unmatched -= {answer["request_id"] for answer, _ in one.pairs}
        joined.append(one)
        write_day(s3, bucket=bucket, joined=one)
    summary = window_summary(joined, today=today, unmatched=len(unmatched))
    put_json(s3, bucket=bucket, key=WINDOW, document=summary)
    return summary


def join_day(s3: Any, *, bucket: str, day: date, labels: dict[str, LabelEvent]) -> Joined:
    """The answers of one day, by hour, with the labels that they have."""
    midnight = datetime.combine(day, time(), tzinfo=UTC)
    tally, wanted = Tally(), set(labels)
    found: dict[str, dict[str, Any]] = {}
    seen: dict[str, int] = dict.fromkeys(("unreadable", "without_count", "repeated"), 0)
    for number in range(DAY // HOUR):
        hour = read_hour(s3, bucket=bucket, hour=midnight + number * HOUR)
        if hour is None:
            continue
        tally.answers.update(hour.kinds)
        for name in seen:
            seen[name] += hour.counts[name]
        for answer in hour.of(wanted):
            found[answer["request_id"]] = answer
    pairs = [(found[request_id], labels[request_id]) for request_id in sorted(found)]
    for answer, event in pairs:
        tally.take(answer, event.label.count)
    return Joined(day=day, tally=tally, pairs=pairs, seen=seen)


def write_day(s3: Any, *, bucket: str, joined: Joined) -> None:
    """The day's lines, then its summary; nothing for a day without traffic, unless it had some before."""
    key = f"{JOINED}{joined.day:%Y/%m/%d}/joined.jsonl"
    _put_if_changed(s3, bucket=bucket, key=key, body=b"".join(joined.lines()), kind="application/jsonl")
    if joined.tally.answers:
        put_json(s3, bucket=bucket, key=f"{DAYS}{joined.day}.json", document=day_summary(joined))


def day_summary(joined: Joined) -> dict[str, Any]:
    """docs/schemas/live.schema.json."""
    return {
        "schema_version": 1,
        "day": str(joined.day),
        "answers": sum(joined.tally.answers.values()),
        **{name: joined.seen[name] for name in ("unreadable", "without_count", "repeated")},
        "models": joined.tally.to_json(),
    }


def window_summary(joined: list[Joined], *, today: date, unmatched: int) -> dict[str, Any]:
    """All days together, the model that answered last, and its answers that were most wrong."""
    tally, newest = Tally(), None
    for one in joined:
        tally.add(one.tally)
        if one.tally.models:
            newest = max(one.tally.models, key=lambda model: _answers_of(one.tally, model))
    pairs = [(one.day, *pair) for one in joined for pair in one.pairs]
    worst = sorted(pairs, key=lambda pair: (_badness(pair[1], pair[2]), pair[1]["request_id"]))
    return {
        "schema_version": 1,
        "joined_on": str(today),
        "first_day": str(joined[0].day),
        "last_day": str(joined[-1].day),
        "model": newest,
        "models": tally.to_json(),
        "labels_without_answer": unmatched,
        "worst": [
            {
                "day": str(day),
                "label": event.label.count,
                **{name: answer[name] for name in _SHOWN},
                "verdict": answer["verdict"] or None,
                "error": error_of(answer, event.label.count),
            }
            for day, answer, event in worst[:_WORST]
            if error_of(answer, event.label.count)
        ],
    }


_SHOWN = ("request_id", "model", "count", "at_least", "interval", "confidence", "review", "expected")


def _answers_of(tally: Tally, model: str) -> tuple[int, str]:
    return sum(number for kind, number in tally.answers.items() if kind[0] == model), model


def _badness(answer: dict[str, Any], event: LabelEvent) -> tuple[bool, int, float]:
    """Wrong and sure comes first: what asked for review was not believed anyway."""
    error = error_of(answer, event.label.count)
    return (answer["review"], -abs(error), -answer["confidence"])


def put_json(s3: Any, *, bucket: str, key: str, document: dict[str, Any]) -> None:
    """Stores a document, unless it is there already."""
    body = json.dumps(document, indent=1).encode() + b"\n"
    _put_if_changed(s3, bucket=bucket, key=key, body=body, kind="application/json")


def _put_if_changed(s3: Any, *, bucket: str, key: str, body: bytes, kind: str) -> None:
    """In a bucket with versions an equal object would be one more version; of no bytes none is made."""
    if (read_if_there(s3, bucket, key) or b"") != body:
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=kind)


def joined_on(s3: Any, *, bucket: str) -> date | None:
    """The day of the last complete join; None before the first."""
    stored = read_if_there(s3, bucket, WINDOW)
    return None if stored is None else date.fromisoformat(json.loads(stored)["joined_on"])


def night_of(now: datetime, *, after: timedelta) -> date | None:
    """The day whose night has come: captured files of yesterday's last hour have had `after` to arrive."""
    now = now.astimezone(UTC)
    return now.date() if now - datetime.combine(now.date(), time(), tzinfo=UTC) >= after else None
