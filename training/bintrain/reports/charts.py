"""The charts of an evaluation: each function draws one and writes a PNG."""

# matplotlib leaves its **kwargs without a type, so nearly every call of it would be a finding:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from bintrain.evaluation.curves import Points

BLUE, ORANGE, GREY, INK = "#0072b2", "#d55e00", "#8a8f98", "#22262b"
"""Distinct for colour-blind readers too (Okabe and Ito 2008)."""

DPI = 150

STYLE: dict[str, Any] = {
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e8eb",
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
}


def draw_confusion(table: Sequence[Sequence[int]], *, names: Sequence[str], path: Path) -> None:
    """Images by true count (row) and counted number (column), shaded by the share of the row."""
    counts = np.asarray(table)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.6 + 0.55 * len(names)
    with _style():
        figure = Figure(figsize=(side + 0.7, side), layout="constrained")
        axes = figure.subplots()
        image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for (row, column), number in np.ndenumerate(counts):
            colour = "white" if share[row, column] > 0.55 else INK
            weight = "bold" if row == column else "normal"
            axes.text(column, row, f"{number:,}", ha="center", va="center", color=colour, weight=weight)
        axes.set(xlabel="counted (objects)", ylabel="true count (objects)", title="What was counted")
        axes.set_xticks(range(len(names)), labels=list(names))
        axes.set_yticks(range(len(names)), labels=list(names))
        axes.grid(False)
        bar = figure.colorbar(image, ax=axes, shrink=0.85, format=PercentFormatter(1.0, decimals=0))
        bar.set_label("share of the true count's images")
        bar.outline.set_visible(False)
        _save(figure, path)


def draw_learning(history: Sequence[dict[str, float]], *, best_epoch: int, path: Path) -> None:
    """Loss, accuracy and error by epoch; the epoch that was kept is marked."""
    epochs = [entry["epoch"] for entry in history]

    def plot(axes: Axes, name: str, *, label: str, colour: str) -> None:
        axes.plot(epochs, [entry[name] for entry in history], "o-", label=label, color=colour)

    with _style():
        figure = Figure(figsize=(11, 3.5), layout="constrained")
        loss, share, error = figure.subplots(1, 3)
        plot(loss, "train:loss", label="train (augmented)", colour=GREY)
        plot(loss, "validation:loss", label="validation", colour=BLUE)
        plot(share, "validation:accuracy", label="accuracy", colour=BLUE)
        plot(share, "validation:within_one", label="within one object", colour=ORANGE)
        plot(error, "validation:rmse", label="RMSE", colour=BLUE)
        plot(error, "validation:mae", label="MAE", colour=ORANGE)
        loss.set(title="Loss", ylabel="cross entropy (nats)")
        share.set(title="Right answers on validation", ylabel="share of images", ylim=(0, 1.02))
        share.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        error.set(title="Error on validation", ylabel="objects")
        error.set_ylim(bottom=0)
        for axes in (loss, share, error):
            axes.axvline(
                best_epoch, color=INK, linestyle=":", linewidth=1.2, label=f"kept: epoch {best_epoch}"
            )
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            axes.legend(fontsize=9.5)
        _save(figure, path)


def draw_reliability(before: Points, after: Points, *, errors: dict[str, float], path: Path) -> None:
    """Accuracy against confidence before and after temperature scaling, and how many answers lie where."""
    with _style():
        figure = Figure(figsize=(5.6, 6.2), layout="constrained")
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        axes.plot((0, 1), (0, 1), color=GREY, linestyle="--", linewidth=1.2, label="honest confidence")
        for points, name, colour in ((before, "before", ORANGE), (after, "after", BLUE)):
            label = f"{name} temperature scaling (error {100 * errors[name]:.1f} %)"
            x, y = [point["confidence"] for point in points], [point["accuracy"] for point in points]
            axes.plot(x, y, "o-", color=colour, label=label)
        axes.set(title="Does confidence say how often it is right?", ylabel="accuracy on test")
        axes.set(xlim=(0, 1), ylim=(0, 1.02))
        figure.legend(loc="outside lower left", fontsize=10)
        middles = [point["confidence"] for point in after]
        below.bar(middles, [point["images"] for point in after], width=0.06, color=BLUE)
        below.set(xlabel="confidence", ylabel="images (after)")
        below.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=3))
        for axis in (axes.yaxis, below.xaxis):
            axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        _save(figure, path)


def draw_risk_coverage(
    points: Points, *, target_accuracy: float, automated_share: float, risk: float | None, path: Path
) -> None:
    """Wrong answers against the share of bins answered without review; the chosen threshold is marked.

    `risk` is the measured share of wrong answers at the threshold, None where nothing is automatic.
    """
    with _style():
        figure = Figure(figsize=(5.6, 6.2), layout="constrained")
        axes = figure.subplots()
        coverage = [point["coverage"] for point in points]
        axes.plot(coverage, [point["risk"] for point in points], color=BLUE, label="measured on test")
        allowed = 1 - target_accuracy
        axes.axhline(
            allowed, color=GREY, linestyle="--", linewidth=1.2, label=f"allowed: {100 * allowed:.0f} %"
        )
        if risk is not None:
            label = f"chosen threshold: {100 * automated_share:.0f} % automatic"
            axes.plot([automated_share], [risk], "o", color=ORANGE, markersize=9, label=label)
        axes.set(title="What automation costs", xlabel="bins answered without review (most confident first)")
        axes.set(ylabel="wrong among them", xlim=(0, 1), ylim=(0, _ceiling(points, allowed)))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        figure.legend(loc="outside lower left", fontsize=10)
        _save(figure, path)


def _ceiling(points: Points, allowed: float) -> float:
    highest = max([point["risk"] for point in points], default=0.0)
    return min(1.02, 1.35 * max(highest, allowed, 0.05))


def _style() -> AbstractContextManager[None]:
    return matplotlib.rc_context(STYLE)  # pyright: ignore[reportArgumentType]


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=DPI)
