"""evaluation/report.html: the whole evaluation on one page, in one file that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from bintrain.evaluation.evaluation import Evaluation
from bintrain.reports import chart_files as charts
from bintrain.reports.words import answer_rule, int8_trial, no_threshold, objects, percent, shown_class

MIME = {".png": "image/png", ".jpg": "image/jpeg"}
STYLE = Path(__file__).with_name("report.css")
FIGURES = (
    ("accuracy", "accuracy", percent),
    ("within one object", "within_one", percent),
    ("RMSE, objects", "rmse", objects),
    ("MAE, objects", "mae", objects),
)
"""Row, key and how it is written."""


def write_report(
    evaluation: Evaluation,
    *,
    model: Mapping[str, Any],
    settings: Mapping[str, Any],
    counts: Mapping[str, Mapping[int, int]],
    epochs: tuple[int, int],
    folder: Path,
) -> None:
    """Write the page from figures and from the charts that are in `folder`/evaluation already.

    `model` is model.json's content, `counts` the images of each split by count, `epochs` the kept one and how
    many were trained.
    """
    target = folder / "evaluation"
    title = f"Evaluation of {model['model_id']}"
    body = [
        f"<h1>{escape(title)}</h1>",
        _summary(evaluation, model=model),
        _cards(evaluation, model=model),
        _headline(evaluation),
        _by_count(evaluation, model=model, target=target),
        _certainty(evaluation, model=model, target=target),
        _mistakes(evaluation, target=target),
        _learning(settings=settings, epochs=epochs, target=target),
        _origin(model, settings=settings, counts=counts),
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>\n{STYLE.read_text(encoding='utf-8')}</style>"
    )
    page = (
        f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n'
        + "\n".join(body)
        + "\n</body></html>\n"
    )
    (target / "report.html").write_text(page, encoding="utf-8")


def _summary(evaluation: Evaluation, *, model: Mapping[str, Any]) -> str:
    test = evaluation.test
    lead = (
        f"Of {test['images']:,} images that neither trained the model nor chose anything, it counted "
        f"{percent(test['accuracy'])} exactly right; always answering the commonest count would have been "
        f"right for {percent(test['majority_accuracy'])}."
    )
    return (
        f'<p class="lead">{lead.replace(" %", "&nbsp;%")}</p>'
        f'<p class="soft">{escape(model["architecture"])}, {model["preprocessing"]["width"]} × '
        f"{model['preprocessing']['height']} pixels, {escape(model['precision'])}, made "
        f"{escape(model['created'])}. {answer_rule(model)} Evaluated as exported, in the runtime that serves "
        f"it. {int8_trial(model.get('int8'))}</p>"
    )


def _cards(evaluation: Evaluation, *, model: Mapping[str, Any]) -> str:
    test, review = evaluation.test, evaluation.details["review"]
    promise = percent(model["calibration"]["review"]["target_accuracy"], digits=0)
    cards = (
        (percent(test["accuracy"]), "counted exactly right"),
        (percent(test["within_one"]), "right within one object"),
        (f"{test['rmse']:.2f}", "objects, root mean square error"),
        (percent(review["automated_share"]), f"answered without review, aiming at {promise} right"),
    )
    return (
        '<div class="cards">' + "".join(f"<div><b>{n}</b><span>{w}</span></div>" for n, w in cards) + "</div>"
    )


def _headline(evaluation: Evaluation) -> str:
    validation, test = evaluation.validation, evaluation.test
    rows = [(name, write(validation[key]), write(test[key])) for name, key, write in FIGURES]
    low, high = evaluation.details["accuracy_range"]
    rows.insert(1, ("accuracy, 95 % confidence range", "", f"{percent(low)} to {percent(high)}"))
    rows.append(("always the commonest count: accuracy", "", percent(test["majority_accuracy"])))
    rows.append(("images", f"{validation['images']:,}", f"{test['images']:,}"))
    return (
        "<h2>How well it counts</h2><p>On <i>validation</i> the epoch, the temperature and the thresholds "
        "were chosen; <i>test</i> was looked at once, for this page. Publish the figures of <i>test</i>.</p>"
        + _table(("", "validation", "test"), rows)
    )


def _by_count(evaluation: Evaluation, *, model: Mapping[str, Any], target: Path) -> str:
    rows = [
        (
            shown_class(row["count"], classes=model["classes"]), f"{row['images']:,}",
            percent(row["accuracy"]), objects(row["rmse"]), percent(row["within_one"]),
        )
        for row in evaluation.details["per_count"]
    ]  # fmt: skip
    total = evaluation.test
    last = ("all", f"{total['images']:,}", percent(total["accuracy"]), objects(total["rmse"]),
            percent(total["within_one"]))  # fmt: skip
    table = _table(("true count", "images", "accuracy", "RMSE, objects", "within one"), rows, total=last)
    picture = _picture(
        target / charts.CONFUSION, "Confusion matrix: true counts in rows, counted numbers in columns",
        "Each row is one true count; on the diagonal the right answers.",
    )  # fmt: skip
    return f'<h2>By true count</h2><div class="pair"><div>{table}</div>{picture}</div>'


def _certainty(evaluation: Evaluation, *, model: Mapping[str, Any], target: Path) -> str:
    details, calibration = evaluation.details, model["calibration"]
    error, interval, review = details["calibration_error"], details["interval"], details["review"]
    below, accuracy = calibration["review"]["confidence_below"], review["automated_accuracy"]
    why = "" if below is not None else no_threshold(calibration["review"], validation=evaluation.validation)
    threshold = "none: all are reviewed" if below is None else f"confidence {below:.3f} or more"
    rows = (
        ("calibration error before temperature scaling", percent(error["before"])),
        (f"calibration error after (temperature {calibration['temperature']:.2f})", percent(error["after"])),
        ("interval holds the true count: promised", percent(interval["promised_coverage"])),
        ("interval holds the true count: measured", percent(interval["coverage"])),
        ("interval's mean width, counts", f"{interval['mean_width']:.2f}"),
        ("answers without review", threshold),
        ("bins answered without review: measured", percent(review["automated_share"])),
        ("accuracy of those: aimed at", percent(calibration["review"]["target_accuracy"])),
        ("accuracy of those: measured", "no such answer" if accuracy is None else percent(accuracy)),
    )
    reliable = _picture(
        target / charts.RELIABILITY, "Reliability diagram",
        "On the dashed line, answers given with 70 % confidence are right 70 % of the time.",
    )  # fmt: skip
    risk = _picture(
        target / charts.RISK_COVERAGE, "Risk-coverage curve",
        "Answering only the most confident bins makes fewer mistakes; the rest go to a person.",
    )  # fmt: skip
    return (
        "<h2>Which answers to trust</h2><p>Thresholds were chosen on <i>validation</i>; all that is "
        f"measured here was measured on <i>test</i>. {why}</p>{_table(('', 'test'), rows)}"
        f'<div class="pair">{reliable}{risk}</div>'
    )


def _mistakes(evaluation: Evaluation, *, target: Path) -> str:
    test = evaluation.test
    wrong = round(test["images"] * (1 - test["accuracy"]))
    return (
        f"<h2>The worst mistakes</h2><p>{wrong:,} of {test['images']:,} answers were wrong. Shown are "
        "those furthest off, the more confident first.</p>"
        + _picture(target / charts.MISTAKES, "Worst mistakes", wide=True)
    )


def _learning(*, settings: Mapping[str, Any], epochs: tuple[int, int], target: Path) -> str:
    kept, trained = epochs
    stopped = f"; up to {settings['epochs']} were allowed" if trained < settings["epochs"] else ""
    text = f"Epoch {kept} of {trained} was kept: the lowest RMSE on <i>validation</i>{stopped}."
    return f"<h2>How it learned</h2><p>{text}</p>" + _picture(
        target / charts.LEARNING, "Learning curves", wide=True
    )


def _origin(
    model: Mapping[str, Any], *, settings: Mapping[str, Any], counts: Mapping[str, Mapping[int, int]]
) -> str:
    listed = sorted({count for split in counts.values() for count in split})
    rows = [(str(count), *(f"{split.get(count, 0):,}" for split in counts.values())) for count in listed]
    total = ("all", *(f"{sum(split.values()):,}" for split in counts.values()))
    values = "".join(
        f"<tr><td>{escape(name.replace('_', ' '))}</td><td>{escape(_setting(value))}</td></tr>"
        for name, value in settings.items()
    )
    return (
        "<h2>What it was trained on</h2>"
        f"<p>Dataset <code>{escape(model['dataset_id'])}</code>, source revision "
        f"<code>{escape(model['source_revision'])}</code>. No block of 100 neighbouring ids is in "
        'two splits.</p><div class="pair"><div><h3>Images by count</h3>'
        f"{_table(('objects', *counts), rows, total=total)}</div>"
        f'<div><h3>Settings</h3><div class="scroll"><table class="facts">{values}</table></div></div></div>'
    )


def _setting(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, total: Sequence[str] | None = None) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in rows)
    last = f'<tr class="total">{_cells(total)}</tr>' if total else ""
    return f'<div class="scroll"><table><tr>{head}</tr>{body}{last}</table></div>'


def _cells(row: Sequence[str]) -> str:
    return "".join(f"<td>{escape(cell)}</td>" for cell in row)


def _picture(path: Path, alt: str, caption: str = "", *, wide: bool = False) -> str:
    """A picture in its card; a `wide` one keeps a readable size on a phone, where it is moved sideways."""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    words = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    image = f'<img alt="{escape(alt)}" src="data:{MIME[path.suffix]};base64,{data}">'
    style = ' class="wide"' if wide else ""
    return f"<figure{style}><div>{image}</div>{words}</figure>"
