"""What was found, in words of a warehouse's manager, and what to do."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from monitoring.drift.observation import Observations

Figure = Callable[[Observations], float]


def _median(name: str) -> Figure:
    return lambda rows: float(np.median(rows.columns[name]))


def _mean(name: str) -> Figure:
    return lambda rows: float(np.mean(rows.columns[name]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """`what` is the measure's name; `figure` and `unit` say how it is now and was; `lower` and `higher` are
    what has changed, by the figure; `do` is the first thing to look at.
    """

    what: str
    figure: Figure | None
    unit: str
    lower: str
    higher: str
    do: str


WORDS: dict[str, Words] = {
    "count": Words(
        what="mix of counts",
        figure=_mean("count"),
        unit="objects on average",
        lower="bins with fewer objects than before",
        higher="bins with more objects than before",
        do="Did the goods change? If they did, recount some bins and label them: what the gate promised "
        "holds for the old mix.",
    ),
    "confidence": Words(
        what="confidence",
        figure=_mean("confidence"),
        unit="on average",
        lower="the model is less sure",
        higher="the model is surer than it was when it was tested",
        do="Look at the images of the last night that asked for review. A surer model is no better one: "
        "recount some of its sure answers.",
    ),
    "review": Words(
        what="answers that ask for a person",
        figure=_mean("review"),
        unit="of all answers",
        lower="fewer answers ask for a person",
        higher="more answers ask for a person",
        do="Look at the images that asked for review: is the light, the camera or the article new?",
    ),
    "brightness": Words(
        what="brightness",
        figure=_median("brightness"),
        unit="of 255",
        lower="the images are darker",
        higher="the images are brighter",
        do="Check the lamps, and the camera's exposure.",
    ),
    "contrast": Words(
        what="contrast",
        figure=_median("contrast"),
        unit="of 128",
        lower="the images are flatter: haze, dust or stray light",
        higher="the images are harder: deep shadows or glare",
        do="Wipe the lens, and look for a lamp that shines into the camera.",
    ),
    "sharpness": Words(
        what="sharpness",
        figure=_median("sharpness"),
        unit="levels",
        lower="the images are blurred",
        higher="the images are sharper or noisier",
        do="Wipe the lens, check its focus and that the camera does not move. Noise comes with little light.",
    ),
    "width": Words(
        what="width of the images",
        figure=_median("width"),
        unit="pixels",
        lower="the images are narrower",
        higher="the images are wider",
        do="Was a camera or its setting changed, or how the images are cut?",
    ),
    "height": Words(
        what="height of the images",
        figure=_median("height"),
        unit="pixels",
        lower="the images are lower",
        higher="the images are higher",
        do="Was a camera or its setting changed, or how the images are cut?",
    ),
    "features": Words(
        what="what the images show",
        figure=None,
        unit="",
        lower="",
        higher="the images show something that the tested ones did not",
        do="Look at last night's images: new articles, new bins, another place, or something on the lens?",
    ),
}
"""By the measure's name; a sentence for each that can be found."""


def changed(name: str, *, night: Observations, reference: Observations) -> str:
    """How it has changed: "the images are darker: 92.1 of 255, at the test 118.4"."""
    words = WORDS[name]
    if words.figure is None:
        return words.higher
    now, before = words.figure(night), words.figure(reference)
    if now == before:
        return f"it is spread otherwise, around the same {_number(now)} {words.unit}"
    return (
        f"{words.lower if now < before else words.higher}: {_number(now)} {words.unit}, at the test "
        f"{_number(before)}"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
