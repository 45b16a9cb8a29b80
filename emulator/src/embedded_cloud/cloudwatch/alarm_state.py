"""Which state an alarm's data points give, after AWS's page "Configuring how CloudWatch alarms treat missing
data", whose tables are the tests.
"""

from collections.abc import Sequence
from dataclasses import dataclass

EXTRA_PERIODS = 2  # how many periods more than EvaluationPeriods are looked at: five for three in the tables
_COMPARISONS = {
    "GreaterThanOrEqualToThreshold": (">=", "greater than or equal to"),
    "GreaterThanThreshold": (">", "greater than"),
    "LessThanThreshold": ("<", "less than"),
    "LessThanOrEqualToThreshold": ("<=", "less than or equal to"),
}
_TREATED = {"breaching": "Breaching", "notBreaching": "NonBreaching", "ignore": "Ignored"}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Rings at `datapoints_to_alarm` of `evaluation_periods`; `treat_missing` is TreatMissingData."""

    comparison: str
    threshold: float
    evaluation_periods: int
    datapoints_to_alarm: int
    treat_missing: str = "missing"

    def breaks(self, value: float) -> bool:
        """Whether a value is over the threshold, or under it."""
        sign = _COMPARISONS[self.comparison][0]
        return {
            ">": value > self.threshold,
            ">=": value >= self.threshold,
            "<": value < self.threshold,
            "<=": value <= self.threshold,
        }[sign]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The state, and why; `state` is None where the alarm keeps the one that it has."""

    state: str | None
    reason: str


def is_known(comparison: str) -> bool:
    """Whether a ComparisonOperator is one of a fixed threshold (those of anomaly detection are not)."""
    return comparison in _COMPARISONS


def decide(points: Sequence[float | None], rule: Rule) -> Verdict:
    """The verdict of the periods, oldest first; None for a period without data.

    `points` holds EvaluationPeriods + EXTRA_PERIODS of them. Missing ones are filled in only where there are
    not enough real ones in the whole range.
    """
    real = [value for value in points if value is not None]
    if len(real) >= rule.evaluation_periods:
        real = real[-rule.evaluation_periods :]
        return _of_values(real, rule, missing=0)
    missing = rule.evaluation_periods - len(real)
    if rule.treat_missing in ("breaching", "notBreaching"):
        return _of_values(real, rule, missing=missing)
    if rule.treat_missing == "ignore":
        return _ignoring(real, rule)
    return _of_missing(points, real, rule)


def _of_values(real: Sequence[float], rule: Rule, *, missing: int) -> Verdict:
    breaking = sum(rule.breaks(value) for value in real)
    if rule.treat_missing == "breaching":
        breaking += missing
    state = "ALARM" if breaking >= rule.datapoints_to_alarm else "OK"
    return Verdict(state=state, reason=_reason(real, rule, state, missing))


def _ignoring(real: Sequence[float], rule: Rule) -> Verdict:
    breaking = sum(rule.breaks(value) for value in real)
    if breaking >= rule.datapoints_to_alarm:
        return Verdict(state="ALARM", reason=_reason(real, rule, "ALARM", 0))
    if breaking < len(real):
        return Verdict(state="OK", reason=_reason(real, rule, "OK", 0))
    return Verdict(state=None, reason="Missing data is ignored")


def _of_missing(points: Sequence[float | None], real: Sequence[float], rule: Rule) -> Verdict:
    if not real:
        count = f"{len(points) - EXTRA_PERIODS} datapoint"
        plural = "s were" if not count.startswith("1 ") else " was"
        return Verdict(state="INSUFFICIENT_DATA", reason=f"Insufficient Data: {count}{plural} unknown.")
    breaking = sum(rule.breaks(value) for value in real)
    if breaking >= rule.datapoints_to_alarm:
        return Verdict(state="ALARM", reason=_reason(real, rule, "ALARM", 0))
    if breaking < len(real):
        return Verdict(state="OK", reason=_reason(real, rule, "OK", 0))
    # Nothing but breaches: an alarm once the oldest of them is as old as the data points that it takes.
    oldest = next(len(points) - index for index, value in enumerate(points) if value is not None)
    if oldest >= rule.datapoints_to_alarm:
        return Verdict(state="ALARM", reason=_reason(real, rule, "ALARM", 0))
    return Verdict(state=None, reason="Not enough data yet")


def _reason(real: Sequence[float], rule: Rule, state: str, missing: int) -> str:
    treated = _TREATED.get(rule.treat_missing, "Missing")
    if not real:
        periods = f"{missing} period{'s' * (missing != 1)}"
        points = f"{missing} missing datapoint{'s were' if missing != 1 else ' was'}"
        received = f"no datapoints were received for {periods}"
        return f"Threshold Crossed: {received} and {points} treated as [{treated}]."
    words = _COMPARISONS[rule.comparison][1]
    matching = [value for value in real if rule.breaks(value) == (state == "ALARM")] or list(real)
    values = ", ".join(str(float(value)) for value in reversed(matching))
    verb = "was" if len(matching) == 1 else "were"
    negation = "" if state == "ALARM" else " not"
    old, needed = ("OK", rule.datapoints_to_alarm)
    if state == "OK":
        old, needed = "ALARM", rule.evaluation_periods - rule.datapoints_to_alarm + 1
    noun = f"datapoint{'s' * (needed != 1)}"
    return (
        f"Threshold Crossed: {len(matching)} out of the last {rule.evaluation_periods} datapoints [{values}] "
        f"{verb}{negation} {words} the threshold ({float(rule.threshold)}) "
        f"(minimum {needed} {noun} for {old} -> {state} transition)."
    )
