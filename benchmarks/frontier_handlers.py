"""CPU milliseconds an image through the server's own functions, in one process and on one CPU.

    python benchmarks/frontier_handlers.py IMAGES COUNT MODEL_DIR MODEL_DIR ...

Reads, decodes, infers and writes the answer, as a request does but for HTTP. The models take turns, image by
image, and what is printed for each is the median of the faster half: of a busy machine that is the part that
its other work stretched least. frontier.py starts it.
"""

import json
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "core"), str(ROOT)]

from inference.inference import Model, input_fn, model_fn, output_fn, predict_fn  # noqa: E402


def main(images: Path, count: int, folders: list[Path]) -> None:
    """Print a JSON list, a number for each folder."""
    bodies = [path.read_bytes() for path in sorted(images.glob("*.jpg"))[:count]]
    models = [model_fn(folder, cpus=1) for folder in folders]
    for model in models:
        _answer(model, bodies[0])
    times: list[list[float]] = [[] for _ in models]
    for body in bodies:
        for model, own in zip(models, times, strict=True):
            begun = time.process_time()
            _answer(model, body)
            own.append(1000 * (time.process_time() - begun))
    print(json.dumps([statistics.median(sorted(own)[: len(own) // 2]) for own in times]))


def _answer(model: Model, body: bytes) -> None:
    output_fn(predict_fn(input_fn(body, "image/jpeg"), model), "application/json")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), [Path(folder) for folder in sys.argv[3:]])
