"""At the end of the group: how much was judged, and what each planted fault was found by."""

from collections import Counter
from typing import Any

import pytest

JUDGED, FOUND_BY = "judged", "found by"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Reads what the tests recorded, also those of other workers."""
    reports: list[pytest.TestReport] = terminalreporter.stats.get("passed", [])
    counts: Counter[str] = Counter()
    plants: list[str] = []
    for report in reports:
        for name, value in report.user_properties:
            if name == JUDGED:
                counts.update(value)
            elif name == FOUND_BY:
                plants.append(f"{report.nodeid.rpartition('[')[2].rstrip(']')}: {value}")
    if counts or plants:
        terminalreporter.section("judges")
        for line in [", ".join(f"{n} {what}" for what, n in counts.items()), *plants]:
            terminalreporter.line(line)
