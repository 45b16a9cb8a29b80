"""The limit: the same decoding and the same network on the same CPUs, without HTTP, queue or answer.

`python benchmarks/bare.py MODEL_DIR IMAGES SECONDS THREADS` prints one JSON line. One thread uses OpenVINO's
LATENCY hint, more use THROUGHPUT, each with requests of its own; nothing of the server's code is used.
"""

import io
import json
import sys
import threading
import time
from pathlib import Path

import numpy as np

# Importing openvino would report it to Google Analytics (see inference/__init__.py).
sys.modules.setdefault("openvino_telemetry", None)  # pyright: ignore[reportArgumentType]

import openvino as ov  # noqa: E402
import simplejpeg  # noqa: E402
from PIL import Image  # noqa: E402


def main(model_dir: Path, images: Path, seconds: float, threads: int) -> None:
    """Decode and infer for `seconds` on `threads` threads; print images per second and median ms."""
    bodies = [path.read_bytes() for path in sorted(images.glob("*.jpg"))]
    size = json.loads((model_dir / "model.json").read_text())["preprocessing"]
    shape = (size["height"], size["width"])
    core = ov.Core()
    network = core.read_model(model_dir / "model.xml")
    network.reshape([1, *shape, 3])
    hint = "LATENCY" if threads == 1 else "THROUGHPUT"
    compiled = core.compile_model(
        network, "CPU", {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": "f32"}
    )
    # One call alone: two threads whose first calls meet can never end (see inference/model/engine.py).
    compiled.create_infer_request().infer([_decode(bodies[0], shape)[None]], share_inputs=True)
    times: list[float] = []
    start = time.perf_counter()

    def work(offset: int) -> None:
        request = compiled.create_infer_request()
        number = offset
        while time.perf_counter() - start < seconds:
            begun = time.perf_counter()
            request.infer([_decode(bodies[number % len(bodies)], shape)[None]], share_inputs=True)
            times.append(time.perf_counter() - begun)
            number += threads

    workers = [threading.Thread(target=work, args=(offset,)) for offset in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    wall = time.perf_counter() - start
    print(json.dumps({"per_second": len(times) / wall, "p50_ms": float(np.median(times)) * 1000}))


def _decode(body: bytes, shape: tuple[int, int]) -> np.ndarray:
    with Image.open(io.BytesIO(body)) as image:
        image.getexif()
    pixels = simplejpeg.decode_jpeg(
        body, "RGB", fastdct=True, fastupsample=True, min_height=shape[0], min_width=shape[1]
    )
    return np.asarray(Image.fromarray(pixels).resize(shape[::-1], Image.Resampling.BILINEAR))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
