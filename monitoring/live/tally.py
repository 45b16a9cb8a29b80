"""What was answered and what people counted, added up by model and kind of answer, and the figures of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from monitoring.live.answers import Kind
from monitoring.live.estimate import Figure, Moments, Stratum, root_mean_square, share

FIGURES = ("accuracy", "within_one", "coverage", "false_match", "false_mismatch", "review_rate", "rmse")


def error_of(answer: dict[str, Any], label: int) -> int:
    """Counted minus true; an answer of "5 or more" is right for all of these, as in the gate."""
    true = min(label, answer["count"]) if answer["at_least"] else label
    return int(answer["count"] - true)


def is_covered(answer: dict[str, Any], label: int) -> bool:
    """Whether the interval holds the true count; that of "5 or more" has no upper end."""
    low, high = answer["interval"]
    return low <= label and (answer["at_least"] or label <= high)


@dataclass(slots=True)
class Tally:
    """Sums by kind; those of several days are added by `add`. All are whole numbers: no order matters."""

    answers: Counter[Kind] = field(default_factory=Counter[Kind])
    labels: Counter[Kind] = field(default_factory=Counter[Kind])
    hits: dict[str, Counter[Kind]] = field(default_factory=dict[str, Counter[Kind]])

    def take(self, answer: dict[str, Any], label: int) -> None:
        """One labelled answer, which is among `answers` already."""
        kind = (answer["model"], answer["review"], answer["verdict"])
        error = error_of(answer, label)
        self.labels[kind] += 1
        found = {
            "accuracy": error == 0,
            "within_one": abs(error) <= 1,
            "coverage": is_covered(answer, label),
            "expected": answer["expected"] == label,
            "squares": error**2,
            "fourths": error**4,
        }
        for name, number in found.items():
            self.hits.setdefault(name, Counter())[kind] += int(number)

    def add(self, other: "Tally") -> None:
        """Adds another day's."""
        self.answers.update(other.answers)
        self.labels.update(other.labels)
        for name, counter in other.hits.items():
            self.hits.setdefault(name, Counter()).update(counter)

    @property
    def models(self) -> list[str]:
        """Those that answered, by name."""
        return sorted({model for model, _, _ in self.answers})

    def weight(self, kind: Kind) -> float:
        """How many answers a label of this model and review stands for: 1 / P(labelled), as observed."""
        same = [each for each in self.answers if each[:2] == kind[:2]]
        return sum(self.answers[each] for each in same) / sum(self.labels[each] for each in same)

    def figures(self, model: str) -> dict[str, Figure]:
        """All figures of one model."""
        kinds = [kind for kind in self.answers if kind[0] == model]
        shares = {name: share(self._strata(kinds, name)) for name in ("accuracy", "within_one", "coverage")}
        matched = [kind for kind in kinds if kind[2] == "match"]
        mismatched = [kind for kind in kinds if kind[2] == "mismatch"]
        asked = sum(self.answers[kind] for kind in kinds if kind[1])
        whole = sum(self.answers[kind] for kind in kinds)
        return {
            **shares,
            "false_match": share(self._strata(matched, "expected", misses=True)),
            "false_mismatch": share(self._strata(mismatched, "expected")),
            # Known of every answer, whoever looked at it.
            "review_rate": share([Stratum(answers=whole, labels=whole, hits=asked)]),
            "rmse": root_mean_square(self._moments(kinds)),
        }

    def to_json(self) -> dict[str, Any]:
        """Each model's answers, labels and figures."""
        return {
            model: {
                "answers": sum(number for kind, number in self.answers.items() if kind[0] == model),
                "labels": sum(number for kind, number in self.labels.items() if kind[0] == model),
                "figures": {name: figure.to_json() for name, figure in self.figures(model).items()},
            }
            for model in self.models
        }

    def _strata(self, kinds: Iterable[Kind], name: str, *, misses: bool = False) -> list[Stratum]:
        found: list[Stratum] = []
        for members in _by_review(kinds):
            labels = sum(self.labels[kind] for kind in members)
            hits = sum(self.hits.get(name, Counter())[kind] for kind in members)
            answers = sum(self.answers[kind] for kind in members)
            found.append(Stratum(answers=answers, labels=labels, hits=labels - hits if misses else hits))
        return found

    def _moments(self, kinds: Iterable[Kind]) -> list[Moments]:
        def total(name: str, members: list[Kind]) -> int:
            return sum(self.hits.get(name, Counter())[kind] for kind in members)

        return [
            Moments(
                answers=sum(self.answers[kind] for kind in members),
                labels=sum(self.labels[kind] for kind in members),
                squares=total("squares", members),
                fourths=total("fourths", members),
            )
            for members in _by_review(kinds)
        ]


def _by_review(kinds: Iterable[Kind]) -> list[list[Kind]]:
    """The two strata: answers that asked for review, and the others."""
    every = list(kinds)
    return [[kind for kind in every if kind[1] is review] for review in (True, False)]
