"""What a job can cost at most, by the stage's price and bound."""

from __future__ import annotations

from binlaunch.errors import LaunchError
from binlaunch.stage import Stage


def check_cost(*, stage: Stage, jobs: int, max_runtime_seconds: int) -> str:
    """The bound in words. Raises LaunchError where it is above the stage's `training.max_cost_usd`."""
    resources = stage.definition["ResourceConfig"]
    count, kind, price = resources["InstanceCount"], resources["InstanceType"], stage.usd_per_hour or 0
    cost = jobs * count * max_runtime_seconds / 3600 * price
    terms = f"{jobs} x {count} {kind} x {max_runtime_seconds / 3600:g} h x ${price:g} an hour"
    if cost > stage.max_cost_usd:
        raise LaunchError(
            f"this could cost ${cost:,.2f} ({terms}); the stage's training.max_cost_usd allows "
            f"${stage.max_cost_usd:,.2f}: lower --max-runtime-seconds (or --max-jobs)"
        )
    return f"costs at most ${cost:,.2f} ({terms})"
