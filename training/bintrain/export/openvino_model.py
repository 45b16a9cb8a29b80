"""The network as OpenVINO IR that takes raw pixels, and how it runs as in the server."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bintrain.data.data_loader import DataLoader
from bintrain.data.images import Images
from bintrain.data.sampling import ordered_plan
from bintrain.engine.network import BinCounter
from bintrain.engine.resources import usable_cpus

# The conversion imports nncf.torch, which looks for a CUDA compiler; torch warns where no CUDA runtime is.
logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)


class _RawPixels(nn.Module):
    def __init__(self, network: BinCounter) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        return self.network(image.permute(0, 3, 1, 2).float() / 255)


def convert_network(network: BinCounter, *, size: int) -> ov.Model:
    """The FP32 model: `image` uint8 [N, size, size, 3] -> `logits` float32 [N, C], any N."""
    wrapper = _RawPixels(network.cpu()).eval()
    example = torch.zeros((2, size, size, 3), dtype=torch.uint8)
    model = convert_module(wrapper, example=example, shape=[("image", [-1, size, size, 3], ov.Type.u8)])
    model.inputs[0].get_tensor().set_names({"image"})
    model.outputs[0].get_tensor().set_names({"logits"})
    return model


def convert_module(module: nn.Module, *, example: Tensor, shape: list[Any]) -> ov.Model:
    """`module` as an FP32 model; `shape` names its input, with -1 for the number of images, and its type."""
    with torch.inference_mode(), warnings.catch_warnings():
        # PyTorch asks for torch.export: its conversion takes twice as long and loses the fixed input size.
        warnings.filterwarnings("ignore", message=".*torch.jit.trace", category=FutureWarning)
        return ov.convert_model(  # pyright: ignore[reportUnknownMemberType]
            module, example_input=example, input=shape
        )


def save_model(model: ov.Model, *, folder: Path) -> Path:
    """Write model.xml and model.bin, what is FP32 as FP16; returns the path of model.xml."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.xml"
    ov.save_model(model, path, compress_to_fp16=True)
    return path


BATCH = 32


def exported_logits(model: Path | ov.Model, images: Images) -> NDArray[np.float64]:
    """Logits [N, C] of `images` through the IR (in memory or a path) on the CPU; what is not INT8 in FP32."""
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    logits: NDArray[np.float64] | None = None
    loader = DataLoader(images, threads=usable_cpus(), pin=False)
    for batch in loader.batches(ordered_plan(images, batch=BATCH)):
        found = compiled({"image": batch.pixels.numpy()})["logits"]
        if logits is None:
            logits = np.empty((len(images), found.shape[1]))
        logits[batch.indices.numpy()] = found
    assert logits is not None, "a split holds at least one image (read_dataset)"
    return logits
