"""Prints the tables of docs/frontier.md and, with --picture FILE, draws docs/frontier.svg.

    python benchmarks/frontier_page.py [--picture docs/frontier.svg]     (make frontier does both)

From results/frontier.json, accuracy.json and recipes.json; nothing is measured here. Dollars are worked out
with the prices of infra/settings/instances.py.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from frontier import NETWORKS, REFERENCE, full, results
from leaderboard import CPU, measured, price_of, table

CORES = 2
"""Of a CPU instance; its price is for both."""
UNMEASURED = "not measured"
TOP1 = {
    "resnet50": 80.9, "resnet18": 69.8, "mobilenet_v3_large": 75.3, "convnext_tiny": 82.5,
    "mobilenet_v2": 72.2, "regnet_y_400mf": 75.8,
    "efficientnet_lite0": 74.8, "efficientnet_lite1": 76.7, "efficientnet_lite2": 77.5,
}  # fmt: skip
"""ImageNet top-1 at the side a network was designed for, %, as torchvision 0.29.1 and Lite's authors say."""


def main() -> None:
    """Print, and draw where that is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    if options.picture:
        draw(options.picture)
    print(page(), end="")


def page() -> str:
    """All headings and tables."""
    return "\n".join([_speed(), _served(), _accuracy()]).rstrip("\n") + "\n"


def per_core(found: dict[str, Any], side: str) -> float:
    """Counts a second of one core that does nothing else."""
    return 1000 / found["handlers"]["cpu_ms"][side]


def times(found: dict[str, Any]) -> float:
    """INT8's counts a second and core over those of ResNet50 in INT8, beside it."""
    return per_core(found, "INT8") / per_core(found, "reference")


def dollars(found: dict[str, Any], side: str) -> float:
    """Of a million counts on a CPU instance that never waits."""
    return 1e6 / (per_core(found, side) * CORES) / 3600 * price_of(CPU)


def names() -> list[str]:
    """The networks that were measured, the quickest first."""
    found = {name: each for name, each in results().items() if "handlers" in each}
    return sorted(found, key=lambda name: -times(found[name]))


def _speed() -> str:
    head = (
        "network, side | ImageNet top-1, published | weights here | INT8: counts a second and core "
        "| times ResNet50 "
        "| FP16: counts a second and core | files, MB, INT8 / FP16 | dollars a million, INT8 / FP16 "
        "| training, times ResNet50"
    )
    return "## Speed\n\n" + table(head, [_row(name, results()[name]) for name in names()])


def _row(name: str, found: dict[str, Any]) -> list[str]:
    arch = name.partition("@")[0]
    return [
        f"`{name}`",
        f"{TOP1[arch]} %" if name == full(arch) else "",
        found["weights"],
        f"{per_core(found, 'INT8'):.0f}",
        f"{times(found):.1f}",
        f"{per_core(found, 'FP16'):.0f}",
        f"{found['file_mb']['INT8']:.1f} / {found['file_mb']['FP16']:.1f}",
        f"{dollars(found, 'INT8'):.2f} / {dollars(found, 'FP16'):.2f}",
        f"{_trains(found) / _trains(results()[REFERENCE]):.1f}" if "training" in found else UNMEASURED,
    ]


def _served() -> str:
    head = (
        "network, side | 8 callers: answers a second, INT8 / FP16 | the same of ResNet50 in INT8 beside it "
        "| answers a CPU second, INT8 | ms of one, INT8 / FP16 / ResNet50 | memory, MB, INT8 / FP16 | load"
    )
    return "## Through the server\n\n" + table(head, [_served_row(name) for name in names()])


def _served_row(name: str) -> list[str]:
    found = results()[name].get("server")
    if found is None:
        return [f"`{name}`", UNMEASURED, "", "", "", "", ""]
    int8, fp16, reference = (found[side] for side in ("INT8", "FP16", "reference"))
    return [
        f"`{name}`",
        f"{int8['per_second']:.0f} / {fp16['per_second']:.0f}",
        f"{reference['per_second']:.0f}",
        f"{int8['per_core_second']:.0f}",
        f"{int8['ms_of_one']:.1f} / {fp16['ms_of_one']:.1f} / {reference['ms_of_one']:.1f}",
        f"{int8['memory_mb']:.0f} / {fp16['memory_mb']:.0f}",
        f"{found['load']:.1f}",
    ]


def _trains(found: dict[str, Any]) -> float:
    return found["training"]["images_per_core_second"]


def _accuracy() -> str:
    rows = measured()
    wanted = dict.fromkeys([*names(), *map(full, NETWORKS)])
    lines = [line for name in wanted for line in _judged(name, [row for row in rows if side_of(row) == name])]
    others = [row for row in rows if side_of(row) not in wanted]
    lines += [_line(side_of(row), row) for row in others]
    head = (
        "network, side | what was learnt | images / judged | accuracy | RMSE | within one "
        "| INT8 changes accuracy; RMSE by"
    )
    return "## Accuracy\n\n" + table(head, lines)


def side_of(row: dict[str, Any]) -> str:
    """`arch@side` of a row of accuracy."""
    name: str = row["network"]
    return name if "@" in name else f"{name}@{row['image_size']}"


def _judged(name: str, rows: list[dict[str, Any]]) -> list[list[str]]:
    blocks = [row for row in rows if row["split"] == "block"]
    if blocks:
        return [_line(name, row) for row in blocks]
    arch, _, side = name.partition("@")
    command = f"`benchmarks/recipes.py train --arch {arch} --size {side} --recipes now`"
    return [[f"`{name}`", f"{UNMEASURED}: {command}", "", "", "", "", ""]]


def _line(name: str, row: dict[str, Any]) -> list[str]:
    change = row.get("int8")
    return [
        f"`{name}`",
        row["what"],
        f"{row['images']:,} / {row['judged']:,}",
        _figure(row["accuracy"], percent=True),
        _figure(row["rmse"]),
        _figure(row["within_one"], percent=True),
        f"{_figure(change['accuracy'], percent=True, sign='+')}; {_figure(change['rmse'], sign='+')}"
        if change
        else UNMEASURED,
    ]


def _figure(value: dict[str, float], *, percent: bool = False, sign: str = "") -> str:
    scale, digits = (100, 1) if percent else (1, 3)
    mean = f"{value['mean'] * scale:{sign}.{digits}f}"
    return f"{mean} ± {value['half'] * scale:.{digits}f}{' %' if percent else ''}"


def draw(path: Path) -> None:
    """Bars of counts a second and core, and beside them what is known of accuracy."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    mpl.rcParams.update({"svg.hashsalt": "frontier", "svg.fonttype": "none", "font.size": 9})
    order, found, rows = names()[::-1], results(), measured()
    figure, (left, right) = plt.subplots(  # pyright: ignore
        1, 2, figsize=(10, 0.8 + 0.5 * len(order)), sharey=True, width_ratios=[3, 2], layout="constrained"
    )
    places = range(len(order))
    for precision, offset, colour in (("INT8", 0.2, "#1f6f8b"), ("FP16", -0.2, "#b8c4cc")):
        rates = [per_core(found[name], precision) for name in order]
        spots = [place + offset for place in places]
        left.barh(spots, rates, height=0.38, color=colour, label=precision)
        for spot, rate, name in zip(spots, rates, order, strict=True):
            factor = f"  ({times(found[name]):.1f} x)" if precision == "INT8" else ""
            words, beside = f"{rate:.0f}{factor}", (4, 0)
            left.annotate(words, (rate, spot), beside, textcoords="offset points", va="center", fontsize=8)
    left.set_yticks(list(places), order)
    left.margins(x=0.2)
    left.set_xlabel("counts a second and core (in brackets: times ResNet50 in INT8)")
    left.legend(loc="lower right", frameon=False)
    kinds = {"frozen": ("#d1495b", "o", "bins, features frozen"), "": ("#edae49", "D", "bins, trained")}
    for place, name in enumerate(order):
        own = [row for row in rows if side_of(row) == name and row["split"] == "block"]
        for row in own:
            colour, mark, label = kinds["frozen" if "frozen" in row["what"] else ""]
            mean, half = 100 * row["accuracy"]["mean"], 100 * row["accuracy"]["half"]
            right.errorbar(mean, place, xerr=half, color=colour, fmt=mark, capsize=3, label=label)
        arch = name.partition("@")[0]
        if name == full(arch) and arch in TOP1:
            right.plot(TOP1[arch], place, "s", color="#888888", fillstyle="none", label="ImageNet, published")
    right.set_xlabel("accuracy, %")
    right.set_xlim(20, 90)
    handles, labels = right.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    if unique:
        right.legend(unique.values(), unique.keys(), loc="lower left", frameon=False, fontsize=8)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
