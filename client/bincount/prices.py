"""What SageMaker's instances cost: AWS list prices, us-east-1, on demand, as known in November 2026.

An estimate for a person's eyes (docs/cost.md); the bill is AWS's.
"""

DOLLARS_PER_HOUR = {
    "ml.c5.large": 0.102,
    "ml.c5.xlarge": 0.204,
    "ml.c7i.large": 0.107,
    "ml.c7i.xlarge": 0.214,
    "ml.c7i.2xlarge": 0.428,
    "ml.m5.large": 0.115,
    "ml.m5.xlarge": 0.23,
    "ml.m5.2xlarge": 0.461,
    "ml.g4dn.xlarge": 0.7364,
    "ml.g5.xlarge": 1.408,
    "ml.g5.2xlarge": 1.515,
}


def dollars(instance_type: str, *, seconds: float, instances: int = 1) -> float | None:
    """The list price of so many instance-seconds; None for a type that is not listed here."""
    price = DOLLARS_PER_HOUR.get(instance_type)
    return None if price is None else price * instances * seconds / 3600


def shown_dollars(amount: float | None) -> str:
    """For people: `$1.23`, `under $0.01`, or `unknown`."""
    if amount is None:
        return "unknown"
    return "under $0.01" if 0 < amount < 0.01 else f"${amount:,.2f}"
