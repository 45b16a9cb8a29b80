"""Whether a network can be exported, found out before the first step and not after the last."""

from __future__ import annotations

import numpy as np
import openvino as ov
import torch

from bintrain.engine.network import BinCounter
from bintrain.errors import TrainingError
from bintrain.export.openvino_model import convert_network
from bintrain.export.precision import quantise
from bintrain.networks import LITE, TORCHVISION
from bintrain.settings import Settings

TOLERANCE = 1e-3
"""Of logits, in FP32: far more than rounding does to those of an untrained network."""


def is_known(arch: str) -> bool:
    """Whether the tests export a network of this family; a model of timm may be anything."""
    return arch in TORCHVISION or arch in LITE


def check_export(network: BinCounter, *, settings: Settings) -> None:
    """Convert `network` as it is and, where INT8 may ship, quantise it.

    Raises TrainingError where OpenVINO cannot take its graph, computes something else, or NNCF fails.
    """
    size = settings.image_size
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (2, size, size, 3), generator=generator, dtype=torch.uint8)
    try:
        model = convert_network(network, size=size)
        with torch.inference_mode():
            expected = network(images.permute(0, 3, 1, 2).float() / 255).numpy()
        compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        found = compiled({"image": images.numpy()})["logits"]
    # Converters and plugins raise what they like: the network is at fault, whatever it is.
    except Exception as error:
        raise _fault(settings, "OpenVINO cannot take its graph", error) from error
    if not np.allclose(found, expected, atol=TOLERANCE, rtol=TOLERANCE):
        raise _fault(settings, "OpenVINO computes something else", f"{found} instead of {expected}")
    if settings.precision != "fp16":
        try:
            ov.Core().compile_model(quantise(model, batches=[images.numpy()]), "CPU")
        except Exception as error:
            raise _fault(settings, "it cannot be made INT8 (--precision fp16 does without)", error) from error


def _fault(settings: Settings, what: str, reason: Exception | str) -> TrainingError:
    text = " ".join(str(reason).split())[:300]
    known = ", ".join((*LITE, *TORCHVISION))
    return TrainingError(
        f"--arch {settings.arch} at {settings.image_size} pixels: {what} ({text}). Take another network or "
        f"size; exported in every test are the families of {known}"
    )
