"""What a night costs: an hour of 100,000 captured answers made short, and joined to labels. Time and memory.

    python benchmarks/live_accuracy.py [--answers 100000] [--labels 1000]

The lines are those that the embedded cloud captured of the real server, with ids of their own. S3 is a
dictionary in this process: what is measured is the function's own work, not the network.
"""

import argparse
import hashlib
import io
import json
import resource
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from monitoring.labels.body import Label
from monitoring.labels.record import LabelEvent
from monitoring.live.answers import key_of, write_hour
from monitoring.live.join import join_window

RECORDING = Path(__file__).parents[1] / "tests" / "unit" / "monitoring" / "recordings" / "captured.jsonl"
FOLDER = "capture/bincount-dev/AllTraffic/"
HOUR = datetime(2026, 11, 28, 17, tzinfo=UTC)
FILES = 60


class Memory:
    """As much of S3 as the function uses."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {}

    def put_object(self, *, Key: str, Body: bytes, Metadata: dict[str, str] | None = None, **_: Any) -> None:
        self.objects[Key] = (Body, Metadata or {})

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:
        body, metadata = self._found(Key)
        stream: Any = StreamingBody
        return {"Body": stream(io.BytesIO(body), len(body)), "Metadata": metadata}

    def head_object(self, *, Key: str, **_: Any) -> dict[str, Any]:
        return {"Metadata": self._found(Key)[1]}

    def get_paginator(self, _: str) -> "Memory":
        return self

    def paginate(self, *, Prefix: str, **_: Any) -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": key} for key in sorted(self.objects) if key.startswith(Prefix)]}]

    def _found(self, key: str) -> tuple[bytes, dict[str, str]]:
        if key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return self.objects[key]


def id_of(number: int) -> str:
    """An id that compresses as little as those of API Gateway."""
    return hashlib.sha256(str(number).encode()).hexdigest()[:32]


def fill(s3: Memory, *, answers: int, labels: int) -> None:
    """Captured files of an hour, and labels of the first answers."""
    line = RECORDING.read_text(encoding="utf-8").splitlines()[1]
    files: list[list[str]] = [[] for _ in range(FILES)]
    for number in range(answers):
        files[number % FILES].append(line.replace("call-01", id_of(number)))
    for number, lines in enumerate(files):
        body = ("\n".join(lines) + "\n").encode()
        s3.put_object(Key=f"{FOLDER}{HOUR:%Y/%m/%d/%H}/{number:02d}-00-000-a.jsonl", Body=body)
    for number in range(labels):
        label = Label(request_id=f"call-{number:08d}", count=1)
        event = LabelEvent(
            label=label, previous=None, labelled_at=HOUR + timedelta(hours=1), call=str(number)
        )
        s3.put_object(Key=event.key, Body=event.to_line())


def main() -> None:
    """Measures and prints one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--labels", type=int, default=1_000)
    options = parser.parse_args()
    s3 = Memory()
    fill(s3, answers=options.answers, labels=options.labels)
    captured = sum(len(body) for key, (body, _) in s3.objects.items() if key.startswith(FOLDER))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    write_hour(s3, bucket="b", folder=FOLDER, hour=HOUR)
    shortened = time.process_time()
    join_window(s3, bucket="b", today=date(2026, 11, 29), days=1)
    joined = time.process_time()
    found = {
        "answers": options.answers,
        "labels": options.labels,
        "captured_mb": round(captured / 1e6, 1),
        "short_mb": round(len(s3.objects[key_of(HOUR)][0]) / 1e6, 2),
        "shorten_cpu_s": round(shortened - started, 2),
        "join_cpu_s": round(joined - shortened, 2),
        "grew_by_mb": round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, 1),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
