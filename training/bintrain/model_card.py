"""MODEL_CARD.md: what the model was trained on, how well it does per count, when not to trust it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bintrain.evaluation import Evaluation


def write_model_card(
    evaluation: Evaluation, *, model: dict[str, Any], images: dict[str, int], folder: Path
) -> None:
    """Write the card. `model` is model.json's content, `images` the number of images in each part."""
    folder.mkdir(parents=True, exist_ok=True)
    sections = [
        _origin(model, images=images),
        _figures(evaluation),
        _per_count(evaluation.details["per_count"], model=model),
        _trust(evaluation, model=model),
    ]
    (folder / "MODEL_CARD.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"


def _origin(model: dict[str, Any], *, images: dict[str, int]) -> str:
    size = model["preprocessing"]["width"]
    counts = ", ".join(str(count) for count in model["classes"]["counts"])
    top = " (the last means: that many or more)" if model["classes"]["open_top"] else ""
    return f"""# Model card: {model["model_id"]}

Counts the objects in a photograph of a warehouse bin. {model["architecture"]} at {size}x{size} pixels,
{model["precision"]} weights, made {model["created"]} from source revision {model["source_revision"]}.

Answers: {counts}{top}. Trained on {images["train"]} images of dataset `{model["dataset_id"]}`; chosen on
{images["select"]} images, judged once on {images["report"]} others. No block of 100 neighbouring ids is on
two sides."""


def _figures(evaluation: Evaluation) -> str:
    report = evaluation.report
    return f"""## How well it counts ({report["images"]} images that chose nothing)

| figure | value |
|---|---|
| accuracy | {_percent(report["accuracy"])} |
| accuracy of always answering the commonest count | {_percent(report["majority_accuracy"])} |
| within one object | {_percent(report["within_one"])} |
| RMSE | {report["rmse"]:.3f} objects |
| MAE | {report["mae"]:.3f} objects |"""


def _per_count(rows: list[dict[str, Any]], *, model: dict[str, Any]) -> str:
    classes = model["classes"]
    lines = [
        "## By true count",
        "",
        "| count | images | accuracy | RMSE | within one |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        name = f"{row['count']}" + (
            " or more" if classes["open_top"] and row["count"] == classes["counts"][-1] else ""
        )
        lines.append(
            f"| {name} | {row['images']} | {_percent(row['accuracy'])} | {row['rmse']:.3f} | "
            f"{_percent(row['within_one'])} |"
        )
    return "\n".join(lines)


def _trust(evaluation: Evaluation, *, model: dict[str, Any]) -> str:
    details = evaluation.details
    interval, error = details["interval"], details["calibration_error"]
    return f"""## When to trust it

- {_review(details["review"], rule=model["calibration"]["review"])}
- The interval holds the true count of {_percent(interval["coverage"])} of the judged images (promised:
  {_percent(interval["promised_coverage"])}) and is {interval["mean_width"]:.2f} counts wide on average.
- Calibration error {_percent(error["after"])} ({_percent(error["before"])} before temperature scaling).
- Do not trust it on other cameras or other bins than those it was trained on, or on counts that are not
  listed above: judge it on your own images first."""


def _review(measured: dict[str, Any], *, rule: dict[str, Any]) -> str:
    promise, below = _percent(rule["target_accuracy"]), rule["confidence_below"]
    if below is None:
        return f"No confidence reached {promise} accuracy on `select`: every answer asks for review."
    return (
        f"Answers with a confidence of {below:.3f} or more need no review (chosen for {promise} accuracy): "
        f"{_percent(measured['automated_share'])} of the judged images, of which "
        f"{_percent(measured['automated_accuracy'])} were right."
    )
