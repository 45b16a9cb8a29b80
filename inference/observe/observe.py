"""One image to one observation, many to a file."""

import base64
import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bincount_core.image import ImageFault, read_image
from bincount_core.limits import SERVED_PIXELS
from bincount_core.model_json import Description, read_description
from bincount_core.preprocessing import preprocess
from inference.model.answer import Answer, make_answer
from inference.observe.network import ObservedNetwork
from inference.observe.pixels import PixelFigures, pixel_figures

SCHEMA_VERSION = 1
OBSERVATIONS = "observations.jsonl.gz"
ABOUT = "about.json"
_BATCH = 16  # encoded images in memory, for each worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one image looks like to a model; `width` and `height` are its own pixels once it is upright."""

    id: str
    width: int
    height: int
    figures: PixelFigures
    answer: Answer
    features: NDArray[np.float32]

    def line(self) -> dict[str, Any]:
        """As docs/schemas/observation.schema.json has it."""
        features = base64.b64encode(self.features.astype("<f2").tobytes()).decode()
        return {
            "id": self.id,
            "width": self.width,
            "height": self.height,
            **{name: round(value, 3) for name, value in asdict(self.figures).items()},
            "count": self.answer.count,
            "confidence": round(self.answer.confidence, 6),
            "review": self.answer.review,
            "features": features,
        }


class Observer:
    """A model that observes images."""

    def __init__(self, folder: Path, *, cpus: int | None = None) -> None:
        """Of a model directory. Raises ModelFault where it cannot be served."""
        self.description: Description = read_description(folder / "model.json")
        self.network = ObservedNetwork(folder=folder, description=self.description, cpus=cpus)

    def observe(self, id: str, data: bytes) -> Observation | None:
        """One encoded image, by the code that serves; None where the server could not read it."""
        description = self.description
        try:
            image = read_image(data, max_pixels=SERVED_PIXELS)
            pixels = preprocess(image, width=description.width, height=description.height)
        except ImageFault:
            return None
        logits, features = self.network.infer(pixels)
        width, height = image.upright_size
        return Observation(
            id=id,
            width=width,
            height=height,
            figures=pixel_figures(pixels),
            answer=make_answer(logits, model=description),
            features=features,
        )

    def _observe_pair(self, pair: tuple[str, bytes]) -> Observation | None:
        return self.observe(*pair)

    def observe_all(self, images: Iterable[tuple[str, bytes]]) -> Iterator[Observation | None]:
        """The same for many (id, encoded image), in their order, with all CPUs; read as they are needed."""
        rest = iter(images)
        with ThreadPoolExecutor(max_workers=self.network.workers) as pool:
            while batch := list(islice(rest, _BATCH * self.network.workers)):
                yield from pool.map(self._observe_pair, batch)


def write_observations(
    observer: Observer,
    images: Iterable[tuple[str, bytes]],
    *,
    folder: Path,
    order: Sequence[str] | None = None,
    **about: Any,
) -> dict[str, Any]:
    """Write OBSERVATIONS and then ABOUT (`about` and what was seen) into `folder`; returns the latter.

    `order`: ids in the order of the lines; without it they are as the images come. All lines are in memory
    (5 KB each at 2,048 features).
    """
    lines: dict[str, bytes] = {}
    unreadable = 0
    for observation in observer.observe_all(images):
        if observation is None:
            unreadable += 1
            continue
        lines[observation.id] = json.dumps(observation.line(), separators=(",", ":")).encode() + b"\n"
    folder.mkdir(parents=True, exist_ok=True)
    # No time in the header: the same images give the same bytes.
    with (
        (folder / OBSERVATIONS).open("wb") as file,
        gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed,
    ):
        for id in lines if order is None else order:
            packed.write(lines.get(id, b""))
    document = {
        "schema_version": SCHEMA_VERSION,
        "model_id": observer.description.model_id,
        **about,
        "images": len(lines),
        "unreadable": unreadable,
        "dimensions": observer.network.dimensions,
    }
    (folder / ABOUT).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return document
