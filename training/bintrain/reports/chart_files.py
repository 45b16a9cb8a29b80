"""The chart files of an evaluation: which there are, and the data in each; charts.py draws them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bintrain.data.classes import Classes
from bintrain.data.dataset import BinImage
from bintrain.data.images import Images
from bintrain.engine.trainer import Progress
from bintrain.evaluation.evaluation import Evaluation
from bintrain.reports.charts import draw_confusion, draw_learning, draw_reliability, draw_risk_coverage
from bintrain.reports.mistakes import Mistake, Tile, draw_contact_sheet, worst_mistakes

CONFUSION = "confusion_matrix.png"
LEARNING = "learning_curves.png"
RELIABILITY = "reliability.png"
RISK_COVERAGE = "risk_coverage.png"
MISTAKES = "mistakes.jpg"


def write_charts(
    evaluation: Evaluation, *, classes: Classes, progress: Progress, target_accuracy: float, folder: Path
) -> None:
    """Write the four charts below `folder`, the job's output. All of `test` but the learning curves."""
    details, target = evaluation.details, folder / "evaluation"
    draw_confusion(details["confusion"], names=classes.names, path=target / CONFUSION)
    draw_learning(progress.history, best_epoch=progress.best_epoch, path=target / LEARNING)
    draw_reliability(**details["reliability"], errors=details["calibration_error"], path=target / RELIABILITY)
    accuracy = details["review"]["automated_accuracy"]
    draw_risk_coverage(
        details["risk_coverage"],
        target_accuracy=target_accuracy,
        automated_share=details["review"]["automated_share"],
        risk=None if accuracy is None else 1 - accuracy,
        path=target / RISK_COVERAGE,
    )


def write_mistakes(
    evaluation: Evaluation, pixels: Images, images: Sequence[BinImage], *, classes: Classes, folder: Path
) -> list[Mistake]:
    """Write the contact sheet of the worst mistakes; `pixels` and `images` are of `test`."""
    mistakes = worst_mistakes(evaluation.answers, np.asarray(pixels.labels), classes=classes)
    tiles = [
        Tile(
            data=pixels.read(mistake.index),
            title=f"true {images[mistake.index].count} · counted {classes.names[mistake.predicted]}",
            subtitle=f"confidence {100 * mistake.confidence:.0f} % · id {images[mistake.index].id}",
        )
        for mistake in mistakes
    ]
    draw_contact_sheet(
        tiles, empty=f"No mistake on {len(images):,} images.", path=folder / "evaluation" / MISTAKES
    )
    return mistakes
