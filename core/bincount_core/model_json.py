"""model.json, the description that comes with every model: its members, written and read in one place.

Its schema is docs/schemas/model.schema.json; docs/contracts.md ("The model") says what each number means.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard, cast

from bincount_core.answer import RULES, Rule
from bincount_core.preprocessing import NAME, VERSION

SCHEMA_VERSION = 1
MAX_SIDE = 4096


class ModelFault(Exception):
    """A model directory that cannot be served; the text is one line that names every fault found."""


@dataclass(frozen=True, slots=True)
class Description:
    """What serving needs from `model.json`.

    `counts[i]` is the number of objects that column i of the logits means; where `open_top` is true
    the last one means "that many or more". `width` and `height` are pixels of the network's input.
    `confidence_below` is None where every answer asks for a review. `answer` is how a count follows from
    probabilities; models from before it was written answer with the most probable one.
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
    answer: Rule = "most_probable"

    def document(self, *, coverage: float, target_accuracy: float, mean: Any, std: Any) -> dict[str, Any]:
        """The members of model.json that serving reads, with what they were chosen for.

        `mean` and `std` (three channels, of 0 to 1) are what the network itself normalises with.
        """
        return {
            "schema_version": SCHEMA_VERSION,
            "model_id": self.model_id,
            "architecture": self.architecture,
            "precision": self.precision,
            "classes": {"counts": list(self.counts), "open_top": self.open_top},
            "preprocessing": {"name": NAME, "version": VERSION, "width": self.width, "height": self.height},
            "normalisation": {"in_graph": True, "mean": list(mean), "std": list(std)},
            "calibration": {
                "temperature": self.temperature,
                "answer": self.answer,
                "interval": {"coverage": coverage, "score_quantile": self.score_quantile},
                "review": {"target_accuracy": target_accuracy, "confidence_below": self.confidence_below},
                "verdict": {"mismatch_below": self.mismatch_below},
            },
        }


def read_description(path: Path) -> Description:
    """Read and check one `model.json`.

    Raises ModelFault where the file is missing, is not a JSON object, has another schema version than
    this one, or has members that are missing or out of bounds (all of them named at once).
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
        score_quantile=reader.number("calibration.interval.score_quantile"),
        confidence_below=reader.number_or_null("calibration.review.confidence_below"),
        mismatch_below=reader.number("calibration.verdict.mismatch_below"),
        answer=reader.rule("calibration.answer"),
    )
    reader.require("preprocessing.name", NAME)
    reader.require("preprocessing.version", VERSION)
    reader.require("normalisation.in_graph", True)
    if reader.faults:
        raise ModelFault(f"{path}: " + "; ".join(reader.faults))
    return description


def _read_object(path: Path) -> Mapping[str, object]:
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

    A faulty member yields a harmless default; the caller must look at `faults` at the end.
    """

    def __init__(self, document: Mapping[str, object]) -> None:
        self._document = document
        self.faults: list[str] = []

    def text(self, path: str) -> str:
        value = self._find(path)
        if isinstance(value, str) and 1 <= len(value) <= 256:
            return value
        return self._fault(path, "text of 1 to 256 characters", value, instead="")

    def flag(self, path: str) -> bool:
        value = self._find(path)
        return value if isinstance(value, bool) else self._fault(path, "true or false", value, instead=False)

    def side(self, path: str) -> int:
        value = self._find(path)
        if _is_integer(value) and 1 <= value <= MAX_SIDE:
            return value
        return self._fault(path, f"a whole number of pixels from 1 to {MAX_SIDE}", value, instead=1)

    def counts(self, path: str) -> tuple[int, ...]:
        value = self._find(path)
        items = cast("list[object]", value) if isinstance(value, list) else []
        numbers = [item for item in items if _is_integer(item) and item >= 0]
        if numbers and len(numbers) == len(items) and numbers == sorted(set(numbers)):
            return tuple(numbers)
        wanted = "an ascending list of whole numbers from 0 on, without repeats"
        return self._fault(path, wanted, self._find(path), instead=(0,))

    def rule(self, path: str) -> Rule:
        value = self._find(path)
        value = RULES[0] if value is _MISSING else value
        return value if value in RULES else self._fault(path, " or ".join(RULES), value, instead=RULES[0])

    def number(self, path: str, *, above: float | None = None, most: float = 1.0) -> float:
        """From 0 to `most`, or `above` a number up to `most`."""
        value = self._find(path)
        if isinstance(value, int | float) and not isinstance(value, bool):
            within = value >= 0 if above is None else value > above
            if within and value <= most:
                return float(value)
        bound = "from 0" if above is None else f"above {above:g}"
        return self._fault(path, f"a number {bound} up to {most:g}", value, instead=most)

    def number_or_null(self, path: str) -> float | None:
        return None if self._find(path) is None else self.number(path)

    def require(self, path: str, expected: object) -> None:
        value = self._find(path)
        if type(value) is not type(expected) or value != expected:
            self._fault(path, f"{expected!r}, the only one this server knows", value, instead=None)

    def _find(self, path: str) -> object:
        value: object = self._document
        for name in path.split("."):
            if not isinstance(value, dict):
                return _MISSING
            value = cast("Mapping[str, object]", value).get(name, _MISSING)
        return value

    def _fault(self, path: str, expected: str, value: object, *, instead: Any) -> Any:
        came = "nothing" if value is _MISSING else repr(value)[:80]
        self.faults.append(f"{path}: expected {expected}, got {came}")
        return instead


_MISSING = object()


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
