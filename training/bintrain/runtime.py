"""Run the exported model the way the server does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from bintrain.cpus import usable_cpus
from bintrain.feed import Feed
from bintrain.images import Images
from bintrain.sampling import ordered_plan

BATCH = 32


def exported_logits(model: Path | ov.Model, images: Images) -> NDArray[np.float64]:
    """Logits [N, C] of `images` through the IR (in memory or a path) on the CPU; what is not INT8 in FP32."""
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    logits: NDArray[np.float64] | None = None
    feed = Feed(images, threads=usable_cpus(), pin=False)
    for batch in feed.batches(ordered_plan(images, batch=BATCH)):
        found = compiled({"image": batch.pixels.numpy()})["logits"]
        if logits is None:
            logits = np.empty((len(images), found.shape[1]))
        logits[batch.indices.numpy()] = found
    assert logits is not None, "a part holds at least one image (read_dataset)"
    return logits
