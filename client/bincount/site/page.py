"""The site on one page, in one file that needs nothing else: figures, bar, worst offenders with images."""

import base64
import io
import warnings
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path

from PIL import Image, ImageOps

from bincount.site.row import Row
from bincount.site.summary import Summary
from bincount_core.limits import SERVED_PIXELS

SIDE = 320
STYLE = Path(__file__).with_name("page.css")
_ERRORS = {
    "no_image": "expected by the manifest, but there is no image",
    "undecodable_image": "the file is not an image, or it is damaged",
    "empty_body": "the file is empty",
    "image_too_large": "more pixels than the server takes",
    "body_too_large": "more bytes than the endpoint takes",
    "duplicate_id": "another image has the same id",
    "unsupported_format": "an image that is not a JPEG, PNG or WebP, such as HEIC",
    "bad_answer": "what came was not an answer of this server",
    "unreachable": "the endpoint did not answer",
    "overloaded": "the server was full",
    "no_answer": "the transform job wrote no answer for it",
}
"""What a person reads for an error's code."""
_NUMBERS = ("bins", "expected")
_STYLES = {"bin": ' class="id"', **dict.fromkeys(_NUMBERS, ' class="n"')}


def site_page(
    summary: Summary, *, title: str, facts: Mapping[str, str], image_of: Callable[[Row], bytes | None]
) -> str:
    """The whole HTML page. `facts` are lines about the run (name, value); `image_of` gives a row's image."""
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>\n{STYLE.read_text(encoding='utf-8')}</style>"
    )
    body = [
        f"<h1>{escape(title)}</h1>",
        _lead(summary),
        _cards(summary),
        _bar(summary),
        _worst(summary, image_of),
        _to_recount(summary),
        _failures(summary),
        _facts(facts),
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n'
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _lead(summary: Summary) -> str:
    share = f"{100 * summary.settled / summary.bins:.1f} %" if summary.bins else "none"
    return f"<p>{summary.bins:,} bins were checked; {share} of them were settled without a person.</p>"


def _parts(summary: Summary) -> list[tuple[str, int, str]]:
    """(style, number, words), those that never occur left out but for the three verdicts."""
    parts = [
        ("match", summary.matched, "matched"),
        ("mismatch", summary.mismatched, "mismatched"),
        ("uncertain", summary.uncertain, "to be recounted by a person"),
        ("counted", summary.counted, "counted, nothing expected"),
        ("failed", summary.failed, "without a count"),
    ]
    return [part for part in parts if part[1] or part[0] in ("match", "mismatch", "uncertain")]


def _cards(summary: Summary) -> str:
    cards = [("", summary.bins, "bins checked"), *_parts(summary)]
    return (
        '<div class="cards">'
        + "".join(f'<div class="{style}"><b>{n:,}</b><span>{words}</span></div>' for style, n, words in cards)
        + "</div>"
    )


def _bar(summary: Summary) -> str:
    pieces = "".join(
        f'<i class="{style}" style="flex:{number}" title="{number:,} {words}"></i>'
        for style, number, words in _parts(summary)
        if number
    )
    return f'<div class="bar" role="img" aria-label="shares of the bins">{pieces}</div>'


def _worst(summary: Summary, image_of: Callable[[Row], bytes | None]) -> str:
    rows = summary.worst()
    if not rows:
        return "<h2>Mismatches</h2><p>None.</p>"
    shown = (
        f"the {len(rows)} least probable of {summary.mismatched:,}"
        if len(rows) < summary.mismatched
        else "all"
    )
    return (
        f'<h2>The worst mismatches</h2><p>Shown: {shown}. Look at these first.</p><div class="bins">'
        + "".join(_figure(row, image_of(row)) for row in rows)
        + "</div>"
    )


def _figure(row: Row, data: bytes | None) -> str:
    source = None if data is None else thumbnail(data)
    image = f'<img src="{source}" alt="{escape(row.id)}">' if source else '<div class="none">no image</div>'
    more = " or more" if row.at_least else ""
    return (
        f'<figure>{image}<figcaption><strong class="id">{escape(row.id)}</strong>'
        f"<em>expected {row.expected}, counted {row.count}{more}</em><br>"
        f'<span class="soft">likely {_interval(row)}; {_chance(row.probability)} chance of '
        f"{row.expected}</span></figcaption></figure>"
    )


def _interval(row: Row) -> str:
    return str(row.low) if row.low == row.high else f"{row.low} to {row.high}"


def _chance(probability: float | None) -> str:
    percent = 100 * (probability or 0.0)
    return "under 0.1 %" if percent < 0.1 else f"{percent:.1f} %"


def _failures(summary: Summary) -> str:
    if not summary.failed:
        return ""
    kinds = [
        (_code(code), escape(_ERRORS.get(code, "see the CSV")), f"{number:,}")
        for code, number in summary.errors.most_common()
    ]
    bins = [
        (escape(row.id), "" if row.expected is None else str(row.expected), _code(row.error or ""))
        for row in summary.without_count
    ]
    return (
        "<h2>Bins without a count</h2>"
        + _table(("error", "meaning", "bins"), kinds)
        + _listed(("bin", "expected", "error"), bins, of=summary.failed)
    )


def _to_recount(summary: Summary) -> str:
    if not summary.uncertain:
        return ""
    bins = [
        (
            escape(row.id),
            "" if row.expected is None else str(row.expected),
            f"{row.count}{' or more' if row.at_least else ''}, likely {_interval(row)}"
            + (f"; {escape(row.message)}" if row.message else ""),
        )
        for row in summary.to_recount
    ]
    return "<h2>To be recounted by a person</h2>" + _listed(
        ("bin", "expected", "counted"), bins, of=summary.uncertain
    )


def _listed(heads: tuple[str, ...], rows: list[tuple[str, ...]], *, of: int) -> str:
    """A table of the first bins of a kind, and how many more the CSV has."""
    rest = of - len(rows)
    more = f'<p class="soft">{rest:,} more are in the CSV.</p>' if rest else ""
    return _table(heads, rows) + more


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    def line(cells: tuple[str, ...], tag: str) -> str:
        styles = [_STYLES.get(head, "") if tag == "td" or head in _NUMBERS else "" for head in heads]
        return "".join(f"<{tag}{style}>{cell}</{tag}>" for cell, style in zip(cells, styles, strict=True))

    body = "".join(f"<tr>{line(cells, 'td')}</tr>" for cells in rows)
    return f'<div class="wide"><table><tr>{line(heads, "th")}</tr>{body}</table></div>'


def _code(code: str) -> str:
    """It may go over two lines, after an underscore."""
    return escape(code).replace("_", "_<wbr>")


def _facts(facts: Mapping[str, str]) -> str:
    rows = "".join(
        f'<tr><th>{escape(name)}</th><td class="id">{escape(value)}</td></tr>'
        for name, value in facts.items()
    )
    return (
        f"<h2>This run</h2><table>{rows}</table>"
        '<p class="soft">Every bin is in the CSV beside this page. A match is a count that agrees '
        "and is sure enough to need no person; a mismatch is an expected number that is improbable; the "
        "rest is to be recounted by a person.</p>"
    )


def thumbnail(data: bytes) -> str | None:
    """A data: URI of an upright JPEG of at most SIDE pixels a side; None where the bytes are not an image."""
    try:
        with (
            warnings.catch_warnings(),
            Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image,
        ):
            warnings.simplefilter("ignore")
            if image.width * image.height > SERVED_PIXELS:  # what the server refused is not decoded either
                return None
            image.draft("RGB", (SIDE, SIDE))
            upright = ImageOps.exif_transpose(image).convert("RGB")
            upright.thumbnail((SIDE, SIDE))
            out = io.BytesIO()
            upright.save(out, "JPEG", quality=80)
    # Hostile bytes make decoders raise anything; a page without this image is still a page.
    except Exception:
        return None
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode('ascii')}"
