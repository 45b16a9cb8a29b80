"""Answers of an hour in short: what a join needs of each captured line, and how many were of each kind.

live/answers/yyyy/mm/dd/hh.jsonl.gz. The first line counts, the others are answers; each begins with its
request id, so that a reader finds the few that have a label without parsing the rest. The object's metadata
has the digest of the captured files that it was made from: an hour is not read again while they are the same.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitoring.aws import head_if_there, read_if_there
from monitoring.captures.captured import Captured
from monitoring.captures.hours import captured_of_file, digest_of_files, files_of_hour
from monitoring.labels.body import REQUEST_ID

ANSWERS = "live/answers/"
_ID = b'{"request_id":"'
Kind = tuple[str, bool, str]
"""Model, whether it asked for review, and the verdict ("" where no count was expected)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """The answers of one hour: how many of each kind, and their lines."""

    counts: dict[str, Any]
    lines: list[bytes]

    @property
    def kinds(self) -> Counter[Kind]:
        """How many answers of each kind."""
        found: Counter[Kind] = Counter()
        for each in self.counts["kinds"]:
            found[each["model"], each["review"], each["verdict"]] = each["answers"]
        return found

    def of(self, request_ids: set[str]) -> Iterator[dict[str, Any]]:
        """The answers with one of these ids."""
        wanted = {each.encode() for each in request_ids}
        start = len(_ID)
        for line in self.lines:
            if line[start : line.index(b'"', start)] in wanted:
                yield json.loads(line)


def key_of(hour: datetime) -> str:
    """Where the hour's answers lie."""
    return f"{ANSWERS}{hour:%Y/%m/%d/%H}.jsonl.gz"


def read_hour(s3: Any, *, bucket: str, hour: datetime) -> Hour | None:
    """What write_hour wrote; None where nothing was."""
    packed = read_if_there(s3, bucket, key_of(hour))
    if packed is None:
        return None
    head, *lines = gzip.decompress(packed).splitlines()
    return Hour(counts=json.loads(head), lines=lines)


def write_hour(s3: Any, *, bucket: str, folder: str, hour: datetime) -> dict[str, Any] | None:
    """Reads the captured files of an hour and writes its answers; what it counted.

    None where there is nothing to do: no file, or the same ones as before. It may be run at any time and
    again: the same files give the same bytes.
    """
    keys = sorted(each["Key"] for each in files_of_hour(s3, bucket=bucket, folder=folder, hour=hour))
    digest = digest_of_files(keys)
    if not keys or _digest_of_written(s3, bucket, hour) == digest:
        return None
    answers: dict[str, tuple[tuple[str, str], bytes, Kind]] = {}
    seen: Counter[str] = Counter(lines=0, unreadable=0, without_count=0, repeated=0)
    for key in keys:
        for captured in captured_of_file(s3, bucket=bucket, key=key):
            seen["lines"] += 1
            if captured is None:
                seen["unreadable"] += 1
            elif captured.answer is None:
                seen["without_count"] += 1
            else:
                _take(answers, seen, captured)
    body = _body(seen, answers)
    s3.put_object(
        Bucket=bucket,
        Key=key_of(hour),
        Body=gzip.compress(body, compresslevel=6, mtime=0),
        ContentType="application/gzip",
        Metadata={"captured": digest},
    )
    return dict(seen)


def _take(answers: dict[str, Any], seen: Counter[str], captured: Captured) -> None:
    """A caller may give the same id twice: the later answer counts, whatever the order of the files."""
    try:
        line, kind = _line(captured)
    except (KeyError, TypeError, AttributeError, ValueError):
        seen["unreadable"] += 1
        return
    order = (captured.time, str(captured.line["eventMetadata"]["eventId"]))
    request_id = line[len(_ID) : line.index(b'"', len(_ID))].decode()
    before = answers.get(request_id)
    if before is not None:
        seen["repeated"] += 1
        if before[0] >= order:
            return
    answers[request_id] = (order, line, kind)


def _line(captured: Captured) -> tuple[bytes, Kind]:
    answer: dict[str, Any] = captured.answer or {}
    verification: dict[str, Any] = answer.get("verification") or {}
    verdict, expected = str(verification.get("verdict") or ""), verification.get("expected")
    model, review = str(answer["model"]), bool(answer["review"])
    low, high = answer["interval"]
    # The answer's own id, by which a label names it: that of the call where the server took it.
    if not REQUEST_ID.fullmatch(str(answer["request_id"])):
        raise ValueError("request_id is none that the server gives")
    document = {
        "request_id": answer["request_id"],
        "answered_at": captured.time,
        "model": model,
        "count": int(answer["count"]),
        "at_least": bool(answer["at_least"]),
        "interval": [int(low), int(high)],
        "confidence": float(answer["confidence"]),
        "review": review,
        "expected": None if expected is None else int(expected),
        "verdict": verdict,
    }
    line = json.dumps(document, separators=(",", ":")).encode()
    return line, (model, review, verdict)


def _body(seen: Counter[str], answers: dict[str, tuple[tuple[str, str], bytes, Kind]]) -> bytes:
    kinds = Counter(kind for _, _, kind in answers.values())
    counts = {
        **seen,
        "answers": len(answers),
        "kinds": [
            {"model": model, "review": review, "verdict": verdict, "answers": number}
            for (model, review, verdict), number in sorted(kinds.items())
        ],
    }
    lines = (answers[request_id][1] for request_id in sorted(answers))
    return b"\n".join((json.dumps(counts).encode(), *lines)) + b"\n"


def _digest_of_written(s3: Any, bucket: str, hour: datetime) -> str | None:
    head = head_if_there(s3, bucket, key_of(hour))
    return None if head is None else head["Metadata"].get("captured")
