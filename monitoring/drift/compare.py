"""One night against the baseline of its model: which measures are made, and what they found."""

import hashlib
from dataclasses import dataclass

from monitoring.drift.measures import Measure, binned, pooled_features
from monitoring.drift.observation import ANSWERS, PIXELS, SIZES, Observations
from monitoring.drift.permutation import Tested, test_together

FEWEST_NIGHT, FEWEST_BASELINE = 30, 100
"""Rows below which nothing is tested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Measures of one set of rows. `tested` is empty where there were too few rows, and `why` says so."""

    name: str
    night: int
    reference: int
    level: float
    tested: tuple[Tested, ...] = ()
    why: str = ""

    @property
    def found(self) -> tuple[Tested, ...]:
        """What changed, the least probable first."""
        return tuple(sorted((t for t in self.tested if t.p <= self.level), key=lambda t: (t.p, t.name)))


class Baseline:
    """The images on which a model was evaluated, as it saw them.

    Every other row fits bins and axes (measures.py), the others are the `reference` that nights are compared
    with. The order of `rows` is that of a hash, so this is a division by chance.
    """

    def __init__(self, rows: Observations, *, sizes: bool) -> None:
        """`sizes`: whether the images have the sizes in which they came, not one in which they are stored."""
        self.rows = len(rows)
        self.reference = rows.take(slice(1, None, 2))
        self.measures: dict[str, list[Measure]] = {"answers": [], "images": []}
        if self.rows < FEWEST_BASELINE:
            return
        fitted = rows.take(slice(0, None, 2))
        images = (*PIXELS, *(SIZES if sizes else ()))
        self.measures["answers"] += [binned(name, fitted.columns[name]) for name in ANSWERS]
        self.measures["images"] += [binned(name, fitted.columns[name]) for name in images]
        if fitted.features.shape[1] > 1:
            self.measures["images"].append(pooled_features(fitted.features))

    def compare(
        self, *, day: str, answers: Observations, images: Observations | None, nights_per_alarm: int
    ) -> tuple[Family, ...]:
        """The families `answers` and, where images were observed, `images`.

        Where nothing changed, one night in `nights_per_alarm` finds something: each family has its share of
        that. The same night gives the same result: chance is drawn by `day`.
        """
        nights = {"answers": answers, **({} if images is None else {"images": images})}
        level = 1 / nights_per_alarm / len(nights)
        return tuple(self._family(name, night, day=day, level=level) for name, night in nights.items())

    def _family(self, name: str, night: Observations, *, day: str, level: float) -> Family:
        measures, why = self.measures[name], ""
        if len(night) < FEWEST_NIGHT or not measures:
            why = (
                f"{len(night)} {name} that night and {self.rows} images in the baseline: at least "
                f"{FEWEST_NIGHT} and {FEWEST_BASELINE} are needed"
            )
            measures = []
        seed = int.from_bytes(hashlib.sha256(day.encode()).digest()[:8], "big")
        tested = (
            test_together(measures, night=night, reference=self.reference, level=level, seed=seed)
            if measures
            else []
        )
        return Family(
            name=name,
            night=len(night),
            reference=len(self.reference),
            level=level,
            tested=tuple(tested),
            why=why,
        )
