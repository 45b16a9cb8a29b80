"""MODEL_CARD.md: what the model was trained on, how well it does per count, when not to trust it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bintrain.evaluation.evaluation import Evaluation
from bintrain.reports.words import answer_rule, int8_trial, no_threshold, objects, percent, shown_class


def write_model_card(
    evaluation: Evaluation, *, model: dict[str, Any], images: dict[str, int], folder: Path
) -> None:
    """Write the card. `model` is model.json's content, `images` the number of images in each split."""
    folder.mkdir(parents=True, exist_ok=True)
    sections = [
        _origin(model, images=images),
        _figures(evaluation),
        _per_count(evaluation, model=model),
        _trust(evaluation, model=model),
    ]
    (folder / "MODEL_CARD.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")


def _origin(model: dict[str, Any], *, images: dict[str, int]) -> str:
    size = model["preprocessing"]["width"]
    counts = ", ".join(str(count) for count in model["classes"]["counts"])
    top = " (the last means: that many or more)" if model["classes"]["open_top"] else ""
    return f"""# Model card: {model["model_id"]}

Counts the objects in an image of a warehouse bin. {model["architecture"]} at {size}x{size} pixels,
{model["precision"]} weights, made {model["created"]} from source revision {model["source_revision"]}.

Answers: {counts}{top}. {answer_rule(model)}
Trained on {images["train"]} images of dataset `{model["dataset_id"]}`; chosen on {images["validation"]}
images, evaluated once on {images["test"]} others. No block of 100 neighbouring ids is in two splits.
{int8_trial(model.get("int8"))}"""


def _figures(evaluation: Evaluation) -> str:
    test = evaluation.test
    low, high = evaluation.details["accuracy_range"]
    return f"""## How well it counts ({test["images"]} images that chose nothing)

| figure | value |
|---|---|
| accuracy | {percent(test["accuracy"])} |
| accuracy, 95 % confidence range | {percent(low)} to {percent(high)} |
| accuracy of always answering the commonest count | {percent(test["majority_accuracy"])} |
| within one object | {percent(test["within_one"])} |
| RMSE | {test["rmse"]:.3f} objects |
| MAE | {test["mae"]:.3f} objects |"""


def _per_count(evaluation: Evaluation, *, model: dict[str, Any]) -> str:
    lines = [
        "## By true count",
        "",
        "| count | images | accuracy | RMSE | within one |",
        "|---|---|---|---|---|",
    ]
    named = [
        (shown_class(row["count"], classes=model["classes"]), row) for row in evaluation.details["per_count"]
    ]
    for name, row in [*named, ("all", evaluation.test)]:
        figures = (percent(row["accuracy"]), objects(row["rmse"]), percent(row["within_one"]))
        lines.append(f"| {name} | {row['images']} | {' | '.join(figures)} |")
    return "\n".join(lines)


def _trust(evaluation: Evaluation, *, model: dict[str, Any]) -> str:
    details = evaluation.details
    interval, error = details["interval"], details["calibration_error"]
    return f"""## When to trust it

- {_review(details["review"], rule=model["calibration"]["review"], validation=evaluation.validation)}
- The interval holds the true count of {percent(interval["coverage"])} of the evaluated images (promised:
  {percent(interval["promised_coverage"])}) and is {interval["mean_width"]:.2f} counts wide on average.
- Calibration error {percent(error["after"])} ({percent(error["before"])} before temperature scaling).
- Do not trust it on other cameras or other bins than those it was trained on, or on counts that are not
  listed above: evaluate it on your own images first."""


def _review(measured: dict[str, Any], *, rule: dict[str, Any], validation: dict[str, Any]) -> str:
    promise, below = percent(rule["target_accuracy"]), rule["confidence_below"]
    if below is None:
        return no_threshold(rule, validation=validation)
    return (
        f"Answers with a confidence of {below:.3f} or more need no review (chosen for {promise} accuracy): "
        f"{percent(measured['automated_share'])} of the evaluated images, of which "
        f"{percent(measured['automated_accuracy'])} were right."
    )
