"""What the settings can cost, and whether a budget warns."""

from collections.abc import Iterable

from botocore.exceptions import ClientError

from infra.settings.instances import INSTANCES
from infra.tools.doctor.finding import Finding, error_of, missing, ok, unknown
from infra.tools.doctor.subject import Subject

HOURS = 730  # of a month


def costs(subject: Subject) -> Iterable[Finding]:
    """A training run at the most, and a month of the endpoint."""
    yield ok("cost of a training run", f"at most {subject.settings.training.cost_summary}")
    serving = subject.settings.serving
    known = INSTANCES.get(serving.instance_type)
    if known is None or known.usd_per_hour is None:
        text = f"the price of {serving.instance_type} is not in our table"
        yield unknown("cost of a month", text, next="https://aws.amazon.com/sagemaker/ai/pricing/")
        return
    low, high = (
        count * known.usd_per_hour * HOURS for count in (serving.min_instances, serving.max_instances)
    )
    count, price = f"{serving.min_instances}", f"${low:,.0f}"
    if high > low:
        count, price = f"{count} to {serving.max_instances}", f"{price} to ${high:,.0f}"
    text = f"{price} for {count} {serving.instance_type}, list price; docs/cost.md has the rest"
    yield ok("cost of a month", text)


def budget(subject: Subject) -> Iterable[Finding]:
    """The settings have a budget; and where the stage is deployed, AWS has it."""
    limit, stage = subject.settings.operations.monthly_usd, subject.settings.stage
    if not limit:
        text = "none: no warning when the stage costs more than expected"
        return [missing("budget", text, next=f"set operations.monthly_usd of stage {stage} in cdk.json")]
    text = f"warns at 80 % of ${limit:,} a month"
    name = subject.names.prefix
    try:
        found = subject.client("budgets").describe_budget(AccountId=subject.account, BudgetName=name)
    except ClientError as error:
        if error_of(error)[0] != "NotFoundException":
            raise
        return [ok("budget", f"{text}, once it is deployed")]
    spent = found["Budget"].get("CalculatedSpend", {}).get("ActualSpend", {}).get("Amount", "0")
    return [ok("budget", f"{text}; ${float(spent):,.2f} spent (0 until the tag `system` is activated)")]
