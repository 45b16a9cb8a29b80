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
class Count:
    """How many objects an image shows, and how far that can be trusted.

    `confidence` is the calibrated probability of `count`; `interval` holds the true count with the model's
    coverage (90 %); `at_least` means "`count` or more"; `review` asks for a person; `verification` is there
    where a count was expected.
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

    @classmethod
    def from_json(cls, document: object) -> Self:
        """The answer of a JSON object. Raises KeyError, TypeError or ValueError where it is none."""
        if not isinstance(document, Mapping):
            raise TypeError(f"expected a JSON object, got {type(document).__name__}")
        members = cast("Mapping[str, Any]", document)
        verification = members.get("verification")
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
        return members
