"""What a judge says of one value."""

from collections.abc import Iterable
from typing import NamedTuple


class Verdict(NamedTuple):
    """`fault` is "" where nothing is wrong with the value at `path`: it was looked at all the same."""

    path: str
    fault: str = ""


def faults_of(verdicts: Iterable[Verdict]) -> list[str]:
    """`<path>: <what is wrong>` of each fault."""
    return [f"{verdict.path}: {verdict.fault}" for verdict in verdicts if verdict.fault]
