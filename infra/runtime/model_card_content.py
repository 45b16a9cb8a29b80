"""The content of a model card, as SageMaker's schema has it, from what training and the gate found.

The schema: docs.aws.amazon.com/sagemaker/latest/dg/model-cards.html, and for a model package the smaller one
of model-registry-details.html, whose `model_overview` has two members. Neither takes an unknown member.
"""

from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]
MOST_CLASSES = 20  # rows and columns of a matrix
MOST_CUSTOM = 60
UNITS = {
    "accuracy": "share of images counted exactly right",
    "within_one": "share of images counted at most one object off",
    "rmse": "root mean squared error, objects",
    "mae": "mean absolute error, objects",
    "coverage": "share of intervals that hold the true count; they promise 0.9",
    "majority_accuracy": "accuracy of always answering the commonest count",
}
PURPOSE = (
    "Counts the objects in an image of a warehouse bin, with a confidence and an interval, so that a person "
    "looks only at the bins whose count is uncertain or differs from what is expected."
)
USES = (
    "Images of one bin from the front, as those of its dataset. Not intended: other cameras or other bins "
    "than those it was trained on, counts beyond its classes, several bins in one image, decisions about "
    "people. Evaluate it on your own images first."
)
FACTORS = (
    "Objects that hide one another, tape and nets before the bin, reflections, darkness, wrong labels in the "
    "dataset, and counts that are rare in it. Larger counts are counted less well."
)
CAVEATS = (
    "An answer that asks for review should be looked at by a person; the threshold was chosen on the "
    "validation images. The figures are of the test images, which chose nothing. No block of neighbouring "
    "images is in two splits. The model does not know what it has not seen: watch the share of reviews in "
    "production, and train again where it grows."
)
ETHICS = "The images show shelves. The model is not made to recognise people, and no label describes any."
RISK = "Set by the stage's owners (release.risk_rating)."


def card_of(facts: Mapping[str, Any], found: Json) -> Json:
    """The whole card. `facts` are the pipeline's (model_card.py), `found` training's metrics.json or {}."""
    model: Json = found.get("model", {})
    overview = {
        "model_name": text(model.get("model_id") or facts["training_job"]),
        "model_id": text(model.get("model_id") or facts["training_job"]),
        "model_description": text(_description(facts, model)),
        "problem_type": "Counting objects in an image (ordered classes)",
        "algorithm_type": text(model.get("architecture", "unknown")),
        **_package_overview(facts),
        "inference_environment": {"container_image": [text(facts["image"])]},
    }
    return {"model_overview": overview, **_rest(facts, found)}


def package_card_of(facts: Mapping[str, Any], found: Json) -> Json:
    """The card of a model package, whose overview is smaller."""
    return {"model_overview": _package_overview(facts), **_rest(facts, found)}


def text(value: object, *, most: int = 1024) -> str:
    """As text, cut to what the schema takes."""
    written = str(value)
    return written if len(written) <= most else f"{written[: most - 3]}..."


def _package_overview(facts: Mapping[str, Any]) -> Json:
    return {
        "model_creator": text(f"bincount, stage {facts['stage']}"),
        "model_artifact": [text(facts["model_data"])],
    }


def _description(facts: Mapping[str, Any], model: Json) -> str:
    classes: Json = model.get("classes", {})
    counts = ", ".join(map(str, classes.get("counts", [])))
    top = " (the last means: that many or more)" if classes.get("open_top") else ""
    answers = f" Answers: {counts}{top}." if counts else ""
    return f"Trained on dataset {facts['dataset_id']} by {facts['training_job']}.{answers}"


def _rest(facts: Mapping[str, Any], found: Json) -> Json:
    return {
        "intended_uses": {
            "purpose_of_model": PURPOSE,
            "intended_uses": USES,
            "factors_affecting_model_efficiency": FACTORS,
            "risk_rating": facts["risk_rating"],
            "explanations_for_risk_rating": RISK,
        },
        "training_details": _training(facts, found),
        "evaluation_details": [*_evaluations(facts, found)],
        "additional_information": {
            "ethical_considerations": ETHICS,
            "caveats_and_recommendations": CAVEATS,
            "custom_details": _custom(facts, found),
        },
    }


def _training(facts: Mapping[str, Any], found: Json) -> Json:
    chosen: Json = found.get("model", {}).get("metrics", {}).get("validation", {})
    epochs = len(found.get("history", []))
    seen = f"{epochs} epochs; the best by the RMSE of the validation images was kept." if epochs else ""
    return {
        "training_observations": text(seen or "Its training left no figures beside the model."),
        "training_job_details": {
            "training_arn": text(facts["training_arn"]),
            "training_datasets": [text(facts["dataset_uri"])],
            "training_metrics": [
                {"name": f"validation:{name}", "value": value, "notes": UNITS[name]}
                for name, value in chosen.items()
                if name in UNITS and _is_number(value)
            ],
        },
    }


def _evaluations(facts: Mapping[str, Any], found: Json) -> Iterable[Json]:
    datasets = [text(facts["dataset_uri"])]
    verdict: Json = facts["verdict"]
    word = "accepted" if verdict["accepted"] else "rejected"
    why = "; ".join([*verdict.get("reasons", []), *verdict.get("needs_person", [])])
    yield {
        "name": "gate",
        "evaluation_observation": text(f"{word}{f': {why}' if why else ''}", most=2096),
        "datasets": datasets,
        "metadata": {"page": text(f"{facts['evaluation']}/report.html")},
        "metric_groups": [
            _group("the served model on the test images", verdict["challenger"]["metrics"]),
            *_parts(verdict.get("parts", {})),
        ],
    }
    test: Json = found.get("model", {}).get("metrics", {}).get("test", {})
    if not test:
        return
    details: Json = found.get("test", {})
    low, high = details["accuracy_range"]
    yield {
        "name": "training",
        "evaluation_observation": text(
            f"{test['images']} images. Accuracy {test['accuracy']:.3f}, 95 % confidence range {low:.3f} to "
            f"{high:.3f}. Intervals hold the true count of {details['interval']['coverage']:.3f} of them.",
            most=2096,
        ),
        "datasets": datasets,
        "metric_groups": [
            _group("test images", test, notes={"accuracy": f"95 % range {low:.4f} to {high:.4f}"}),
            *_by_count(details),
        ],
    }


def _parts(parts: Json) -> Iterable[Json]:
    """Home and the field by themselves, of both models; nothing without images of production."""
    for part, model in ((part, model) for part in ("home", "field") for model in ("challenger", "champion")):
        figures = parts.get(part, {}).get(model)
        if figures:
            few = "" if parts[part]["decides"] else f", too few to decide: {parts['needed']} are needed"
            name = f"{model} on the {part} part, {figures['images']} images{few}"
            yield _group(name, figures)


def _by_count(details: Json) -> Iterable[Json]:
    for name in ("accuracy", "rmse"):
        rows = {f"count {row['count']}": row.get(name) for row in details.get("per_count", [])}
        if numbers := {key: value for key, value in rows.items() if _is_number(value)}:
            metrics = [_number(key, value, UNITS[name]) for key, value in numbers.items()]
            yield {"name": f"{name} by true count", "metric_data": metrics}
    matrix = details.get("confusion", [])
    if 0 < len(matrix) <= MOST_CLASSES:
        metric = {"name": "confusion", "type": "matrix", "value": matrix, "notes": "rows are true classes"}
        yield {"name": "confusion matrix", "metric_data": [metric]}


def _group(name: str, figures: Json, *, notes: Mapping[str, str] | None = None) -> Json:
    return {
        "name": name,
        "metric_data": [
            _number(key, figures[key], f"{words}; {notes[key]}" if notes and key in notes else words)
            for key, words in UNITS.items()
            if _is_number(figures.get(key))
        ],
    }


def _number(name: str, value: float, notes: str) -> Json:
    return {"name": name, "type": "number", "value": value, "notes": text(notes)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _custom(facts: Mapping[str, Any], found: Json) -> dict[str, str]:
    """Names as the schema takes them: letters, digits and underscores."""
    model: Json = found.get("model", {})
    known = {
        "dataset_id": facts["dataset_id"],
        "training_job": facts["training_job"],
        "champion": facts["champion"],
        "precision": model.get("precision"),
        "source_revision": model.get("source_revision"),
        **{f"flag_{name}": value for name, value in found.get("settings", {}).items()},
    }
    return {name: text(value) for name, value in [*known.items()][:MOST_CUSTOM] if value is not None}
