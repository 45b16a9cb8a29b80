"""Model directories whose answers can be computed by hand, images, and the server as a real process."""

import contextlib
import copy
import io
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops
from PIL import Image
from referencing import Registry, Resource

ROOT = Path(__file__).parents[3]
SIZE = 32

MODEL_JSON: dict[str, Any] = {
    "schema_version": 1,
    "model_id": "brightness-1",
    "architecture": "brightness",
    "precision": "FP32",
    "classes": {"counts": [0, 1, 2, 3, 4, 5], "open_top": False},
    "preprocessing": {"name": "dct-bilinear", "version": 1, "width": SIZE, "height": SIZE},
    "normalisation": {"in_graph": True, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    "calibration": {
        "temperature": 1.0,
        "interval": {"coverage": 0.9, "score_quantile": 0.83},
        "review": {"target_accuracy": 0.9, "confidence_below": 0.6},
        "verdict": {"mismatch_below": 0.05},
    },
    "metrics": {"validation": {}, "test": {}},
    "dataset_id": "none",
    "source_revision": "none",
    "created": "2026-11-23T00:00:00Z",
}


def brightness_network(
    *, classes: int, slow_layers: int = 0, hangs: bool = False, step: int = 40
) -> ov.Model:
    """A network that counts mean brightness in steps of 40: logit i is -2 (brightness / 40 - i) squared.

    It breaks (its logits are not numbers) on images brighter than 254. Each of the `slow_layers` multiplies
    two 1024x1024 matrices, which takes a CPU some hundredths of a second. Where it `hangs`, images
    of brightness 5 are computed on for years.
    """
    image = ops.parameter([-1, SIZE, SIZE, 3], ov.Type.u8, name="image")
    mean = ops.reduce_mean(ops.convert(image, "f32"), np.array([1, 2, 3]), keep_dims=False)
    column = ops.reshape(mean, np.array([-1, 1]), special_zero=False)
    distance = ops.subtract(ops.divide(column, np.float32(step)), np.arange(classes, dtype=np.float32)[None])
    logits = ops.multiply(ops.multiply(distance, distance), np.float32(-2))
    broken_when_white = ops.multiply(ops.sqrt(ops.subtract(np.float32(254), column)), np.float32(1e-30))
    logits = ops.add(logits, broken_when_white)
    if slow_layers:
        logits = ops.add(logits, _slow_zero(column, layers=slow_layers))
    if hangs:
        logits = ops.add(logits, _endless_zero(column))
    logits.output(0).set_names({"logits"})
    return ov.Model([logits], [image], "brightness")


def _slow_zero(column: Any, *, layers: int) -> Any:
    weights = np.random.default_rng(0).normal(0, 0.01, (1024, 1024)).astype(np.float32)
    matrix = ops.multiply(ops.constant(weights), ops.reduce_mean(column, np.array([0, 1]), keep_dims=False))
    for _ in range(layers):
        matrix = ops.tanh(ops.matmul(matrix, ops.constant(weights), False, False))
    total = ops.reduce_mean(matrix, np.array([0, 1]), keep_dims=False)
    return ops.multiply(total, np.float32(1e-30))


def _endless_zero(column: Any) -> Any:
    """0, found by one turn of a loop, or by 2 to the 60th where the image's brightness is about 5."""
    near = ops.less(ops.abs(ops.subtract(column, np.float32(5))), np.float32(2))
    turns = ops.select(
        ops.reduce_logical_or(near, np.array([0, 1]), keep_dims=False), np.int64(1 << 60), np.int64(1)
    )
    value = ops.parameter([], ov.Type.f32)
    again = ops.constant(np.array(True))
    body = ov.Model([ops.multiply(ops.tanh(value), np.float32(0.5)), again], [value], "turn")
    loop = ops.loop(turns, ops.constant(np.array(True)))
    loop.set_function(body)
    loop.set_special_body_ports([-1, 1])
    start = ops.multiply(ops.reduce_mean(column, np.array([0, 1]), keep_dims=False), np.float32(0))
    loop.set_merged_input(value, start.output(0), body.results[0].output(0))
    return loop.get_iter_value(body.results[0].output(0), -1)


ModelMaker = Callable[..., Path]


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> ModelMaker:
    """Makes a model directory; `change` edits its model.json, the rest goes to brightness_network."""

    def make(change: Callable[[dict[str, Any]], object] | None = None, **network: int) -> Path:
        folder = tmp_path_factory.mktemp("model")
        document = copy.deepcopy(MODEL_JSON)
        if change:
            change(document)
        classes = network.pop("classes", len(document["classes"]["counts"]))
        ov.save_model(
            brightness_network(classes=classes, **network), folder / "model.xml", compress_to_fp16=False
        )
        (folder / "model.json").write_text(json.dumps(document))
        return folder

    return make


@pytest.fixture(scope="session")
def model_dir(make_model: ModelMaker) -> Path:
    """A model that counts brightness."""
    return make_model()


@pytest.fixture(scope="session")
def gray() -> Callable[..., bytes]:
    """Encoded images of one brightness, so that the count is brightness / 40: gray(120) shows 3 objects."""

    def make(level: int, *, format: str = "JPEG", size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
        return encode(Image.new("RGB", size, (level, level, level)), format, **options)

    return make


def encode(image: Image.Image, format: str, **options: Any) -> bytes:
    """The bytes of an image."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def encoded() -> Callable[..., bytes]:
    """Bytes of a Pillow image in a format."""
    return encode


@pytest.fixture(scope="session")
def schema() -> Callable[[str, object], None]:
    """Holds a document to a schema of docs/schemas, by its name."""
    folder = ROOT / "docs" / "schemas"
    names = ("answer.schema.json", "error.schema.json", "label.schema.json")
    contents = {name: json.loads((folder / name).read_text()) for name in names}
    registry: Registry[Any] = Registry().with_resources(
        (name, Resource.from_contents(content)) for name, content in contents.items()
    )

    def check(name: str, document: object) -> None:
        jsonschema.Draft202012Validator(contents[f"{name}.schema.json"], registry=registry).validate(document)

    return check


@dataclass
class Running:
    """A server process: where it listens, and every line it has written to its log so far."""

    process: subprocess.Popen[str]
    port: int
    lines: list[dict[str, Any]] = field(default_factory=list)
    arrived: "queue.Queue[dict[str, Any]]" = field(default_factory=queue.Queue)

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"http://127.0.0.1:{self.port}"

    def log_line(self, **members: object) -> dict[str, Any]:
        """The first log line with these members, waiting for it at most 30 s."""
        for line in self.lines:
            if members.items() <= line.items():
                return line
        while True:
            line = self.arrived.get(timeout=30)
            self.lines.append(line)
            if members.items() <= line.items():
                return line

    def post(self, body: Any, **headers: str) -> httpx.Response:
        """POST /invocations with underscores of header names as dashes; image/jpeg unless given otherwise."""
        named = {"Content-Type": "image/jpeg", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return httpx.post(f"{self.url}/invocations", content=body, headers=named, timeout=30)


ServerStarter = Callable[..., contextlib.AbstractContextManager[Running]]


@pytest.fixture(scope="session")
def start_server() -> ServerStarter:
    """Starts `python -m inference` on a free port; waits until it is ready (or only listens, if asked)."""

    @contextlib.contextmanager
    def start(model_dir: Path, *, ready: bool = True, **environment: str) -> Iterator[Running]:
        command = [sys.executable, "-m", "inference", "--model-dir", str(model_dir), "--port", "0"]
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True
        )
        running = Running(process, port=0)
        reader = threading.Thread(target=_read_lines, args=(running,), daemon=True)
        reader.start()
        try:
            running.port = running.log_line(event="listening")["port"]
            if ready:
                running.log_line(event="ready")
            yield running
        finally:
            process.kill()
            process.wait()
            reader.join()

    return start


def _read_lines(running: Running) -> None:
    assert running.process.stdout is not None
    for line in running.process.stdout:
        running.arrived.put(json.loads(line))


@pytest.fixture(scope="session")
def server(start_server: ServerStarter, model_dir: Path) -> Iterator[Running]:
    """One server with default settings that the tests of a session share."""
    with start_server(model_dir) as running:
        yield running
