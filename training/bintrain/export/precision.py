"""Which precision ships: INT8 (NNCF's post-training quantisation) where it counts as FP32, else FP16."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nncf
import numpy as np
import openvino as ov
from numpy.typing import NDArray

from bincount_core.answer import Rule
from bintrain.data.classes import Classes
from bintrain.data.data_loader import DataLoader
from bintrain.data.images import Images
from bintrain.data.sampling import sample_plan
from bintrain.engine.network import BinCounter
from bintrain.engine.resources import usable_cpus
from bintrain.evaluation.calibration import calibrated_answers
from bintrain.evaluation.metrics import count_metrics
from bintrain.export.openvino_model import convert_network, exported_logits, save_model
from bintrain.log import say
from bintrain.settings import Settings


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


CALIBRATION_BATCH = 10
ROUNDING = 1e-9
"""A fall from 0.4 to 0.395 is 0.005, though its floats differ by a little more."""


@dataclass(frozen=True, kw_only=True)
class Export:
    """What lies in the model folder: model.xml's path, its precision, and its logits [N, C] on `validation`.

    `int8` is the block of that name in model.json: what INT8 was worth; None where it was not tried.
    """

    path: Path
    precision: str
    validation: NDArray[np.float64]
    int8: dict[str, Any] | None


def export_model(
    network: BinCounter, *, images: Mapping[str, Images], classes: Classes, settings: Settings, folder: Path
) -> Export:
    """Write model.xml and model.bin in the precision that `settings` allow, evaluated through OpenVINO."""
    model, validation = convert_network(network, size=settings.image_size), images["validation"]
    if settings.precision == "fp16":
        return _ship(model, "FP16", validation=validation, folder=folder, int8=None)
    batches = _calibration_batches(images["train"], settings=settings)
    reference = _figures(exported_logits(model, validation), validation, classes=classes, by=settings.answer)
    small = _ship(quantise(model, batches=batches), "INT8", validation=validation, folder=folder, int8=None)
    figures = _figures(small.validation, validation, classes=classes, by=settings.answer)
    shipped = within_limits(figures, reference=reference, settings=settings)
    say(f"on validation: INT8 {figures}, FP32 {reference}: {'INT8' if shipped else 'FP16'} ships")
    trial = {
        "shipped": shipped,
        "calibration_images": sum(len(batch) for batch in batches),
        "limits": {"accuracy_loss": settings.int8_accuracy_loss, "rmse_growth": settings.int8_rmse_growth},
        "validation": {"FP32": reference, "INT8": figures},
    }
    if shipped:
        return Export(path=small.path, precision="INT8", validation=small.validation, int8=trial)
    return _ship(model, "FP16", validation=validation, folder=folder, int8=trial)


def within_limits(
    figures: Mapping[str, float], *, reference: Mapping[str, float], settings: Settings
) -> bool:
    """Whether accuracy and RMSE are no worse than the reference's by more than the settings allow."""
    lost = reference["accuracy"] - figures["accuracy"]
    grown = figures["rmse"] - reference["rmse"]
    return lost <= settings.int8_accuracy_loss + ROUNDING and grown <= settings.int8_rmse_growth + ROUNDING


def _ship(
    model: ov.Model, precision: str, *, validation: Images, folder: Path, int8: dict[str, Any] | None
) -> Export:
    path = save_model(model, folder=folder)
    return Export(path=path, precision=precision, validation=exported_logits(path, validation), int8=int8)


def _figures(logits: NDArray[np.float64], images: Images, *, classes: Classes, by: Rule) -> dict[str, float]:
    true = np.asarray(images.labels)
    figures = count_metrics(calibrated_answers(logits, true, by=by).predicted, true, classes=classes)
    return {name: round(figures[name], 6) for name in ("accuracy", "rmse")}


def _calibration_batches(train: Images, *, settings: Settings) -> list[NDArray[np.uint8]]:
    plan = sample_plan(train, count=settings.int8_images, batch=CALIBRATION_BATCH, seed=settings.seed)
    loader = DataLoader(train, threads=usable_cpus(), pin=False)
    return [batch.pixels.numpy() for batch in loader.batches(plan)]
