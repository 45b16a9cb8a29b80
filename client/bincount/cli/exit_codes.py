"""What the exit status of `bincount` tells a script."""

from collections.abc import Iterable

OK = 0
"""Counted; where a number was expected, every verdict is `match`."""
ERROR = 1
"""Something was not counted or not done; one line on standard error says why."""
USAGE = 2
"""The command line is wrong."""
MISMATCH = 3
"""At least one verdict is `mismatch`."""
UNCERTAIN = 4
"""No mismatch, but at least one bin is for a person to recount."""
DEGRADED = 5
"""`bincount status`: the stage is not deployed, or something of it is for a person to look at."""


def of_verdicts(verdicts: Iterable[str | None]) -> int:
    """OK, MISMATCH or UNCERTAIN."""
    found = set(verdicts)
    if "mismatch" in found:
        return MISMATCH
    return UNCERTAIN if "uncertain" in found else OK
