"""What is kept beside the model for people and for the next training: weights, figures, predictions, card."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from bintrain.data.classes import Classes
from bintrain.data.dataset import BinImage
from bintrain.engine.network import BinCounter
from bintrain.evaluation.evaluation import Evaluation
from bintrain.export.model_json import write_json


def write_weights(network: BinCounter, *, folder: Path) -> None:
    """weights.pt: the torchvision network's state dict; loads with weights_only=True."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network.backbone.state_dict(), folder / "weights.pt")


def write_metrics(
    evaluation: Evaluation,
    *,
    model: dict[str, Any],
    settings: dict[str, Any],
    history: list[dict[str, float]],
    folder: Path,
) -> None:
    """evaluation/metrics.json: model.json's content, details of `test`, the settings and every epoch."""
    document = {"model": model, "test": evaluation.details, "settings": settings, "history": history}
    write_json(document, path=folder / "evaluation" / "metrics.json")


def write_predictions(
    evaluation: Evaluation, images: Sequence[BinImage], *, classes: Classes, folder: Path
) -> None:
    """evaluation/predictions.csv: a line for each image of `test`."""
    path = folder / "evaluation" / "predictions.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    found = evaluation.answers
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["id", "count", "predicted", "confidence", *(f"p{count}" for count in classes.counts)])
        for image, predicted, row in zip(images, found.predicted, found.probabilities, strict=True):
            rounded = [f"{value:.4f}" for value in row]
            table.writerow([image.id, image.count, classes.counts[predicted], rounded[predicted], *rounded])
