"""model.json: what the server must know of the model; its schema is docs/schemas/model.schema.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bincount_core.model_json import Description
from bintrain.data.classes import Classes
from bintrain.engine.network import BinCounter
from bintrain.evaluation.evaluation import Evaluation
from bintrain.export.precision import Export
from bintrain.paths import job_name
from bintrain.settings import Settings


def describe_model(
    *, network: BinCounter, settings: Settings, classes: Classes, evaluation: Evaluation, export: Export,
    dataset_id: str, env: Mapping[str, str],
) -> dict[str, Any]:  # fmt: skip
    """The document, complete."""
    calibration = evaluation.calibration
    description = Description(
        model_id=job_name(env),
        architecture=settings.arch,
        precision=export.precision,
        counts=classes.counts,
        open_top=classes.open_top,
        width=settings.image_size,
        height=settings.image_size,
        temperature=calibration.temperature,
        score_quantile=calibration.score_quantile,
        confidence_below=calibration.confidence_below,
        mismatch_below=calibration.mismatch_below,
        answer=settings.answer,
    )
    return {
        **description.document(
            coverage=settings.coverage, target_accuracy=settings.target_accuracy, **_normalisation(network)
        ),
        **({} if export.int8 is None else {"int8": export.int8}),
        "metrics": {"validation": evaluation.validation, "test": evaluation.test},
        "dataset_id": dataset_id,
        "source_revision": env.get("SOURCE_REVISION") or "unknown",
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _normalisation(network: BinCounter) -> dict[str, list[float]]:
    # As float32 has them, to the digits that are certain.
    return {
        name: [round(value, 6) for value in getattr(network, name).flatten().tolist()]
        for name in ("mean", "std")
    }


def write_json(document: Mapping[str, Any], *, path: Path) -> None:
    """Write strict JSON (no NaN), making the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
