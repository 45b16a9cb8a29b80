"""How good production was on one page that needs nothing else: figures, days, the most wrong answers.

It is made where it is read, from images that are still kept: `bincount forget` has no page in the bucket to
look for.
"""

from collections.abc import Callable
from html import escape
from typing import Any

from bincount.labels.live import FIGURES, Live, shown
from bincount.site.page import STYLE, thumbnail

ImageOf = Callable[[str], bytes | None]
_CARDS = ("accuracy", "within_one", "coverage", "false_match", "review_rate", "rmse")
_ROWS = ("accuracy", "within_one", "rmse", "review_rate")


def live_page(found: Live, *, stage: str, image_of: ImageOf) -> str:
    """The whole HTML page; `image_of` gives the image of a request id, or None."""
    title = f"How good the counts were: {stage}"
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>\n{STYLE.read_text(encoding='utf-8')}</style>"
    )
    window = found.window
    parts = [
        f"<h1>{escape(title)}</h1>",
        _lead(window),
        *_models(window),
        _worst(window, image_of),
        _days(found),
    ]
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{body}\n</body></html>\n'


def _lead(window: dict[str, Any]) -> str:
    without = window["labels_without_answer"]
    more = f" Labels that belong to no captured answer of these days: {without:,}." if without else ""
    return (
        f"<p>Answers of {window['first_day']} to {window['last_day']} that people counted again, joined on "
        f"{window['joined_on']}.{more}</p>"
        '<p class="soft">Each figure is an estimate for all answers, not for the labelled ones alone: people '
        "look at doubtful bins more often, and that is taken out. The numbers in brackets hold the true "
        "figure with 95 % probability. Few labels give wide brackets: label more before you judge.</p>"
    )


def _models(window: dict[str, Any]) -> list[str]:
    if not window["models"]:
        return ["<h2>Nothing to show</h2><p>No answer was captured in these days.</p>"]
    names = sorted(window["models"], key=lambda name: (name != window["model"], name))
    return [_model(name, window["models"][name], serves=name == window["model"]) for name in names]


def _model(name: str, model: dict[str, Any], *, serves: bool) -> str:
    figures = model["figures"]
    cards = "".join(
        f"<div><b>{shown(each, figures[each], interval=False)}</b><span>{FIGURES[each]}</span></div>"
        for each in _CARDS
    )
    rows = "".join(
        f"<tr><td>{FIGURES[each]}</td><td>{shown(each, figures[each])}</td>"
        f'<td class="n">{figures[each]["labels"]:,}</td></tr>'
        for each in FIGURES
    )
    words = "the model that answered last" if serves else "an earlier model"
    return (
        f'<h2>{escape(name)}</h2><p class="soft">{words}: {model["answers"]:,} answers, of which '
        f"{model['labels']:,} have a label</p>"
        f'<div class="cards">{cards}</div>'
        '<div class="wide"><table><tr><th>figure</th><th>estimate (95 %)</th><th class="n">from</th></tr>'
        f"{rows}</table></div>"
    )


def _worst(window: dict[str, Any], image_of: ImageOf) -> str:
    if not window["worst"]:
        return "<h2>The most wrong answers</h2><p>None of the labelled answers was wrong.</p>"
    figures = "".join(_figure(each, image_of(each["request_id"])) for each in window["worst"])
    return (
        "<h2>The most wrong answers</h2><p>Those that did not ask for a person come first: they were "
        f'believed.</p><div class="bins">{figures}</div>'
    )


def _figure(answer: dict[str, Any], data: bytes | None) -> str:
    source = None if data is None else thumbnail(data)
    request_id = escape(answer["request_id"])
    image = f'<img src="{source}" alt="">' if source else '<div class="none">no image was kept</div>'
    low, high = answer["interval"]
    more = " or more" if answer["at_least"] else ""
    asked = "asked for a person" if answer["review"] else f"{100 * answer['confidence']:.0f} % sure"
    expected = "" if answer["expected"] is None else f"; expected {answer['expected']}: {answer['verdict']}"
    return (
        f"<figure>{image}<figcaption><strong>a person counted {answer['label']}</strong>"
        f"<em>answered {answer['count']}{more}</em><br>"
        f'<span class="soft">likely {low} to {high}, {asked}{expected}<br>{answer["day"]}, {request_id}'
        "</span></figcaption></figure>"
    )


def _days(found: Live) -> str:
    rows = "".join(
        f'<tr><td>{day["day"]}</td><td class="id">{escape(name)}</td><td class="n">{model["answers"]:,}</td>'
        f'<td class="n">{model["labels"]:,}</td>'
        + "".join(f"<td>{shown(each, model['figures'][each])}</td>" for each in _ROWS)
        + "</tr>"
        for day in reversed(found.days)
        for name, model in day["models"].items()
    )
    if not rows:
        return ""
    heads = "".join(f"<th>{FIGURES[each]}</th>" for each in _ROWS)
    return (
        '<h2>Day by day</h2><div class="wide"><table><tr><th>day</th><th>model</th><th class="n">answers</th>'
        f'<th class="n">labels</th>{heads}</tr>{rows}</table></div>'
    )
