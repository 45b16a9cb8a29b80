"""Where the model looked: what each place of the image spoke for the count that was answered.

docs/contracts.md, "The explanation"; docs/schemas/answer.schema.json.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bincount_core.model_json import Description
from inference.model.answer import Answer

_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Explanation:
    """The map of the answered count, or the reason why there is none.

    `map[r][c]` is what the place in row r (from the top) and column c of the upright image gives to the logit
    of `count`: the logit is the mean of all places plus `bias`.
    """

    count: int
    map: tuple[tuple[float, ...], ...] = ()
    bias: float = 0.0
    reason: str | None = None


def explain(
    answer: Answer,
    *,
    logits: NDArray[np.float32],
    evidence: NDArray[np.float32] | None,
    model: Description,
    no_map: str | None,
) -> Explanation:
    """What `evidence` (float32 `[classes, h, w]`) says of the answered count; `no_map` is why there is none.

    Raises ValueError where a place is no finite number: the model is broken.
    """
    if evidence is None:
        return Explanation(answer.count, reason=no_map)
    column = model.counts.index(answer.count)
    places = evidence[column].astype(np.float64)
    if not np.isfinite(places).all():
        raise ValueError(f"expected a finite map of class {column}, got {places.tolist()}")
    return Explanation(
        answer.count,
        map=tuple(tuple(row) for row in places.round(_DECIMALS).tolist()),
        bias=round(float(logits[column]) - float(places.mean()), _DECIMALS),
    )


def explanation_members(explanation: Explanation) -> dict[str, object]:
    """The JSON members of an explanation (docs/schemas/answer.schema.json)."""
    if explanation.reason is not None:
        return {"count": explanation.count, "reason": explanation.reason}
    rows = [list(row) for row in explanation.map]
    return {"count": explanation.count, "map": rows, "bias": explanation.bias}
