"""The verdict for people: one page, in one file that needs nothing else."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

_STYLE = """
:root { --ink: #1d2530; --soft: #5d6b7c; --line: #dfe5ec; --paper: #ffffff; --ground: #f4f6f9;
  --accepted: #1f7a51; --rejected: #c8372d; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e8edf3; --soft: #9dabbb; --line: #303b48; --paper: #1b232d; --ground: #12181f;
    --accepted: #4fc08d; --rejected: #f2857b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 52rem; background: var(--ground);
  color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; } h1, p, li { overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; }
.accepted { color: var(--accepted); } .rejected { color: var(--rejected); }
.soft { color: var(--soft); font-size: .9rem; }
.scroll { overflow-x: auto; background: var(--paper); border: 1px solid var(--line); border-radius: .6rem;
  padding: .5rem 1rem; width: fit-content; max-width: 100%; margin: .8rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem 0 .3rem 1.6rem; text-align: right; border-bottom: 1px solid var(--line); }
th { font-size: .88rem; color: var(--soft); vertical-align: bottom; }
td:not(:first-child) { white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; } tr:last-child td { border-bottom: 0; }
@media (max-width: 30rem) { body { padding: 1.5rem 1rem 3rem; } th, td { padding-left: .8rem; } }
@media print { :root { --ground: #ffffff; } body { max-width: none; padding: 0; font-size: 12px; }
  .soft, th { font-size: 11px; } .scroll { break-inside: avoid; } }
"""
_ROWS = (
    ("accuracy", "accuracy", "at least", "min_accuracy"),
    ("rmse", "RMSE, objects", "at most", "max_rmse"),
    ("mae", "MAE, objects", "", ""),
    ("within_one", "within one object", "at least", "min_within_one"),
    ("coverage", "interval holds the true count", "at least", "min_coverage"),
    ("interval_width", "interval's mean width, counts", "", ""),
)
"""Metric, its name, and the floor that the challenger must keep."""


def page(verdict: dict[str, Any]) -> str:
    """HTML of a verdict.json's members."""
    word = "accepted" if verdict["accepted"] else "rejected"
    name = escape(verdict["challenger"]["model_id"])
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in verdict["reasons"])
    doubts = "".join(f"<li>{escape(doubt)}</li>" for doubt in verdict["needs_person"])
    kept = "It keeps every floor" + (" and is not worse than what serves." if verdict["champion"] else ".")
    body = [
        f'<h1>{name}: <span class="{word}">{word}</span></h1>',
        f"<ul>{reasons}</ul>" if reasons else f"<p>{kept}</p>",
        f"<p>A person must decide:</p><ul>{doubts}</ul>" if doubts else "",
        f'<p class="soft">{verdict["images"]:,} bins of dataset {escape(verdict["dataset_id"])}, answered by '
        f"the serving image; {len(verdict['unreadable'])} could not be read and are left out.</p>",
        _figures(verdict),
        _comparison(verdict["comparison"]),
        _parts(verdict.get("parts")),
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}: {word}</title><style>{_STYLE}</style>"
    )
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n'
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _figures(verdict: dict[str, Any]) -> str:
    models = [("challenger", verdict["challenger"]), ("champion", verdict["champion"])]
    there = [(role, model) for role, model in models if model is not None]
    champion = verdict["champion"]
    serves = f"<p>The champion, which serves now, is {escape(champion['model_id'])}.</p>" if champion else ""
    heads = ["", *(role for role, _ in there), "wanted"]
    least = verdict["rules"]["min_images"]
    known = [
        ["classes", *(_classes(model["classes"]) for _, model in there), ""],
        ["bins", *(f"{model['metrics']['images']:,}" for _, model in there), f"at least {least:,}"],
    ]
    rows = (
        [
            name,
            *(f"{model['metrics'][metric]:.4f}" for _, model in there),
            f"{bound} {verdict['rules'][rule]:g}" if rule else "",
        ]
        for metric, name, bound, rule in _ROWS
    )
    return f"<h2>What each reached</h2>{serves}{_table(heads, [*known, *rows])}"


def _classes(classes: dict[str, Any]) -> str:
    """1 to 5, and where they are not one row without a gap each of them; a + for "or more"."""
    counts = classes["counts"]
    row = counts == list(range(counts[0], counts[-1] + 1)) and len(counts) > 1
    named = f"{counts[0]} to {counts[-1]}" if row else ", ".join(map(str, counts))
    return f"{named}+" if classes["open_top"] else named


def _comparison(comparison: dict[str, Any] | None) -> str:
    if comparison is None:
        return "<p>No model served, so there was none to compare with.</p>"
    capped = comparison["capped_at"]
    scale = "" if capped is None else f" Counts above {capped} count as {capped}, for both."
    rows = (
        [name, *(f"{comparison[metric][key]:.4f}" for key in ("challenger", "champion", "p"))]
        for metric, name in (("accuracy", "accuracy"), ("rmse", "RMSE, objects"))
    )
    return (
        f"<h2>Is the challenger worse?</h2><p>{escape(comparison['test'])}, {comparison['draws']:,} draws: "
        f"worse where p is below {comparison['level']:g}.{scale}</p>"
        + _table(["", "challenger", "champion", "p"], rows)
    )


def _parts(parts: dict[str, Any] | None) -> str:
    """Home and field side by side; nothing where the dataset has no image of production."""
    if parts is None:
        return ""
    shown = "".join(_part(name, parts[name], needed=parts["needed"]) for name in ("home", "field"))
    return (
        "<h2>Home and field</h2><p>The field's bins are images of production that people counted; home's are "
        "all others, on which the floors hold. A part decides from "
        f"{parts['needed']:,} bins on: so many show a loss of {parts['loss']:.0%} of them four times of five."
        f"</p>{shown}"
    )


def _part(name: str, part: dict[str, Any], *, needed: int) -> str:
    few = "" if part["decides"] else f", too few to decide: {needed:,} are needed"
    head = f"<h3>{name}: {part['images']:,} bins{few}</h3>"
    models = [(role, part[role]) for role in ("challenger", "champion") if part[role] is not None]
    if not models:
        return head
    rows = [[words, *(f"{figures[metric]:.4f}" for _, figures in models)] for metric, words, _, _ in _ROWS]
    heads = ["", *(role for role, _ in models)]
    if part["comparison"] is not None:
        heads.append("p")
        chances = {words: part["comparison"].get(metric, {}).get("p") for metric, words, _, _ in _ROWS}
        for row in rows:
            p = chances[row[0]]
            row.append("" if p is None else f"{p:.4f}")
    return head + _table(heads, rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'
