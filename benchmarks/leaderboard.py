"""Prints the tables of docs/leaderboard.md: how well public bins are counted, by task.

    python benchmarks/leaderboard.py          (make leaderboard puts them into the page)

Published rows and the floors of the gate are those of infra/training/gate (known_results.py, floors.py),
which synth holds every stage to. Ours are the rows of results/accuracy.json (frontier.py writes them) and,
where it is there, results/recipes.json in the same form. Nothing is worked out here but dollars.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from infra.settings.instances import INSTANCES  # noqa: E402
from infra.training.gate.floors import TASKS  # noqa: E402
from infra.training.gate.known_results import ALL, KNOWN, LIST, Known  # noqa: E402

RESULTS = Path(__file__).with_name("results")
MEASURED = ("accuracy.json", "recipes.json")
CPU = "ml.c7i.large"
"""What a CPU-hour is priced as: this instance has two."""
GPU = "ml.g5.2xlarge"
"""What stage prod trains on."""
GPU_IMAGES_A_SECOND = 600
"""Of ResNet50 at 224 pixels in bf16: assumed, from memory, not measured."""

UNMEASURED = (
    (ALL, "resnet50", 259_000, 12),
    (ALL, "efficientnet_lite0", 259_000, 12),
    (LIST, "resnet50", 8_400, 12),
    (LIST, "efficientnet_lite0", 8_400, 12),
)
"""Trainings that a GPU would settle: task, network, images to train on, about, and epochs."""


def page() -> str:
    """All headings and tables."""
    rows, parts = measured(), list[str]()
    for task in (ALL, LIST):
        parts += [_published(task), _ours(task, [row for row in rows if row["task"] == task])]
    return "\n".join([*parts, _unmeasured(), _floors()]).rstrip("\n") + "\n"


def measured() -> list[dict[str, Any]]:
    """The rows of every results file that is there."""
    files = [RESULTS / name for name in MEASURED if (RESULTS / name).is_file()]
    return [row for file in files for row in json.loads(file.read_text())]


def table(head: str, rows: Iterable[Iterable[str]]) -> str:
    columns = head.count("|") + 1
    return "\n".join([f"| {head} |", "|" + "---|" * columns, *(f"| {' | '.join(row)} |" for row in rows), ""])


def _published(task: str) -> str:
    rows = [_known(row) for row in KNOWN if row.task == task]
    title = TASKS[task].words[0].upper() + TASKS[task].words[1:]
    head = "model | images to learn from | split | accuracy | RMSE | within one | source"
    return f"## {title}\n\nBefore this page:\n\n" + table(head, rows)


def _known(row: Known) -> list[str]:
    return [
        row.model,
        row.images,
        row.split,
        f"{row.accuracy * 100:.1f} %",
        "" if row.rmse is None else f"{row.rmse:.3f}",
        "" if row.within_one is None else f"{row.within_one * 100:.1f} %",
        row.source,
    ]


def _ours(task: str, rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "Ours: not measured.\n"
    head = (
        "network | weights, size, what was trained | images to learn from / judged | split | seeds "
        "| accuracy | RMSE | within one | CPU hours a seed | dollars | energy"
    )
    rows = sorted(rows, key=lambda row: (row["split"], -row["accuracy"]["mean"]))
    return "Ours, mean of the seeds and the half-width of its 95 % range:\n\n" + table(head, map(_row, rows))


def _row(row: dict[str, Any]) -> list[str]:
    hours: float = row["cpu_seconds"] / 3600
    return [
        f"`{row['network']}`",
        row["what"],
        f"{row['images']:,} / {row['judged']:,}",
        row["split"],
        str(row["seeds"]),
        _figure(row["accuracy"], percent=True),
        _figure(row["rmse"]),
        _figure(row["within_one"], percent=True),
        f"{hours:.2f}",
        f"{hours / 2 * price_of(CPU):.3f}",
        f"{row['joules'] / 3.6e6:.3f} kWh" if row.get("joules") else "not measured",
    ]


def _figure(value: dict[str, float], *, percent: bool = False) -> str:
    scale, digits = (100, 1) if percent else (1, 3)
    return f"{value['mean'] * scale:.{digits}f} ± {value['half'] * scale:.{digits}f}{' %' if percent else ''}"


def _unmeasured() -> str:
    rows: list[list[str]] = []
    for task, network, images, epochs in UNMEASURED:
        hours = images * epochs / GPU_IMAGES_A_SECOND / 3600
        options = f"train --stage prod --arch {network} --epochs {epochs} --learning-rate 0.001"
        command = f"build/launch-venv/bin/python training/launch.py {options} --wait"
        price = hours * price_of(GPU)
        rows.append(
            [
                TASKS[task].words,
                f"`{network}`",
                f"`{command}`",
                GPU,
                f"{hours:.2f}",
                f"{price:.2f}",
                "not measured",
            ]
        )
    head = "task | network | command | instance | hours, reckoned | dollars, reckoned | result"
    return "## Not measured, for want of a GPU\n\n" + table(head, rows)


def price_of(instance: str) -> float:
    price = INSTANCES[instance].usd_per_hour
    assert price is not None
    return price


def _floors() -> str:
    rows = [
        [
            f"`{name}`",
            task.words,
            f"{task.min_accuracy * 100:.0f} %",
            f"{task.max_rmse:.2f}",
            f"{task.min_within_one * 100:.0f} %",
        ]
        for name, task in TASKS.items()
    ]
    head = "`gate.task` | what is counted | accuracy | RMSE | within one"
    return "## Floors of the gate\n\n" + table(head, rows)


if __name__ == "__main__":
    print(page(), end="")
