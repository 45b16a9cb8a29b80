"""The most that a trial can cost, from the one table of prices, before it begins."""

from dataclasses import dataclass

from infra.settings import Settings
from infra.settings.instances import INSTANCES, PRICES_OF
from infra.tools.trial.journal import TrialError

GATES = 2  # the first model's and the second's
REST_USD = 2.0
REST = "all else (the key's month, builds, Lambda, Step Functions, S3, logs, API), reckoned"


@dataclass(frozen=True, kw_only=True)
class Bound:
    """Dollars and their terms, for people."""

    terms: tuple[tuple[str, float], ...]

    @property
    def usd(self) -> float:
        """The sum."""
        return sum(dollars for _, dollars in self.terms)

    def __str__(self) -> str:
        lines = [f"  {dollars:7.2f}  {words}" for words, dollars in self.terms]
        return "\n".join(
            [*lines, f"  {self.usd:7.2f}  dollars at most ({PRICES_OF}, nothing counted as spot)"]
        )


def bound(settings: Settings, *, hours: float) -> Bound:
    """Every instance for as long as it may run; the endpoint with both fleets for all of `hours`.

    Raises TrialError for an instance type without a price.
    """
    training, gate, recount, serving = settings.training, settings.gate, settings.recount, settings.serving
    longest = training.longest_cost_usd
    if longest is None:
        raise TrialError(f"no price is known for {training.instance_type}: set training.usd_per_hour")
    evaluated = GATES * gate.max_runtime_seconds / 3600
    counted = recount.instances * min(recount.timeout_hours, hours)
    served = 2 * serving.max_instances * hours
    return Bound(
        terms=(
            (f"training: {training.cost_terms}", longest),
            _term("gate", gate.instance_type, evaluated),
            _term("recount", recount.instance_type, counted),
            _term("endpoint, both fleets", serving.instance_type, served),
            (REST, REST_USD),
        )
    )


def _term(what: str, instance_type: str, hours: float) -> tuple[str, float]:
    known = INSTANCES.get(instance_type)
    if known is None or known.usd_per_hour is None:
        raise TrialError(
            f"no price is known for {instance_type} ({what}), so the trial cannot say what it may cost: "
            "take a type of infra/settings/instances.py"
        )
    return f"{what}: {hours:g} h x {instance_type} at ${known.usd_per_hour:g}", hours * known.usd_per_hour
