"""The audit from end to end: features, out-of-fold probabilities, order, page."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bincount.audit.dataset import Bin, SealedDataset
from bincount.audit.features import Features
from bincount.audit.kernel import contents, leave_block_out
from bincount.audit.page import audit_page
from bincount.audit.predict import FOLDS, LEAST, Classes, choose_classes, folds_of, out_of_fold
from bincount.audit.suspicion import Suspicion, suspect
from bincount.errors import BincountError
from bincount_core.image import decode_upright, read_image
from bincount_core.limits import PREPARED_PIXELS

LARGE, SMALL = 512, 128
"""Longest side of an image on the page, and of a similar one, in pixels."""
_NEAR = 3
_LEAST_CHANCE = 0.5
FEWEST, MOST = 20, 300
SHARE = 0.1
Progress = Callable[[str, int, int], None]
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """`bins` in the manifest's order with what the audit found of each."""

    bins: list[Bin]
    classes: Classes
    suspicion: Suspicion
    accuracy: float


def rank(dataset: SealedDataset, *, features: Features, seed: int, progress: Progress) -> Ranked:
    """Order the dataset's labels. Raises BincountError where there is too little to learn from."""
    features.add(dataset, progress=lambda done, of: progress("looking at images", done, of))
    maps, rows = features.of(dataset.bins)
    bins = dataset.bins
    blocks = [one.block for one in bins]
    classes = choose_classes([one.count for one in bins])
    if len(classes.counts) < 2 or len(set(blocks)) < FOLDS:
        raise BincountError(
            f"{dataset.id} has {len(classes.counts)} count(s) with {LEAST} images or more and "
            f"{len(set(blocks))} block(s); an audit needs two such counts and {FOLDS} blocks"
        )
    labels = np.array([classes.index(one.count) for one in bins])
    predicted = out_of_fold(
        maps, rows, labels, folds_of(blocks, folds=FOLDS),
        classes=len(classes.counts), seed=seed,
        progress=lambda done, of: progress("learning to count, fold by fold", done, of),
    )  # fmt: skip
    held = contents(maps, rows)
    second = leave_block_out(held, labels, blocks, classes=len(classes.counts), seed=seed)
    suspicion = suspect(predicted=(predicted + second) / 2, labels=labels, features=held, blocks=blocks)
    accuracy = float((suspicion.probabilities.argmax(axis=1) == labels).mean())
    return Ranked(bins=bins, classes=classes, suspicion=suspicion, accuracy=accuracy)


def write_page(
    dataset: SealedDataset, ranked: Ranked, *, earlier: Sequence[Row], show: int | None, out: Path
) -> dict[str, Any]:
    """Write `out`/audit.html and audit.json; answers what audit.json holds.

    Images of `earlier` rows were looked at and are not shown again; the page's file holds these rows too.
    `show` None shows a tenth of the images, FEWEST to MOST.
    """
    looked = {row["id"] for row in earlier}
    places: list[int] = ranked.suspicion.order.tolist()
    order = [place for place in places if ranked.bins[place].id not in looked]
    number = show or min(MOST, max(FEWEST, round(SHARE * len(ranked.bins))))
    shown = order[:number]
    near: list[list[int]] = ranked.suspicion.neighbours[shown, :_NEAR].tolist()
    wanted: set[int] = {*shown, *(one for some in near for one in some)}
    images = _images(dataset, [ranked.bins[place] for place in sorted(wanted)], large=shown, ranked=ranked)
    listed = [_bin(ranked, place, near=near[row], images=images) for row, place in enumerate(shown)]
    name = json.dumps([dataset.id, [one["id"] for one in listed], list(earlier)]).encode()
    data = {
        "audit": hashlib.sha256(name).hexdigest()[:16],
        "dataset": dataset.id,
        "carried": list(earlier),
        "bins": listed,
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "audit.html").write_text(audit_page(data), encoding="utf-8")
    figures = {
        "dataset": dataset.id,
        "images": len(ranked.bins),
        "out_of_fold_accuracy": round(ranked.accuracy, 4),
        "issues": int(ranked.suspicion.issues.sum()),
        "shown": [_summary(ranked, place) for place in shown],
    }
    (out / "audit.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return figures


def read_earlier(path: Path) -> list[Row]:
    """The rows of a corrections file; data preparation is who checks them. Raises BincountError."""
    rows: list[Row] = []
    try:
        for line in path.read_text(encoding="utf-8-sig").split("\n"):
            if line.strip():
                row = json.loads(line)
                rows.append({**row, "id": str(row["id"])})
    except (ValueError, KeyError, TypeError) as error:
        raise BincountError(
            f"{path} is no corrections file ({error}): give the JSON lines that an audit's page downloaded"
        ) from error
    return rows


def _bin(ranked: Ranked, place: int, *, near: list[int], images: dict[str, str]) -> Row:
    one = ranked.bins[place]
    own = ranked.classes.index(one.count)
    chances = [round(100 * float(chance)) for chance in ranked.suspicion.probabilities[place]]
    similar = [ranked.bins[other] for other in near]
    return {
        "id": one.id,
        "name": one.name,
        "count": one.count,
        "source": one.source_count,
        "image": images[one.id],
        "guess": _guess(ranked, place),
        "chances": [
            [name, chance, index == own]
            for index, (name, chance) in enumerate(zip(_names(ranked.classes), chances, strict=True))
        ],
        "near": [[images[f"near {other.id}"], other.count] for other in similar],
    }


def _guess(ranked: Ranked, place: int) -> str:
    probabilities = ranked.suspicion.probabilities[place]
    best = int(probabilities.argmax())
    own = ranked.classes.index(ranked.bins[place].count)
    if best == own:
        return f"The label is the likeliest count, by {100 * probabilities[best]:.0f} %."
    sure = "probably" if probabilities[best] >= _LEAST_CHANCE else "perhaps"
    return f"It is {sure} {_names(ranked.classes)[best]}."


def _summary(ranked: Ranked, place: int) -> Row:
    one, probabilities = ranked.bins[place], ranked.suspicion.probabilities[place]
    return {
        "id": one.id,
        "count": one.count,
        "guess": _names(ranked.classes)[int(probabilities.argmax())],
        "probability_of_label": round(float(probabilities[ranked.classes.index(one.count)]), 4),
        "issue": bool(ranked.suspicion.issues[place]),
    }


def _names(classes: Classes) -> list[str]:
    names = [str(count) for count in classes.counts]
    return [*names[:-1], f"{names[-1]} or more"] if classes.open_top else names


def _images(dataset: SealedDataset, wanted: list[Bin], *, large: list[int], ranked: Ranked) -> dict[str, str]:
    """data: URIs by id of those that are gone through, and by `near <id>` of all that are wanted."""
    gone_through = {ranked.bins[place].id for place in large}
    found: dict[str, str] = {}
    for one, data in dataset.images(wanted):
        image = read_image(data, max_pixels=PREPARED_PIXELS)
        upright = Image.fromarray(decode_upright(image, least_width=LARGE, least_height=LARGE))
        if one.id in gone_through:
            found[one.id] = _jpeg(upright, side=LARGE)
        found[f"near {one.id}"] = _jpeg(upright, side=SMALL)
    return found


def _jpeg(image: Image.Image, *, side: int) -> str:
    small, data = image.copy(), io.BytesIO()
    small.thumbnail((side, side))
    small.save(data, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode('ascii')}"
