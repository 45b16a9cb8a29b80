"""One JSON line per request on standard output, which is a CloudWatch metric record too (EMF)."""

import json
import logging
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

NAMESPACE = "BinCount"

# member of the line, which is the metric's name too: its unit
_METRICS = {
    "requests": "Count",
    "rejected": "Count",
    "caller_errors": "Count",
    "server_errors": "Count",
    "total_ms": "Milliseconds",
    "decode_ms": "Milliseconds",
    "infer_ms": "Milliseconds",
    "count": "None",
    "confidence": "None",
    "review": "None",
}


@dataclass(slots=True)
class RequestRecord:
    """What is known about one request; `members` are the log line's own, filled in as they become known."""

    request_id: str
    started: float = field(default_factory=time.perf_counter)
    members: dict[str, object] = field(default_factory=dict[str, object])


def log_request(record: RequestRecord, *, status: int, endpoint: str) -> None:
    """Write one request's line: status, count, confidence, bytes, durations, id; never the image."""
    members = {
        "status": status,
        "request_id": record.request_id,
        **record.members,
        "total_ms": round((time.perf_counter() - record.started) * 1000, 3),
        "requests": 1,
        "rejected": int(status == 503),
        "caller_errors": int(400 <= status < 500),
        "server_errors": int(status == 500),
    }
    _write({**_emf(members, endpoint=endpoint), "event": "request", **members})


def log_event(event: str, **members: object) -> None:
    """Write one line about the server itself (loading, ready, draining, ...)."""
    _write({"event": event, "time": _now(), **members})


def route_logging() -> None:
    """Send what libraries log (warnings and worse, with their traces) through the same JSON lines."""
    logging.basicConfig(level=logging.WARNING, handlers=[_JsonHandler()], force=True)
    logging.captureWarnings(True)


class _JsonHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else None
        members = {"level": record.levelname, "logger": record.name, "message": record.getMessage()}
        log_event("log", **members, **({"trace": trace} if trace else {}))


def _emf(members: Mapping[str, object], *, endpoint: str) -> dict[str, object]:
    """The Embedded Metric Format directive: only metrics whose value this line holds."""
    metrics = [{"Name": member, "Unit": unit} for member, unit in _METRICS.items() if member in members]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["endpoint"]], "Metrics": metrics}
    return {"_aws": {"Timestamp": _now(), "CloudWatchMetrics": [directive]}, "endpoint": endpoint}


def _now() -> int:
    """Milliseconds since 1970, as CloudWatch counts them."""
    return int(time.time() * 1000)


def _write(line: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
    sys.stdout.flush()
