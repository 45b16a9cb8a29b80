"""What a job prints: its stream in CloudWatch Logs, and the metrics that are found in it."""

import collections
import queue
import re
import threading
import time
from typing import Any

from botocore.exceptions import ClientError

_BATCH_LINES = 500
_BATCH_SECONDS = 0.3
_LONGEST_LINE = 16_384
_TAIL_LINES = 30


class LogStream:
    """A log stream that is made on first use and written in the background, a batch at a time.

    `logs` is a boto3 client of CloudWatch Logs.
    """

    def __init__(self, *, logs: Any, group: str, stream: str) -> None:
        self._logs = logs
        self._group = group
        self._stream = stream
        self._tail: collections.deque[str] = collections.deque(maxlen=_TAIL_LINES)
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._create()
        self._writer = threading.Thread(target=self._write_batches, name=f"log-{stream}", daemon=True)
        self._writer.start()

    def write(self, line: str) -> None:
        """Adds one line, stamped now."""
        self._tail.append(line)
        if line:
            self._lines.put({"timestamp": int(time.time() * 1000), "message": line[:_LONGEST_LINE]})

    def tail_text(self) -> str:
        """The last lines in one string, for the reason of a failure."""
        lines = [line for line in self._tail if line.strip()][-8:]
        return (
            f"Last lines of {self._group}: {' | '.join(lines)}" if lines else f"{self._group} has no lines."
        )

    def close(self) -> None:
        """Writes what is left and ends."""
        self._lines.put(None)
        self._writer.join(timeout=10)

    def _create(self) -> None:
        # The group is shared by all streams of its kind, so it may be there. The code, not the client's class
        # of the error: botocore makes these classes at first use, and twice where two threads use them first.
        try:
            self._logs.create_log_group(logGroupName=self._group)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise
        self._logs.create_log_stream(logGroupName=self._group, logStreamName=self._stream)

    def _write_batches(self) -> None:
        ended = False
        while not ended:
            batch, ended = self._next_batch()
            if batch:
                self._logs.put_log_events(
                    logGroupName=self._group, logStreamName=self._stream, logEvents=batch
                )

    def _next_batch(self) -> tuple[list[dict[str, Any]], bool]:
        """Waits for a line, then collects what comes soon after it; True with the last batch."""
        batch: list[dict[str, Any]] = []
        event = self._lines.get()
        deadline = time.monotonic() + _BATCH_SECONDS
        while event is not None:
            batch.append(event)
            left = deadline - time.monotonic()
            if left <= 0 or len(batch) >= _BATCH_LINES:
                return batch, False
            try:
                event = self._lines.get(timeout=left)
            except queue.Empty:
                return batch, False
        return batch, True


class MetricScanner:
    """Looks through log lines one at a time and keeps the last value of each metric.

    `definitions` is AlgorithmSpecification.MetricDefinitions: a list of {"Name", "Regex"}; the first group of
    the regex is the value.
    """

    def __init__(self, definitions: list[dict[str, str]]) -> None:
        self._patterns = [(definition["Name"], re.compile(definition["Regex"])) for definition in definitions]
        self._last: dict[str, dict[str, Any]] = {}

    def scan(self, line: str) -> None:
        """Takes every match in the line; text that is not a number is passed over, as SageMaker does."""
        for name, pattern in self._patterns:
            for match in pattern.finditer(line):
                value = _number(match.group(1))
                if value is not None:
                    self._last[name] = {"MetricName": name, "Value": value, "Timestamp": time.time()}

    def final(self) -> list[dict[str, Any]]:
        """FinalMetricDataList: for each metric that was seen, its last value."""
        return [self._last[name] for name, _ in self._patterns if name in self._last]


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
