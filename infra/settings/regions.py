"""The regions in which AWS offers its training images."""

import functools


@functools.cache
def regions_with_training_images() -> tuple[str, ...]:
    """Their names, as this version of the CDK knows them."""
    # Imported here: it starts the CDK's own process.
    from aws_cdk.region_info import RegionInfo

    return tuple(sorted(info.name for info in RegionInfo.regions if info.dlc_repository_account))
