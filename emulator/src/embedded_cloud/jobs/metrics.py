"""Finds a job's metrics in its log, by the job's own regular expressions."""

import re
import time
from typing import Any


class MetricScanner:
    """Looks through log lines one at a time and keeps the last value of each metric.

    `definitions` is AlgorithmSpecification.MetricDefinitions: a list of {"Name", "Regex"}; the first group of
    the regex is the value.
    """

    def __init__(self, definitions: list[dict[str, str]]) -> None:
        self._patterns = [(definition["Name"], re.compile(definition["Regex"])) for definition in definitions]
        self._last: dict[str, dict[str, Any]] = {}

    def scan(self, line: str) -> None:
        """Takes every match in the line; text that is no number is passed over, as SageMaker does."""
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
