"""Counts objects in images of warehouse bins.

from bincount import BinCounter

answer = BinCounter(stage="dev").count("bin.jpg", expected=3)
print(answer.count, answer.verification.verdict)
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bincount.counting.answer import Count, Explanation, Verdict, Verification
    from bincount.counting.counter import BinCounter, Outcome, Question
    from bincount.datasets.dataset import Dataset, DatasetImage
    from bincount.errors import BincountError, Refused
    from bincount.labels.label import Labelled
    from bincount.labels.labeller import Labeller
    from bincount.runs.run import Run
    from bincount.runs.runs import Runs

__version__ = "1.0.0"

__all__ = [
    "BinCounter",
    "BincountError",
    "Count",
    "Dataset",
    "DatasetImage",
    "Explanation",
    "Labelled",
    "Labeller",
    "Outcome",
    "Question",
    "Refused",
    "Run",
    "Runs",
    "Verdict",
    "Verification",
    "__version__",
]
_HOMES = {
    "BinCounter": "counting.counter",
    "BincountError": "errors",
    "Count": "counting.answer",
    "Dataset": "datasets.dataset",
    "DatasetImage": "datasets.dataset",
    "Explanation": "counting.answer",
    "Labelled": "labels.label",
    "Labeller": "labels.labeller",
    "Outcome": "counting.counter",
    "Question": "counting.counter",
    "Refused": "errors",
    "Run": "runs.run",
    "Runs": "runs.runs",
    "Verdict": "counting.answer",
    "Verification": "counting.answer",
}


def __getattr__(name: str) -> object:
    """Loads a name when it is first asked for: the AWS SDK takes a second, in which Ctrl-C must work."""
    if name not in _HOMES:
        raise AttributeError(f"module 'bincount' has no attribute {name!r}")
    return getattr(importlib.import_module(f"bincount.{_HOMES[name]}"), name)
