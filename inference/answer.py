"""From logits to an answer that says how far it can be trusted (docs/contracts.md, "Answer from logits")."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inference.model_json import Description

Verdict = Literal["match", "mismatch", "uncertain"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A count with its certainty. `probabilities[i]` belongs to the i-th class of the model."""

    count: int
    confidence: float
    expected_value: float
    interval: tuple[int, int]
    probabilities: tuple[float, ...]
    at_least: bool
    review: bool


@dataclass(frozen=True, slots=True)
class Verification:
    """How an expected number fits the photograph; `probability` is the calibrated one of that number.

    `reason` is there where the photograph could not decide: the model cannot say that number.
    """

    expected: int
    verdict: Verdict
    probability: float
    reason: str | None = None


def make_answer(logits: NDArray[np.float32], *, model: Description) -> Answer:
    """The calibrated answer for one image's logits (float32 `[classes]`).

    Raises ValueError where the logits are not one finite number per class: the model is broken.
    """
    if logits.shape != (len(model.counts),) or not np.isfinite(logits).all():
        raise ValueError(f"expected {len(model.counts)} finite logits, got {logits.tolist()}")
    probabilities = _softmax(logits.astype(np.float64) / model.temperature)
    top = int(np.argmax(probabilities))
    at_least = model.open_top and top == len(model.counts) - 1
    low, high = interval(probabilities.tolist(), score_quantile=model.score_quantile)
    confidence = float(probabilities[top])
    unsure = model.confidence_below is None or confidence < model.confidence_below
    return Answer(
        count=model.counts[top],
        confidence=confidence,
        expected_value=float(probabilities @ np.asarray(model.counts, dtype=np.float64)),
        interval=(model.counts[low], model.counts[high]),
        probabilities=tuple(probabilities.tolist()),
        at_least=at_least,
        review=unsure or at_least,
    )


def verify(answer: Answer, *, expected: int, model: Description) -> Verification:
    """Compare the answer with the number that should be there.

    `match`: the same count and no review needed. `mismatch`: the expected number's probability is below
    the model's threshold. Else `uncertain`. A number above an open top class counts as that class. One
    outside all classes has probability 0 and is `uncertain` with a `reason`: a model that cannot say 6 has
    not seen that there are not 6 (docs/decisions/0036).
    """
    column = _column(expected, model=model)
    if column is None:
        return Verification(expected, "uncertain", 0.0, reason=f"this model counts {_classes(model)}")
    probability = answer.probabilities[column]
    verdict: Verdict = "uncertain"
    if model.counts[column] == answer.count and not answer.review:
        verdict = "match"
    elif probability < model.mismatch_below:
        verdict = "mismatch"
    return Verification(expected, verdict, probability)


def verifications(answer: Answer, *, model: Description) -> tuple[Verification, ...]:
    """What `verify` says of every whole number from 0 to one above the model's largest class.

    All larger numbers fare as the last one does (the open class, or no class at all), so that whoever learns
    the expected number later only looks it up.
    """
    return tuple(verify(answer, expected=number, model=model) for number in range(model.counts[-1] + 2))


def interval(probabilities: list[float], *, score_quantile: float) -> tuple[int, int]:
    """First and last column of the conformal prediction interval.

    Classes join the range around the argmax one at a time, the more probable neighbour first (ties: the
    lower one); a class's score is the mass of the range before it joined. The interval holds every class
    whose score is at most `score_quantile`. Split conformal prediction: Vovk et al. 2005; the contiguous
    variant follows the adaptive sets of Romano et al. 2020.
    """
    low = high = probabilities.index(max(probabilities))
    mass = probabilities[low]
    while mass <= score_quantile and (low > 0 or high < len(probabilities) - 1):
        below = probabilities[low - 1] if low > 0 else -1.0
        above = probabilities[high + 1] if high < len(probabilities) - 1 else -1.0
        if below >= above:
            low, mass = low - 1, min(1.0, mass + below)
        else:
            high, mass = high + 1, min(1.0, mass + above)
    return low, high


def _softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(values - values.max())
    return powers / powers.sum()


def _column(expected: int, *, model: Description) -> int | None:
    if model.open_top and expected >= model.counts[-1]:
        return len(model.counts) - 1
    return model.counts.index(expected) if expected in model.counts else None


def _classes(model: Description) -> str:
    """The numbers that a model can say, in words: `1 to 5`, `0, 2 and 5`, `1 to 5 or more`."""
    counts, more = model.counts, " or more" if model.open_top else ""
    if len(counts) == 1:
        return f"{counts[0]}{more}"
    if counts == tuple(range(counts[0], counts[-1] + 1)):
        return f"{counts[0]} to {counts[-1]}{more}"
    return f"{', '.join(map(str, counts[:-1]))} and {counts[-1]}{more}"
