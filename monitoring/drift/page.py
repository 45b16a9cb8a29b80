"""One night's report for people: one page, in one file that needs nothing else."""

from html import escape
from typing import Any

_STYLE = """
:root { --ink: #1d2530; --soft: #5d6b7c; --line: #dfe5ec; --paper: #ffffff; --ground: #f4f6f9;
  --well: #1f7a51; --changed: #c8372d; --bar: #9db4cc; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e8edf3; --soft: #9dabbb; --line: #303b48; --paper: #1b232d; --ground: #12181f;
    --well: #4fc08d; --changed: #f2857b; --bar: #4a6280; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 48rem; background: var(--ground);
  color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .4rem; } h1, p, li { overflow-wrap: anywhere; }
ul { list-style: none; padding: 0; margin: 1.2rem 0; }
li { background: var(--paper); border: 1px solid var(--line); border-radius: .6rem; padding: .7rem 1rem;
  margin: .6rem 0; }
li.changed { border-left: .3rem solid var(--changed); }
.well { color: var(--well); } h1 .changed, b.changed { color: var(--changed); }
.soft { color: var(--soft); font-size: .9rem; margin: .3rem 0 0; }
p { margin: .3rem 0; }
svg { display: block; width: 100%; height: .9rem; margin: .4rem 0 0; }
svg rect { fill: var(--bar); } svg rect.over { fill: var(--changed); } svg line { stroke: var(--ink); }
@media (max-width: 30rem) { body { padding: 1.5rem 1rem 3rem; } }
"""
_FULL = 2.0
"""A bar ends at this many times the limit."""


def page(report: dict[str, Any]) -> str:
    """HTML of a drift.json's members."""
    word, kind = ("changed", "changed") if report["drifted"] else ("as it was", "well")
    if not report["tested"]:
        word, kind = "not compared", "soft"
    day, model = escape(report["day"]), escape(report["model"] or "none")
    families = "".join(
        f"<p class='soft'>{escape(family['name'])}: {family['night']:,} of that night, "
        f"{family['baseline']:,} at the test{escape('; ' + family['why'] if family['why'] else '')}</p>"
        for family in report["families"]
    )
    body = [
        f'<h1>{day}: <span class="{kind}">{word}</span></h1>',
        f"<p>{escape(report['summary'])}</p>",
        f"<ul>{''.join(_measure(each) for each in report['measures'])}</ul>" if report["measures"] else "",
        '<p class="soft">A bar shows how far the night is from the images on which the model was tested; the '
        "stroke is how far chance alone brings it. Where nothing changed, one night in "
        f"{report['nights_per_alarm']:,} goes beyond a stroke.</p>",
        families,
        f'<p class="soft">Model {model}; {report["answers"]:,} answers that day.</p>',
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Drift, {day}: {word}</title><style>{_STYLE}</style>"
    )
    lines = "\n".join(body)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{lines}\n</body></html>\n'


def _measure(row: dict[str, Any]) -> str:
    what, do = escape(row["what"]), escape(row["do"])
    if not row["drifted"]:
        return f"<li>{what}: <span class='well'>as it was</span>{_bar(row)}</li>"
    words = f'<b class="changed">{what}</b>: {escape(row["change"])}'
    return f'<li class="changed">{words}<p>{do}</p>{_bar(row)}</li>'


def _bar(row: dict[str, Any]) -> str:
    limit = row["limit"]
    share = row["distance"] / limit / _FULL if limit > 0 else float(row["drifted"])
    width = 100 * min(1.0, share)
    over = ' class="over"' if row["drifted"] else ""
    return (
        '<svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect x="0" y="1" width="{width:.1f}" height="2"{over}/>'
        '<line x1="50" x2="50" y1="0" y2="4" stroke-width=".4"/></svg>'
    )
