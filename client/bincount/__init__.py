"""Counts objects in photographs of warehouse bins.

from bincount import BinCounter

answer = BinCounter(stage="dev").count("bin.jpg", expected=3)
print(answer.count, answer.verification.verdict)
"""

from bincount.answer import Count, Verdict, Verification
from bincount.counter import BinCounter
from bincount.errors import BincountError, Refused
from bincount.question import Outcome, Question

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
