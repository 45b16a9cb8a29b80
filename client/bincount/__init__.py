"""Counts objects in images of warehouse bins.

from bincount import BinCounter

answer = BinCounter(stage="dev").count("bin.jpg", expected=3)
print(answer.count, answer.verification.verdict)
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bincount.counting.answer import Count, Verdict, Verification
    from bincount.counting.counter import BinCounter, Outcome, Question
    from bincount.errors import BincountError, Refused

__version__ = "1.0.0"

__all__ = [
    "BinCounter",
    "BincountError",
    "Count",
    "Outcome",
    "Question",
    "Refused",
    "Verdict",
    "Verification",
    "__version__",
]
_HOMES = {
    "BinCounter": "counting.counter",
    "BincountError": "errors",
    "Count": "counting.answer",
    "Outcome": "counting.counter",
    "Question": "counting.counter",
    "Refused": "errors",
    "Verdict": "counting.answer",
    "Verification": "counting.answer",
}


def __getattr__(name: str) -> object:
    """Loads a name when it is first asked for: the AWS SDK takes a second, in which Ctrl-C must work."""
    if name not in _HOMES:
        raise AttributeError(f"module 'bincount' has no attribute {name!r}")
    return getattr(importlib.import_module(f"bincount.{_HOMES[name]}"), name)
