"""The answer: from logits to a count that says how far it can be trusted, and its JSON form.

docs/contracts.md, "Answer from logits"; docs/schemas/answer.schema.json.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bincount_core.answer import Verdict, answered, column_of, interval, verdict
from bincount_core.model_json import Description


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
    """How an expected number fits the image; `probability` is the calibrated one of that number.

    `reason` is there where the image could not decide: the model cannot say that number.
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
    column = int(answered(probabilities, by=model.answer))
    at_least = model.open_top and column == len(model.counts) - 1
    low, high = interval(probabilities.tolist(), score_quantile=model.score_quantile, by=model.answer)
    confidence = float(probabilities[column])
    unsure = model.confidence_below is None or confidence < model.confidence_below
    return Answer(
        count=model.counts[column],
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
    column = column_of(expected, counts=model.counts, open_top=model.open_top)
    if column is None:
        return Verification(expected, "uncertain", 0.0, reason=f"this model counts {_classes(model)}")
    probability = answer.probabilities[column]
    said = verdict(
        agrees=model.counts[column] == answer.count,
        review=answer.review,
        probability=probability,
        mismatch_below=model.mismatch_below,
    )
    return Verification(expected, said, probability)


def verifications(answer: Answer, *, model: Description) -> tuple[Verification, ...]:
    """What `verify` says of every whole number from 0 to one above the model's largest class.

    All larger numbers fare as the last one does (the open class, or no class at all), so that whoever learns
    the expected number later only looks it up.
    """
    return tuple(verify(answer, expected=number, model=model) for number in range(model.counts[-1] + 2))


def answer_members(
    answer: Answer,
    *,
    verification: Verification | None,
    verifications: tuple[Verification, ...],
    counts: tuple[int, ...],
    model_id: str,
    request_id: str,
) -> dict[str, object]:
    """The JSON members of an answer (docs/schemas/answer.schema.json); probabilities to 6 decimals.

    `counts` are the model's classes, in the order of the answer's probabilities.
    """
    members: dict[str, object] = {
        "count": answer.count,
        "confidence": round(answer.confidence, 6),
        "expected_value": round(answer.expected_value, 6),
        "interval": list(answer.interval),
        "probabilities": {
            str(count): round(p, 6) for count, p in zip(counts, answer.probabilities, strict=True)
        },
        "at_least": answer.at_least,
        "review": answer.review,
        "model": model_id,
        "request_id": request_id,
    }
    if verification is not None:
        members["verification"] = _verification_members(verification)
    if verifications:
        members["verifications"] = [_verification_members(each) for each in verifications]
    return members


def _verification_members(verification: Verification) -> dict[str, object]:
    members: dict[str, object] = {
        "expected": verification.expected,
        "verdict": verification.verdict,
        "probability": round(verification.probability, 6),
    }
    if verification.reason is not None:
        members["reason"] = verification.reason
    return members


def _softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(values - values.max())
    return powers / powers.sum()


def _classes(model: Description) -> str:
    """The numbers that a model can say, in words: `1 to 5`, `0, 2 and 5`, `1 to 5 or more`."""
    counts, more = model.counts, " or more" if model.open_top else ""
    if len(counts) == 1:
        return f"{counts[0]}{more}"
    if counts == tuple(range(counts[0], counts[-1] + 1)):
        return f"{counts[0]} to {counts[-1]}{more}"
    return f"{', '.join(map(str, counts[:-1]))} and {counts[-1]}{more}"
