"""What the server would answer about images whose logits are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from bincount_core.answer import Rule, answered

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Calibrated probabilities [N, C], the answered classes [N], and the rule by which they were chosen."""

    probabilities: Floats
    predicted: Ints
    by: Rule

    @property
    def confidence(self) -> Floats:
        """The probability of the answered class, [N]."""
        return self.probabilities[np.arange(len(self.predicted)), self.predicted]


def answers(logits: Floats, *, temperature: float, by: Rule) -> Answers:
    """Those of logits [N, C]."""
    return decide(softmax(logits / temperature, axis=1), by=by)


def decide(probabilities: Floats, *, by: Rule) -> Answers:
    """Those of calibrated probabilities [N, C]; bincount_core decides, as it does in the server."""
    return Answers(probabilities=probabilities, predicted=answered(probabilities, by=by), by=by)
