"""All judges, over a stack: what each finds, and how much it looked at."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.judges.aws_tasks import definition_verdicts, sends
from tests.judges.aws_texts import template_verdicts
from tests.judges.expressions import expression_verdicts
from tests.judges.policies import policy_verdicts
from tests.judges.preflight import findings
from tests.judges.resolved import Stack
from tests.judges.verdicts import Verdict, faults_of

FLOORS = {
    "templates": 5,
    "texts": 1000,
    "calls": 40,
    "requests": 40,
    "policies": 40,
    "statements": 120,
    "expressions": 270,
}
"""Of each combination at least: fewer means that a judge has fallen asleep, not that we got better."""


@dataclass
class Judged:
    """What each judge found in stacks, and how many things of each kind were looked at."""

    found: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    counts: Counter[str] = field(default_factory=Counter[str])

    @property
    def faults(self) -> list[str]:
        """Of all judges."""
        return [f"{judge}: {fault}" for judge, faults in self.found.items() for fault in faults]

    @property
    def asleep(self) -> dict[str, int]:
        """The kinds of which fewer were looked at than FLOORS says."""
        return {kind: self.counts[kind] for kind, least in FLOORS.items() if self.counts[kind] < least}

    def add(self, judge: str, what: str, verdicts: Iterable[Verdict]) -> None:
        """Verdicts on things of the kind `what`."""
        listed = list(verdicts)
        self.counts[what] += sum(not verdict.fault for verdict in listed)
        self.found.setdefault(judge, []).extend(faults_of(listed))


def judged(stacks: Iterable[Stack]) -> Judged:
    """Every judge looks at every stack."""
    found = Judged()
    for stack in stacks:
        found.counts.update(templates=1, policies=len(stack.policies))
        found.found.setdefault("cdk-preflight", []).extend(findings(stack.template))
        found.add("service models, resources", "texts", template_verdicts(stack.template))
        statements = policy_verdicts(stack.policies, partition=stack.partition)
        found.add("service authorization reference", "statements", statements)
        for name, definition in stack.machines.items():
            found.counts["calls"] += sends(definition)
            found.add("service models, calls", "texts", definition_verdicts(definition))
            expressions, requests = expression_verdicts(machine_of(name), definition)
            found.add("jsonata", "expressions", expressions)
            found.add("service models, evaluated calls", "texts", requests.verdicts)
            found.counts["requests"] += requests.count
    return found


def machine_of(name: str) -> str:
    """A state machine's name without system and stage."""
    return name.split("-", 2)[2]
