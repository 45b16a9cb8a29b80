"""Runs side by side on one page, in one file that needs nothing else: a table, and curves by epoch."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path

from bincount.models.training_jobs import shown_dollars
from bincount.runs.run import Details, Run

STYLE = Path(__file__).with_name("page.css")
COLOURS = 8
CHARTS = {
    "validation:rmse": "RMSE of the validation images",
    "validation:accuracy": "Accuracy of the validation images",
    "validation:loss": "Loss of the validation images",
    "train:loss": "Loss of the training images",
}
PARAMETERS = ("arch", "image-size", "epochs", "batch-size", "learning-rate")
FIGURES = {
    "validation:rmse": "validation RMSE",
    "test:rmse": "test RMSE",
    "test:accuracy": "test accuracy",
    "test:within_one": "test within one",
}
LOW_IS_BETTER = ("validation:rmse", "test:rmse")
_RIGHT = ' class="n"'
Scale = Callable[[float], float]
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 560, 260, 62, 34, 12


def runs_page(runs: Sequence[Run], details: Mapping[str, Details], *, title: str) -> str:
    """The whole HTML page; `details` are by the runs' names, for those that wrote them."""
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>\n{STYLE.read_text(encoding='utf-8')}</style>"
    )
    spent = sum(run.job.cost or 0 for run in runs)
    unknown = sum(run.job.cost is None for run in runs)
    more = f", and {unknown} whose price is not known" if unknown else ""
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{len(runs)} runs, newest first; together {shown_dollars(spent)} by list prices{more}.</p>",
        _table(runs, details),
        _charts(runs, details),
        '<p class="soft">The best figure of a column is marked. The validation images choose (epoch, '
        "tuning); the test images are looked at once. A dot is the epoch that was kept.</p>",
    ]
    text = "\n".join(body)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{text}\n</body></html>\n'


def _table(runs: Sequence[Run], details: Mapping[str, Details]) -> str:
    heads = ["run", "status", *FIGURES.values(), "gate", "cost", "billed", *PARAMETERS, "best epoch", "spot"]
    numbers = {*PARAMETERS[1:], "best epoch", *FIGURES.values(), "cost", "billed"}
    best = best_figures(runs)
    heads = [*heads, "dataset", "note"]
    rows = [f"<tr>{''.join(_head(name, name in numbers) for name in heads)}</tr>"]
    for place, run in enumerate(runs):
        found = details.get(run.name)
        cells = [
            f'<i class="r{place % COLOURS}"></i>{escape(run.name)}',
            escape(run.job.status),
            *(_figure(run, name, best) for name in FIGURES),
            escape(run.verdict or "-"),
            escape(shown_dollars(run.job.cost)),
            shown_seconds(run.job.seconds),
            *(escape(run.parameters.get(name, "-")[:10]) for name in PARAMETERS),
            "-" if found is None else str(found.best_epoch or "-"),
            interruptions(run),
            escape(run.dataset or "-"),
            escape(run.job.reason or "-"),
        ]
        row = (_cell(name, cell, name in numbers) for name, cell in zip(heads, cells, strict=True))
        rows.append(f"<tr>{''.join(row)}</tr>")
    return f'<div class="wide"><table>{"".join(rows)}</table></div>'


def best_figures(runs: Sequence[Run]) -> dict[str, float]:
    """The best value of each of FIGURES; only where there is something to compare."""
    found: dict[str, float] = {}
    for name in FIGURES:
        values = [run.metrics[name] for run in runs if name in run.metrics]
        if len(values) > 1:
            found[name] = min(values) if name in LOW_IS_BETTER else max(values)
    return found


def shown_figure(name: str, value: float | None) -> str:
    """`0.512` for an error, `51.2%` for a share, `-` for none."""
    if value is None:
        return "-"
    return f"{value:.3f}" if name in LOW_IS_BETTER else f"{value:.1%}"


def interruptions(run: Run) -> str:
    """`on demand`, or how often AWS took the spot instance away and what spot saved."""
    if not run.spot:
        return "on demand"
    times = {0: "never", 1: "once"}.get(run.interruptions, f"{run.interruptions} times")
    saved = "" if run.saving is None else f", saved {run.saving:.0%}"
    return f"interrupted {times}{saved}"


def shown_seconds(seconds: float) -> str:
    """`95 s`, from two minutes on `2 min`, from two hours on `2.0 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _head(name: str, number: bool) -> str:
    return f"<th{_RIGHT if number else ''}>{escape(name)}</th>"


def _cell(name: str, content: str, number: bool) -> str:
    """On paper there is no row of heads: each cell has its name."""
    style = _RIGHT if number else ' class="note"' if name == "note" else ""
    return f'<td{style} data-name="{escape(name)}">{content}</td>'


def _figure(run: Run, name: str, best: Mapping[str, float]) -> str:
    value = run.metrics.get(name)
    shown = shown_figure(name, value)
    marked = value is not None and best.get(name) == value
    return f"<b>{shown}</b>" if marked else shown


def _charts(runs: Sequence[Run], details: Mapping[str, Details]) -> str:
    if not any(details.get(run.name) and details[run.name].history for run in runs):
        return "<h2>By epoch</h2><p>No run has ended yet: curves are drawn of what a run has written.</p>"
    charts = "".join(_chart(name, words, runs, details) for name, words in CHARTS.items())
    return f'<h2>By epoch</h2><div class="charts">{charts}</div>'


def _chart(name: str, words: str, runs: Sequence[Run], details: Mapping[str, Details]) -> str:
    lines = {
        place: [(line["epoch"], line[name]) for line in details[run.name].history if name in line]
        for place, run in enumerate(runs)
        if run.name in details
    }
    points = [point for line in lines.values() for point in line]
    if not points:
        return ""
    last = max(max(epoch for epoch, _ in points), 2)
    low, high = min(value for _, value in points), max(value for _, value in points)
    span = (high - low) or abs(high) or 1.0
    low, high = low - 0.05 * span, high + 0.05 * span

    def x(epoch: float) -> float:
        return _LEFT + (epoch - 1) / (last - 1) * (_WIDTH - _LEFT - 12)

    def y(value: float) -> float:
        return _TOP + (high - value) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    drawn = [_grid(low, high, y), _epochs(int(last), x)]
    for place, line in lines.items():
        run = runs[place]
        path = " ".join(f"{x(epoch):.1f},{y(value):.1f}" for epoch, value in line)
        best = details[run.name].best_epoch
        dots = "".join(
            f'<circle cx="{x(epoch):.1f}" cy="{y(value):.1f}" r="4"/>'
            for epoch, value in line
            if epoch == best
        )
        title = f"<title>{escape(run.name)}</title>"
        drawn.append(f'<g class="r{place % COLOURS}">{title}<polyline points="{path}"/>{dots}</g>')
    return (
        f'<figure><h3>{escape(words)}</h3><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(words)} by epoch">{"".join(drawn)}</svg></figure>'
    )


def _grid(low: float, high: float, y: Scale) -> str:
    values = [low + (high - low) * part / 4 for part in range(5)]
    return "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - 12}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
        f'<text x="{_LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.3g}</text>'
        for value in values
    )


def _epochs(last: int, x: Scale) -> str:
    step = max(1, -(-last // 6))
    return "".join(
        f'<text x="{x(epoch):.1f}" y="{_HEIGHT - 10}" text-anchor="middle">{epoch}</text>'
        for epoch in range(1, last + 1, step)
    )
