"""The INT8 form of a model, by NNCF's post-training quantisation."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Sequence

import numpy as np
import openvino as ov
from numpy.typing import NDArray

# nncf looks for a CUDA compiler when it is imported, and torch warns that no CUDA runtime is there.
logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)

import nncf  # noqa: E402


def quantise(model: ov.Model, *, batches: Sequence[NDArray[np.uint8]]) -> ov.Model:
    """`model` with INT8 weights and activations; the batches [n, H, W, 3] show what range these have.

    Weights use half of their range: on CPUs without VNNI (AVX2, such as those of g5 instances) a sum of two
    full products overflows, and the model would answer differently there than where it serves.
    """
    nncf.set_log_level(logging.ERROR)
    advanced = nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE)
    # NNCF draws its progress bars on standard output, which is the job's log.
    with contextlib.redirect_stdout(io.StringIO()):
        return nncf.quantize(
            model, nncf.Dataset(batches), subset_size=len(batches), advanced_parameters=advanced
        )
