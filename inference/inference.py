"""SageMaker's four functions without HTTP: model_fn, input_fn, predict_fn, output_fn.

model = model_fn("/opt/ml/model")
inputs = input_fn(body, "image/jpeg")
prediction = predict_fn(inputs, model)
body, media_type = output_fn(prediction, "application/json")
"""

import json
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from bincount_core.image import EncodedImage, ImageFault, read_image
from bincount_core.limits import SERVED_PIXELS
from bincount_core.model_json import Description, read_description
from bincount_core.preprocessing import preprocess
from inference.http.accept import JSON, TEXT, choose_media_type
from inference.http.errors import RequestError, image_error
from inference.model.answer import Answer, Verification, answer_members, make_answer, verifications, verify
from inference.model.engine import Engine
from inference.model.explanation import Explanation, explain, explanation_members
from inference.model.resources import available_cpus

CONTENT_TYPES = ("image/jpeg", "image/png", "image/webp")
# What older browsers, Windows and some libraries call the first two.
ALIASES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded model: what it is (`description`) and the network that computes logits (`engine`)."""

    description: Description
    engine: Engine


@dataclass(frozen=True, slots=True)
class Inputs:
    """One request: a checked, still encoded image, and the number of objects it should show, if given.

    `every_verification` asks for the verdict on every number (batch transform: its records carry none),
    `explain` for where the network looked.
    """

    image: EncodedImage
    expected_count: int | None = None
    every_verification: bool = False
    explain: bool = False
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class Prediction:
    """An answer with what belongs to it; durations are milliseconds."""

    answer: Answer
    verification: Verification | None
    verifications: tuple[Verification, ...]
    counts: tuple[int, ...]
    model_id: str
    request_id: str
    decode_ms: float
    infer_ms: float
    explanation: Explanation | None = None


def model_fn(model_dir: str | Path, *, cpus: int | None = None) -> Model:
    """Load the model of a directory that holds model.json, model.xml and model.bin.

    `cpus` is how many CPUs it may use (default: those that this process really has).
    Raises ModelFault, with every fault named, where it cannot be served.
    """
    folder = Path(model_dir)
    description = read_description(folder / "model.json")
    return Model(description, Engine(folder=folder, description=description, cpus=cpus or available_cpus()))


def input_fn(body: bytes, content_type: str | None, *, max_pixels: int = SERVED_PIXELS) -> Inputs:
    """Check one request body by its header; nothing is decoded yet (its size depends on the model).

    Raises RequestError: 415 for another content type, 400 for what is not an image, 413 above `max_pixels`.
    """
    check_content_type(content_type)
    try:
        return Inputs(read_image(body, max_pixels=max_pixels))
    except ImageFault as fault:
        raise image_error(fault) from fault


def check_content_type(content_type: str | None) -> None:
    """Raise RequestError 415 unless the type is one of CONTENT_TYPES or ALIASES (parameters are ignored)."""
    media_type = (content_type or "").split(";", 1)[0].strip().lower()
    if ALIASES.get(media_type, media_type) not in CONTENT_TYPES:
        came = repr(content_type[:100]) if content_type else "none"
        raise RequestError(
            415,
            "unsupported_media_type",
            f"expected a Content-Type of {', '.join(CONTENT_TYPES)}, got {came}: send one of those",
        )


def predict_fn(inputs: Inputs, model: Model) -> Prediction:
    """Decode one image, run the network and calibrate its answer.

    Raises RequestError 400 where the pixels cannot be decoded.
    """
    description = model.description
    start = time.perf_counter()
    with model.engine.image():
        try:
            pixels = preprocess(inputs.image, width=description.width, height=description.height)
        except ImageFault as fault:
            raise image_error(fault) from fault
        decoded = time.perf_counter()
        logits, evidence = model.engine.infer(pixels, explain=inputs.explain)
    inferred = time.perf_counter()
    answer = make_answer(logits, model=description)
    expected = inputs.expected_count
    return Prediction(
        answer=answer,
        verification=None if expected is None else verify(answer, expected=expected, model=description),
        verifications=verifications(answer, model=description) if inputs.every_verification else (),
        counts=description.counts,
        model_id=description.model_id,
        request_id=inputs.request_id,
        decode_ms=(decoded - start) * 1000,
        infer_ms=(inferred - decoded) * 1000,
        explanation=(
            explain(answer, logits=logits, evidence=evidence, model=description, no_map=model.engine.no_map)
            if inputs.explain
            else None
        ),
    )


def output_fn(prediction: Prediction, accept: str | None) -> tuple[bytes, str]:
    """The answer as bytes, and their media type: JSON by default, the bare count for `text/plain`.

    Raises RequestError 406 where `accept` allows neither.
    """
    if choose_media_type(accept) == TEXT:
        return str(prediction.answer.count).encode(), TEXT
    members = answer_members(
        prediction.answer,
        verification=prediction.verification,
        verifications=prediction.verifications,
        counts=prediction.counts,
        model_id=prediction.model_id,
        request_id=prediction.request_id,
    )
    if prediction.explanation is not None:
        members["explanation"] = explanation_members(prediction.explanation)
    return json.dumps(members, separators=(",", ":")).encode(), JSON
