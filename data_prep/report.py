"""The dataset's report for people: one HTML file that needs nothing else."""

from collections.abc import Iterable
from html import escape
from typing import Any

from data_prep.tally import BAND, SIDES, Tally

_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: .5em 0 1.5em } td, th { padding: .15em .8em; text-align: right }
th { font-weight: 600; border-bottom: 1px solid #999 } td.bar { text-align: left; width: 22em }
i { display: inline-block; height: .8em; background: #3b6ea5 } figure { display: inline-block; margin: .2em }
figcaption { font-size: 11px; color: #666 } img { height: 120px }
"""


def report(dataset: dict[str, Any], tally: Tally, pictures: dict[int, list[tuple[str, str]]]) -> str:
    """HTML: images by count and side, their sizes, what was rejected and why, and examples of each count."""
    title = f"Dataset {dataset['dataset_id']}"
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(_summary(dataset))}</p>",
        "<h2>Images by count and side</h2>",
        *(_histogram(side, "objects", tally.counts[side]) for side in SIDES),
        "<h2>Short side, pixels as stored</h2>",
        _table(
            ("pixels", "images", ""),
            _rows({f"{n}–{n + BAND - 1}": m for n, m in sorted(tally.short_sides.items())}),
        ),
        "<h2>Rejected, by reason</h2>",
        _table(("reason", "items", ""), _rows(dataset["rejected"]))
        if dataset["rejected"]
        else "<p>None.</p>",
        "<h2>Examples</h2>",
        *(_examples(count, shown) for count, shown in pictures.items()),
    ]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
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
    sides = "one side is empty" if difference is None else f"{100 * difference:.1f} points at most"
    rejected = sum(dataset["rejected"].values())
    return (
        f"{dataset['images']} images ({dataset['bytes'] / 1e6:.1f} MB) from {source}; {rejected} rejected, "
        f"{dataset['relabelled']} with another count in the list than in the metadata (which won), "
        f"{dataset['not_selected']} not selected. "
        f"Difference of a count's share between train and val: {sides}."
    )


def _histogram(side: str, unit: str, counts: dict[int, int]) -> str:
    rows = _rows({str(count): counts[count] for count in sorted(counts)})
    return f"<h3>{side}: {sum(counts.values())}</h3>" + _table((unit, "images", ""), rows)


def _rows(values: dict[str, int]) -> Iterable[str]:
    most = max(values.values(), default=1)
    total = sum(values.values())
    for name, value in values.items():
        bar = f'<i style="width:{18 * value / most:.2f}em"></i> {100 * value / total:.1f} %'
        yield f'<tr><td>{escape(name)}</td><td>{value}</td><td class="bar">{bar}</td></tr>'


def _table(heads: tuple[str, ...], rows: Iterable[str]) -> str:
    return f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>{''.join(rows)}</table>"


def _examples(count: int, shown: list[tuple[str, str]]) -> str:
    figures = (
        f'<figure><img src="{data}" alt="bin {identity}"><figcaption>{identity}</figcaption></figure>'
        for identity, data in shown
    )
    return f"<h3>{count} object{'' if count == 1 else 's'}</h3>" + "".join(figures)
