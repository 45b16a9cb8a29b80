"""Rows as images give them, without images: a hall whose light, goods and cameras are drawn."""

import base64
import gzip
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.drift.observation import Observations

DIMENSIONS = 24


def lines(
    number: int, *, seed: int, light: float = 1.0, sharp: float = 1.0, width: int = 640, more: float = 0.0
) -> list[dict[str, Any]]:
    """Lines of observations.jsonl.gz of one hall; another hall where a figure is not the default."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(0).normal(size=(3, DIMENSIONS))
    found: list[dict[str, Any]] = []
    for index in range(number):
        count = int(np.clip(rng.normal(2.5 + more, 1.3), 0, 6))
        brightness, contrast = light * rng.normal(110, 15), light * rng.normal(45, 6)
        sharpness = sharp * rng.lognormal(1.5, 0.25)
        features = np.array([brightness / 50, sharpness, count]) @ mixing + rng.normal(size=DIMENSIONS)
        turned = rng.random() < 0.01
        sides = (480, width) if turned else (width, 480)
        confidence = float(rng.beta(5, 2))
        found.append(
            {
                "id": f"{seed}-{index}",
                "width": sides[0],
                "height": sides[1],
                "brightness": round(brightness, 3),
                "contrast": round(contrast, 3),
                "sharpness": round(sharpness, 3),
                "count": count,
                "confidence": round(confidence, 6),
                "review": confidence < 0.5,
                "features": base64.b64encode(features.astype("<f2").tobytes()).decode(),
            }
        )
    return found


def packed(rows: list[dict[str, Any]]) -> bytes:
    """As the file has them."""
    return gzip.compress("".join(f"{json.dumps(row)}\n" for row in rows).encode())


def hall(number: int, **figures: Any) -> Observations:
    """The same, read by the product."""
    return Observations.of_file(packed(lines(number, **figures)))


def answers_of(rows: Observations) -> Observations:
    """Their answers without their images."""
    table: NDArray[np.float64] = np.column_stack([rows.columns[c] for c in ("count", "confidence", "review")])
    return Observations.of_answers(table.tolist())
