"""The server's answer, typed (docs/schemas/answer.schema.json)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

Verdict = Literal["match", "mismatch", "uncertain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How an expected number fits the image; `probability` is the calibrated one of that number.

    `reason` says why a verdict is uncertain where that lies in the question: the model has no such class.
    """

    expected: int
    verdict: Verdict
    probability: float
    reason: str | None = None

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Self:
        """Members that a later server may add are left alone."""
        reason = members.get("reason")
        return cls(
            expected=int(members["expected"]),
            verdict=members["verdict"],
            probability=float(members["probability"]),
            reason=None if reason is None else str(reason),
        )

    def to_json(self) -> dict[str, Any]:
        """The members as they came."""
        members: dict[str, Any] = {
            "expected": self.expected,
            "verdict": self.verdict,
            "probability": self.probability,
        }
        return members if self.reason is None else {**members, "reason": self.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Where the model looked: what each place of the upright image spoke for the count that was answered.

    `map` holds rows from the top, each from the left; their mean plus `bias` is the count's logit.
    It is empty where the network has no exact map; `reason` says so then.
    """

    count: int
    map: tuple[tuple[float, ...], ...] = ()
    bias: float = 0.0
    reason: str | None = None

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Self:
        """Members that a later server may add are left alone."""
        if "map" not in members:
            return cls(count=int(members["count"]), reason=str(members["reason"]))
        rows = tuple(tuple(float(place) for place in row) for row in members["map"])
        return cls(count=int(members["count"]), map=rows, bias=float(members["bias"]))

    def to_json(self) -> dict[str, Any]:
        """The members as they came."""
        if self.reason is not None:
            return {"count": self.count, "reason": self.reason}
        return {"count": self.count, "map": [list(row) for row in self.map], "bias": self.bias}


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many objects an image shows, and how far that can be trusted.

    `confidence` is the calibrated probability of `count`; `interval` holds the true count with the model's
    coverage (90 %); `at_least` means "`count` or more"; `review` asks for a person; `verification` is there
    where a count was expected, `explanation` where it was asked for.
    """

    count: int
    confidence: float
    expected_value: float
    interval: tuple[int, int]
    probabilities: Mapping[int, float]
    at_least: bool
    review: bool
    model: str
    request_id: str
    verification: Verification | None = None
    explanation: Explanation | None = None

    @classmethod
    def from_json(cls, document: object) -> Self:
        """The answer of a JSON object. Raises KeyError, TypeError or ValueError where it is none."""
        if not isinstance(document, Mapping):
            raise TypeError(f"expected a JSON object, got {type(document).__name__}")
        members = cast("Mapping[str, Any]", document)
        verification, explanation = members.get("verification"), members.get("explanation")
        low, high = members["interval"]
        return cls(
            count=int(members["count"]),
            confidence=float(members["confidence"]),
            expected_value=float(members["expected_value"]),
            interval=(int(low), int(high)),
            probabilities={int(count): float(p) for count, p in members["probabilities"].items()},
            at_least=bool(members["at_least"]),
            review=bool(members["review"]),
            model=str(members["model"]),
            request_id=str(members["request_id"]),
            verification=None if verification is None else Verification.from_json(verification),
            explanation=None if explanation is None else Explanation.from_json(explanation),
        )

    def to_json(self) -> dict[str, Any]:
        """The members as they came."""
        members: dict[str, Any] = {
            "count": self.count,
            "confidence": self.confidence,
            "expected_value": self.expected_value,
            "interval": list(self.interval),
            "probabilities": {str(count): p for count, p in self.probabilities.items()},
            "at_least": self.at_least,
            "review": self.review,
            "model": self.model,
            "request_id": self.request_id,
        }
        if self.verification is not None:
            members["verification"] = self.verification.to_json()
        if self.explanation is not None:
            members["explanation"] = self.explanation.to_json()
        return members
