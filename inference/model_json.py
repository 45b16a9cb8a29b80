"""Reading and checking `model.json`, the description that comes with every model."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard, cast

SCHEMA_VERSION = 1
PREPROCESSING = ("dct-bilinear", 1)
MAX_SIDE = 4096


class ModelFault(Exception):
    """A model directory that cannot be served; the text is one line that names every fault found."""


@dataclass(frozen=True, slots=True)
class Description:
    """What serving needs from `model.json` (docs/contracts.md, "The model").

    `counts[i]` is the number of objects that column i of the logits stands for; where `open_top` is true
    the last one means "that many or more". `width` and `height` are pixels of the network's input.
    `confidence_below` is None where every answer asks for a review.
    """

    model_id: str
    architecture: str
    precision: str
    counts: tuple[int, ...]
    open_top: bool
    width: int
    height: int
    temperature: float
    score_quantile: float
    confidence_below: float | None
    mismatch_below: float


def read_description(path: Path) -> Description:
    """Read and check one `model.json`.

    Raises ModelFault where the file is missing, is not a JSON object, has another schema version than
    this server knows, or has members that are missing or out of bounds (all of them named at once).
    """
    document = _read_object(path)
    version = document.get("schema_version")
    if version != SCHEMA_VERSION:
        raise ModelFault(
            f"{path}: schema_version is {version!r}, this server reads {SCHEMA_VERSION}: "
            "serve the model with the image that was released with it"
        )
    reader = _Reader(document)
    description = Description(
        model_id=reader.text("model_id"),
        architecture=reader.text("architecture"),
        precision=reader.text("precision"),
        counts=reader.counts("classes.counts"),
        open_top=reader.flag("classes.open_top"),
        width=reader.side("preprocessing.width"),
        height=reader.side("preprocessing.height"),
        temperature=reader.number("calibration.temperature", above=0.0, most=100.0),
        score_quantile=reader.number("calibration.interval.score_quantile", least=0.0, most=1.0),
        confidence_below=reader.number_or_null("calibration.review.confidence_below", least=0.0, most=1.0),
        mismatch_below=reader.number("calibration.verdict.mismatch_below", least=0.0, most=1.0),
    )
    reader.require("preprocessing.name", PREPROCESSING[0])
    reader.require("preprocessing.version", PREPROCESSING[1])
    reader.require("normalisation.in_graph", True)
    if reader.faults:
        raise ModelFault(f"{path}: " + "; ".join(reader.faults))
    return description


def _read_object(path: Path) -> Mapping[str, object]:
    """The JSON object in the file."""
    if not path.is_file():
        raise ModelFault(f"{path}: no such file: a model directory holds model.json, model.xml and model.bin")
    try:
        document: object = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ModelFault(f"{path}: not JSON ({error})") from error
    if not isinstance(document, dict):
        raise ModelFault(f"{path}: expected a JSON object, got {type(document).__name__}")
    return cast("Mapping[str, object]", document)


class _Reader:
    """Takes members by dotted path and collects every fault instead of stopping at the first.

    A faulty member yields a harmless stand-in; whoever reads must look at `faults` at the end.
    """

    def __init__(self, document: Mapping[str, object]) -> None:
        self._document = document
        self.faults: list[str] = []

    def text(self, path: str) -> str:
        value = self._find(path)
        if isinstance(value, str) and 1 <= len(value) <= 256:
            return value
        self._fault(path, "text of 1 to 256 characters", value)
        return ""

    def flag(self, path: str) -> bool:
        value = self._find(path)
        if isinstance(value, bool):
            return value
        self._fault(path, "true or false", value)
        return False

    def side(self, path: str) -> int:
        value = self._find(path)
        if _is_integer(value) and 1 <= value <= MAX_SIDE:
            return value
        self._fault(path, f"a whole number of pixels from 1 to {MAX_SIDE}", value)
        return 1

    def counts(self, path: str) -> tuple[int, ...]:
        value = self._find(path)
        if _is_list(value):
            numbers = [item for item in value if _is_integer(item) and item >= 0]
            if len(numbers) == len(value) >= 1 and numbers == sorted(set(numbers)):
                return tuple(numbers)
        self._fault(path, "an ascending list of whole numbers from 0 on, without repeats", value)
        return (0,)

    def number(self, path: str, *, least: float = -math.inf, above: float = -math.inf, most: float) -> float:
        value = self._find(path)
        if isinstance(value, int | float) and not isinstance(value, bool):
            number = float(value)
            if math.isfinite(number) and number >= least and number > above and number <= most:
                return number
        bound = f"above {above:g}" if math.isfinite(above) else f"from {least:g}"
        self._fault(path, f"a number {bound} up to {most:g}", value)
        return most

    def number_or_null(self, path: str, *, least: float, most: float) -> float | None:
        if self._find(path) is None:
            return None
        return self.number(path, least=least, most=most)

    def require(self, path: str, expected: object) -> None:
        value = self._find(path)
        if type(value) is not type(expected) or value != expected:
            self._fault(path, f"{expected!r}, the only one this server knows", value)

    def _find(self, path: str) -> object:
        value: object = self._document
        for name in path.split("."):
            if not isinstance(value, dict):
                return _MISSING
            value = cast("Mapping[str, object]", value).get(name, _MISSING)
        return value

    def _fault(self, path: str, expected: str, value: object) -> None:
        came = "nothing" if value is _MISSING else repr(value)[:80]
        self.faults.append(f"{path}: expected {expected}, got {came}")


_MISSING = object()


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
