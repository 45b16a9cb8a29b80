"""Run the exported model the way the server does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from bintrain.images import Images

BATCH = 32


def exported_logits(model: Path, images: Images) -> NDArray[np.float64]:
    """Logits [N, C] of `images` through the IR at `model`, on the CPU in FP32 arithmetic."""
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    batches: list[NDArray[np.float32]] = []
    for start in range(0, len(images), BATCH):
        pixels = np.stack(
            [images[index][0].numpy() for index in range(start, min(start + BATCH, len(images)))]
        )
        batches.append(compiled({"image": pixels})["logits"])
    return np.concatenate(batches).astype(np.float64)
