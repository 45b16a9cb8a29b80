"""What `explain=1` costs who asks and who does not, and whether the map covers the objects.

    git worktree add /tmp/before COMMIT    # a commit of the server without maps
    python benchmarks/explain.py cpu --model-dir DIR [DIR ...]
    python benchmarks/explain.py cost --model-dir DIR [DIR ...] --before /tmp/before [--rounds 12]
    python benchmarks/explain.py cover --model-dir DIR [--bins 300]

`cpu` takes the CPU time of the network with and without the map in turn, in this process, and that of a whole
answer with and without it: what else the machine does hardly falls on it. `cost` runs the server of that
checkout and this one side by side and asks them in turn, eight callers at a time, never for a map; then one
caller asks this one, with and without it in turn. It prints answers a second, the server's own CPU time an
answer, and memory. `cover` counts drawn bins of which every pixel of every object is known.
"""

import argparse
import io
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import openvino as ov
import psutil
import urllib3
from numpy.typing import NDArray
from PIL import Image
from servers import ROOT, Server, ours

from bincount_core.preprocessing import preprocess
from demo.bins.bin_image import BinImage, draw_bin
from demo.bins.object_mask import object_mask
from inference.inference import input_fn, model_fn, output_fn, predict_fn
from inference.model.activation_map import add_map

CALLERS = 8
IMAGES = 24
PAIRS = 150
SEED = 77
SIDE = 224
ASKED = {"X-Amzn-SageMaker-Custom-Attributes": "explain=1"}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("cpu", "cost", "cover"))
    parser.add_argument("--model-dir", type=Path, nargs="+", required=True)
    parser.add_argument("--before", type=Path, help="a checkout of a commit without maps")
    parser.add_argument("--rounds", type=int, default=12, help="of each side (default %(default)s)")
    parser.add_argument("--requests", type=int, default=200, help="a round (default %(default)s)")
    parser.add_argument("--bins", type=int, default=300, help="drawn bins to cover (default %(default)s)")
    options = parser.parse_args()
    for model in options.model_dir:
        if options.what == "cover":
            _cover(model, bins=options.bins)
        elif options.what == "cpu":
            _cpu(model)
        else:
            _cost(model, before=options.before.resolve(), rounds=options.rounds, requests=options.requests)


def _cpu(folder: Path) -> None:
    """CPU time of the network without and with its further output, and of an answer with and without it."""
    model = model_fn(folder, cpus=1)
    image = _jpeg(draw_bin(count=3, rng=np.random.default_rng(SEED)))
    inputs = input_fn(image, "image/jpeg")
    pixels = preprocess(inputs.image, width=model.description.width, height=model.description.height)
    requests = [_request(folder, pixels, with_map=with_map) for with_map in (False, True)]

    def answer(explain: bool) -> None:
        output_fn(predict_fn(replace(inputs, explain=explain), model), None)

    plain, mapped = _in_turn(*(partial(_run, request) for request in requests))
    same = np.array_equal(*(request.get_output_tensor(0).data for request in requests))
    quiet, asked = _in_turn(partial(answer, False), partial(answer, True))
    print(f"{folder}: logits the same with and without: {same}")
    print(f"  network {plain:.2f} ms of CPU, with its map {mapped:.2f}: {mapped / plain:.3f} times")
    print(f"  answer {quiet:.2f} ms of CPU, asked for the map {asked:.2f}: {asked - quiet:+.2f} ms")


def _request(folder: Path, pixels: NDArray[np.uint8], *, with_map: bool) -> ov.InferRequest:
    core = ov.Core()
    network = core.read_model(folder / "model.xml")
    network.reshape([1, *pixels.shape])
    if with_map:
        add_map(network)
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
    request = core.compile_model(network, "CPU", options).create_infer_request()
    request.get_input_tensor(0).data[0] = pixels
    return request


def _run(request: ov.InferRequest) -> None:
    # As the server does: infer() would also make a Python object of each output.
    request.start_async()
    request.wait()


def _in_turn(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of this process's CPU time, the medians of PAIRS calls of each."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(PAIRS + 5):
        for which in (0, 1) if number % 2 else (1, 0):
            started = time.process_time()
            (one, other)[which]()
            taken[which].append(1000 * (time.process_time() - started))
    return statistics.median(taken[0][5:]), statistics.median(taken[1][5:])


@dataclass(slots=True)
class _Side:
    server: Server
    rates: list[float]
    cpu_ms: list[float]

    def load(self, images: list[bytes], *, requests: int) -> None:
        """One round: `requests` images, CALLERS at a time."""
        process = psutil.Process(self.server.process.pid)
        before, started = sum(process.cpu_times()[:2]), time.perf_counter()
        sent = [images[number % IMAGES] for number in range(requests)]
        with ThreadPoolExecutor(CALLERS) as callers:
            list(callers.map(partial(_ask, self.server), sent))
        self.rates.append(requests / (time.perf_counter() - started))
        self.cpu_ms.append(1000 * (sum(process.cpu_times()[:2]) - before) / requests)


_POOL = urllib3.PoolManager(maxsize=CALLERS, block=True)


def _ask(server: Server, image: bytes, **headers: str) -> float:
    """Seconds until the answer."""
    started = time.perf_counter()
    named = {"Content-Type": "image/jpeg", **headers}
    answer = _POOL.request("POST", f"{server.url}/invocations", body=image, headers=named)
    assert answer.status == 200, answer.data
    return time.perf_counter() - started


def _cost(model: Path, *, before: Path, rounds: int, requests: int) -> None:
    images = [_jpeg(draw_bin(count=k % 6, rng=np.random.default_rng([SEED, k]))) for k in range(IMAGES)]
    with ExitStack() as running:
        # One checkout's modules must not be found by the other's server.
        paths = {folder: os.pathsep.join(map(str, (folder, folder / "core"))) for folder in (before, ROOT)}
        sides = {
            name: _Side(
                running.enter_context(
                    ours(
                        model_dir=model,
                        image=images[0],
                        folder=folder,
                        PYTHONPATH=paths[folder],
                        BINCOUNT_DEADLINE_SECONDS="60",
                    )  # fmt: skip
                ),
                [],
                [],
            )
            for name, folder in (("before", before), ("now", ROOT))
        }
        for number in range(rounds + 1):
            for side in list(sides.values())[:: 1 if number % 2 else -1]:
                side.load(images, requests=requests)
        print(f"{model}, {rounds} rounds of {requests} images, {CALLERS} callers, nobody asks")
        for name, side in sides.items():
            rate, cpu = statistics.median(side.rates[1:]), statistics.median(side.cpu_ms[1:])
            memory = side.server.resident_mb()
            print(f"  {name:7} {rate:7.1f} answers/s  {cpu:6.2f} ms of CPU an answer  {memory:6.0f} MB")
        old, new = sides["before"], sides["now"]
        print(f"  rate    {_ratio(new.rates, old.rates)} of before, CPU {_ratio(new.cpu_ms, old.cpu_ms)}")
        plain: list[float] = []
        asked: list[float] = []
        for number in range(rounds * 20):
            plain.append(_ask(new.server, images[number % IMAGES]))
            asked.append(_ask(new.server, images[number % IMAGES], **ASKED))
        one, other = (1000 * statistics.median(taken) for taken in (plain, asked))
        print(f"  one caller: {one:.2f} ms, asked for the map {other:.2f} ms: {other - one:+.2f} ms")


def _ratio(new: list[float], old: list[float]) -> str:
    """The median of the rounds' ratios with its standard error; the first round warms up."""
    ratios = np.array(new[1:]) / np.array(old[1:])
    return f"{np.median(ratios):.3f} +- {1.25 * ratios.std() / np.sqrt(len(ratios)):.3f}"


def _jpeg(drawn: BinImage) -> bytes:
    buffer = io.BytesIO()
    drawn.image.save(buffer, "JPEG", quality=drawn.quality)
    return buffer.getvalue()


def _cover(folder: Path, *, bins: int) -> None:
    """How well the map of the answered count covers the objects, beside maps that know nothing of it."""
    model = model_fn(folder)
    most = model.description.counts[-1]
    maps: list[NDArray[np.float64]] = []
    masks: list[NDArray[np.bool_]] = []
    for k in range(bins):
        drawn = draw_bin(count=1 + k % most, rng=np.random.default_rng([SEED, k]))
        inputs = replace(input_fn(_jpeg(drawn), "image/jpeg"), explain=True)
        explanation = predict_fn(inputs, model).explanation
        assert explanation is not None and explanation.reason is None, explanation
        maps.append(np.array(explanation.map))
        shrunk = Image.fromarray(object_mask(drawn)).resize((SIDE, SIDE), Image.Resampling.NEAREST)
        masks.append(np.asarray(shrunk))
    shape, random = maps[0].shape, np.random.default_rng(SEED)
    sides = {
        "the map": maps,
        "another bin's map": [*maps[1:], maps[0]],
        "mean of all maps": [np.mean(maps, axis=0)] * bins,
        "a random map": [random.normal(size=shape) for _ in maps],
    }
    print(f"{folder}: {shape[0]} x {shape[1]} places, {bins} bins of 1 to {most} objects")
    print(f"  objects' share of the image: {np.mean(masks):.3f}, which a map without a place covers")
    for name, shown in sides.items():
        scores = [_scores(places, mask) for places, mask in zip(shown, masks, strict=True)]
        same, strongest, quarter = np.mean(scores, axis=0)
        print(f"  {name:18} covers {same:.3f} of the objects with as much area as theirs;", end=" ")
        print(f"objects' share of its strongest place {strongest:.3f}, quarter {quarter:.3f}")


def _scores(places: NDArray[np.float64], mask: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Share of the objects under the strongest pixels, as many as they have themselves; objects' share of the
    strongest place; and of the strongest quarter of the image."""
    large = Image.fromarray(places.astype(np.float32)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    order = np.argsort(-np.asarray(large).ravel(), kind="stable")
    flat = mask.ravel()
    row, column = np.unravel_index(places.argmax(), places.shape)
    rows, columns = (np.linspace(0, SIDE, side + 1).astype(int) for side in places.shape)
    place = mask[rows[row] : rows[row + 1], columns[column] : columns[column + 1]]
    same = flat[order[: int(flat.sum())]].sum() / max(1, flat.sum())
    return float(same), float(place.mean()), float(flat[order[: flat.size // 4]].mean())


if __name__ == "__main__":
    main()
