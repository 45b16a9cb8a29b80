"""Regions and instance types: what is known of them."""

import functools
from dataclasses import dataclass


@functools.cache
def regions_with_training_images() -> tuple[str, ...]:
    """Their names, as this version of the CDK knows them."""
    # Imported here: it starts the CDK's own process.
    from aws_cdk.region_info import RegionInfo

    return tuple(sorted(info.name for info in RegionInfo.regions if info.dlc_repository_account))


PRICES_OF = "2025-06, us-east-1"
"""When and where the prices below were listed; AWS changes them, `training.usd_per_hour` overrides them."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """GPUs, and AWS's list price of an hour on demand, US dollars (None: not in the table)."""

    gpus: int
    usd_per_hour: float | None


def _of(gpus: int, usd_per_hour: float | None = None) -> Instance:
    return Instance(gpus=gpus, usd_per_hour=usd_per_hour)


INSTANCES = {
    "ml.c5.large": _of(0, 0.102),
    "ml.c7i.large": _of(0, 0.107),
    "ml.c7i.xlarge": _of(0, 0.214),
    "ml.c7i.2xlarge": _of(0, 0.428),
    "ml.m5.large": _of(0, 0.115),
    "ml.m5.xlarge": _of(0, 0.23),
    "ml.m5.2xlarge": _of(0, 0.461),
    "ml.m5.4xlarge": _of(0, 0.922),
    "ml.c5.xlarge": _of(0, 0.204),
    "ml.c5.2xlarge": _of(0, 0.408),
    "ml.c5.4xlarge": _of(0, 0.816),
    "ml.g4dn.xlarge": _of(1, 0.736),
    "ml.g4dn.2xlarge": _of(1, 0.94),
    "ml.g4dn.12xlarge": _of(4, 4.89),
    "ml.g5.xlarge": _of(1, 1.408),
    "ml.g5.2xlarge": _of(1, 1.515),
    "ml.g5.4xlarge": _of(1, 2.03),
    "ml.g5.8xlarge": _of(1, 3.06),
    "ml.g5.12xlarge": _of(4, 7.09),
    "ml.g5.16xlarge": _of(1, 5.12),
    "ml.g5.24xlarge": _of(4, 10.18),
    "ml.g5.48xlarge": _of(8, 20.36),
    "ml.g6.12xlarge": _of(4),
    "ml.g6.24xlarge": _of(4),
    "ml.g6.48xlarge": _of(8),
    "ml.p3.8xlarge": _of(4),
    "ml.p3.16xlarge": _of(8),
    "ml.p4d.24xlarge": _of(8),
    "ml.p4de.24xlarge": _of(8),
    "ml.p5.48xlarge": _of(8),
    "ml.p5e.48xlarge": _of(8),
}
"""Instances with several GPUs are here even without a price: they are trained on by several processes."""
