"""The verdict for people: one page without scripts."""

from html import escape
from typing import Any

_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.3em .8em;text-align:right}"
    "td:first-child,th:first-child{text-align:left}"
)
_ROWS = ("accuracy", "rmse", "mae", "within_one", "coverage", "interval_width")


def page(verdict: dict[str, Any]) -> str:
    """HTML of a verdict.json's members."""
    word = "accepted" if verdict["accepted"] else "refused"
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in verdict["reasons"])
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Model {word}</title><style>{_STYLE}</style>"
        f"<h1>{escape(verdict['challenger']['model_id'])}: {word}</h1><ul>{reasons}</ul>"
        f"<p>{verdict['images']} bins of dataset {escape(verdict['dataset_id'])}, answered by the serving "
        f"image; {len(verdict['unreadable'])} could not be read and are left out.</p>"
        f"{_figures(verdict)}{_comparison(verdict['comparison'])}</html>\n"
    )


def _figures(verdict: dict[str, Any]) -> str:
    models = [("challenger", verdict["challenger"]), ("champion", verdict["champion"])]
    there = [(role, model) for role, model in models if model is not None]
    head = "".join(f"<th>{role}<br>{escape(model['model_id'])}" for role, model in there)
    rows = "".join(
        f"<tr><td>{name}" + "".join(f"<td>{model['metrics'][name]:.4f}" for _, model in there)
        for name in _ROWS
    )
    return f"<table><tr><th>{head}{rows}</table>"


def _comparison(comparison: dict[str, Any] | None) -> str:
    if comparison is None:
        return "<p>No model served, so there was none to compare with.</p>"
    capped = comparison["capped_at"]
    scale = "" if capped is None else f" Counts above {capped} count as {capped}, for both."
    rows = "".join(
        f"<tr><td>{name}<td>{c['challenger']:.4f}<td>{c['champion']:.4f}<td>{c['p']:.4f}"
        for name, c in ((name, comparison[name]) for name in ("accuracy", "rmse"))
    )
    return (
        f"<p>{escape(comparison['test'])}, {comparison['draws']} draws: worse where p is below "
        f"{comparison['level']:g}.{scale}</p><table><tr><th><th>challenger<th>champion<th>p{rows}</table>"
    )
