"""The dataset's report for people: one HTML file that needs nothing else."""

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from bincount_sources.split import SPLITS
from data_prep.select.statistics import BAND, Statistics

STYLE = Path(__file__).with_name("report.css")
_PURPOSE = {
    "train": "a model learns from these",
    "validation": "models are chosen by these",
    "test": "looked at once, for the published figures",
}


def report(
    dataset: dict[str, Any], statistics: Statistics, thumbnails: dict[int, list[tuple[str, str]]]
) -> str:
    """HTML: images by count and split, their sizes, what was rejected and why, and examples of each count."""
    title = f"Dataset {dataset['dataset_id']}"
    body = [
        f'<h1>Dataset <span class="id">{escape(dataset["dataset_id"])}</span></h1>',
        _summary(dataset),
        _cards(dataset, statistics),
        _warnings(dataset["warnings"]),
        "<h2>Images by count</h2>",
        f'<div class="splits">{"".join(_split(split, statistics.counts[split]) for split in SPLITS)}</div>',
        "<h2>Short side of the images, pixels as stored</h2>",
        _histogram("pixels", "images", _bands(statistics.short_sides)),
        "<h2>Rejected, by reason</h2>",
        _histogram("reason", "items", dataset["rejected"]) if dataset["rejected"] else "<p>None.</p>",
        "<h2>Examples</h2>",
        *(_examples(count, shown) for count, shown in thumbnails.items()),
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>\n{STYLE.read_text(encoding='utf-8')}</style>"
    )
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n'
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _summary(dataset: dict[str, Any]) -> str:
    source = (
        dataset["source"]["directory"] or f"s3://{dataset['source']['bucket']}/{dataset['source']['prefix']}"
    )
    difference = dataset["class_share_difference"]
    largest = "one of them is empty" if difference is None else f"{100 * difference:.1f} points at most"
    listed = (
        f"The list named another count than the metadata for {dataset['relabelled']:,} images (the metadata "
        "won). "
        if dataset["request"]["file_list"]
        else ""
    )
    return (
        f'<p>From <span class="id">{escape(source).replace("/", "/<wbr>")}</span>. {listed}'
        f"{dataset['not_selected']:,} images were not "
        f"selected.{_corrections(dataset)}{_field(dataset)}</p>"
        '<p class="soft">No block of 100 neighbouring ids is in two splits. Difference of a '
        f"count's share between train and the two others together: {largest}.</p>"
    )


def _corrections(dataset: dict[str, Any]) -> str:
    if "corrections" not in dataset:
        return ""
    made = dataset["corrections"]
    return (
        f" A person looked at labels: {made['corrected']:,} corrected, {made['excluded']:,} images excluded, "
        f"{made['kept']:,} kept."
    )


def _field(dataset: dict[str, Any]) -> str:
    if "field" not in dataset:
        return ""
    images = {split: sum(dataset["field"]["counts"][split].values()) for split in SPLITS}
    shown = ", ".join(f"{number:,} in {split}" for split, number in images.items())
    return (
        f" Of production, counted by people: {shown}; in training each of them weighs "
        f"{dataset['field']['weight']:g} times an image of home."
    )


def _warnings(warnings: list[str]) -> str:
    if not warnings:
        return ""
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    return f"<h2>What to know before training</h2><ul>{items}</ul>"


def _cards(dataset: dict[str, Any], statistics: Statistics) -> str:
    cards = [
        (f"{dataset['images']:,}", "images"),
        *((f"{statistics.counts[split].total():,}", f"in {split}") for split in SPLITS),
        (f"{sum(dataset['rejected'].values()):,}", "rejected"),
        (f"{dataset['bytes'] / 1e6:,.1f} MB", "in all"),
    ]
    return (
        '<div class="cards">' + "".join(f"<div><b>{n}</b><span>{w}</span></div>" for n, w in cards) + "</div>"
    )


def _split(split: str, counts: Mapping[int, int]) -> str:
    by_count = {str(count): counts[count] for count in sorted(counts)}
    return (
        f'<div><h3>{split}: {sum(counts.values()):,} <span class="soft">{_PURPOSE[split]}</span></h3>'
        f"{_table('objects', 'images', by_count)}</div>"
    )


def _bands(short_sides: Mapping[int, int]) -> dict[str, int]:
    return {f"{low}–{low + BAND - 1}": images for low, images in sorted(short_sides.items())}


def _histogram(name: str, unit: str, values: Mapping[str, int]) -> str:
    return f'<div class="one">{_table(name, unit, values)}</div>'


def _table(name: str, unit: str, values: Mapping[str, int]) -> str:
    heads = f'<tr><th>{name}</th><th>{unit}</th><th class="bar">share</th></tr>'
    return f"<table>{heads}{''.join(_rows(values))}</table>"


def _rows(values: Mapping[str, int]) -> Iterable[str]:
    most = max(values.values(), default=1)
    total = sum(values.values())
    for name, value in values.items():
        # The longest bar leaves room for its figure.
        bar = f'<i style="width:{70 * value / most:.1f}%"></i>{100 * value / total:.1f} %'
        yield f'<tr><td>{escape(name)}</td><td>{value:,}</td><td class="bar"><div>{bar}</div></td></tr>'


def _examples(count: int, shown: list[tuple[str, str]]) -> str:
    figures = (
        f'<figure><img src="{data}" alt="bin {name}"><figcaption>{name}</figcaption></figure>'
        for name, data in ((escape(identity), data) for identity, data in shown)
    )
    heading = f"<h3>{count} object{'' if count == 1 else 's'}</h3>"
    return f'{heading}<div class="bins">{"".join(figures)}</div>'
