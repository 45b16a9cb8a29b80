"""Which network to serve: counts a second and core, their cost, memory, size, training speed, by network.

    python benchmarks/frontier.py --dataset DIR --images FOLDER --work WORK \
        [--networks resnet18 efficientnet_lite0@128 ...] [--parts handlers training server] [--once]

DIR is a sealed dataset with 0 to 5 objects, FOLDER holds *.jpg to count. Every network is exported as a job
exports it, with ImageNet weights where they can be had and random ones elsewhere (the speed is the same), as
INT8 and as FP16 (weights of half the size; computed in FP32). Beside it is always ResNet50 at 224 pixels in
INT8, so that what else the machine does falls on both: ratios count, not rates.

handlers   CPU time of a count through the server's functions (frontier_handlers.py), which other work on the
           machine stretches least. Counts a second and core follow from it.
training   images a CPU second in the job's own step on the CPU.
server     the real server under load: answers a second, its CPU time, ms of one, memory. Needs `wrk` and a
           quiet machine: what callers wait for is stretched by all else that runs.

What is in results/frontier.json is not measured again: delete it there to have it measured. `--once` takes
the next part alone. Accuracy comes from frontier_probe.py and recipes.py; frontier_page.py shows all.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from load import apply_load, require_wrk
from servers import Server, ours

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "frontier.json"
REFERENCE = "resnet50@224"
NATIVE = {"efficientnet_lite1": 240, "efficientnet_lite2": 260}
NETWORKS = (
    "resnet50", "efficientnet_lite0", "resnet18", "mobilenet_v3_large", "efficientnet_lite1",
    "efficientnet_lite2", "convnext_tiny", "efficientnet_lite0@128", "resnet18@128",
    "mobilenet_v2", "regnet_y_400mf", "efficientnet_lite0@64",
)  # fmt: skip
LEARNED = ("efficientnet_lite",)
PARTS = ("handlers", "training", "server")
SIDES = ("reference", "INT8", "FP16")
CALLERS = 8
WARM_UP_SECONDS = 2
ROUNDS = 2
BODIES = 60
STEPS = 2


def main() -> None:
    """Measure the parts that are not there yet; each is written when it is done."""
    options = _parse()
    if not any(options.images.glob("*.jpg")):
        raise SystemExit(f"--images {options.images}: expected a folder of *.jpg files, found none")
    if "server" in options.parts:
        require_wrk()
    measure = {"handlers": _handlers, "training": _training, "server": _server}
    for part in options.parts:
        for name in dict.fromkeys(full(text) for text in [REFERENCE, *options.networks]):
            known = results().get(name, {})
            if part in known:
                continue
            _export(name, options)
            found = measure[part](name, options) | {
                "date": datetime.now(UTC).strftime("%Y-%m-%d"),
                "load": round(os.getloadavg()[1], 1),
            }
            entry = {"weights": "ImageNet" if name.startswith(LEARNED) else "random", "machine": _machine()}
            entry |= {"file_mb": _sizes(name, options)} | known | {part: found}
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps({**results(), name: entry}, indent=1) + "\n")
            print(name, part, json.dumps(found), flush=True)
            if options.once:
                return


def results() -> dict[str, Any]:
    """What was measured, by network."""
    return json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}


def full(text: str) -> str:
    """`arch@side` of a network that may be given without the side it was designed for."""
    arch, _, side = text.partition("@")
    return f"{arch}@{side or NATIVE.get(arch, 224)}"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--once", action="store_true")
    return parser.parse_args()


def _program(name: str, *words: str | Path) -> list[str]:
    return [sys.executable, str(HERE / name), *map(str, words)]


def _export(name: str, options: argparse.Namespace) -> None:
    for each in (REFERENCE, name):
        if not (options.work / each / "FP16" / "model.json").is_file():
            command = _program("frontier_models.py", "export", options.dataset, options.work, each)
            subprocess.run(command, check=True)


def _folders(name: str, options: argparse.Namespace) -> dict[str, Path]:
    own = {side: options.work / name / side for side in SIDES[1:]}
    return {"reference": options.work / REFERENCE / "INT8"} | own


def _sizes(name: str, options: argparse.Namespace) -> dict[str, float]:
    return {
        side: round(sum((folder / file).stat().st_size for file in ("model.xml", "model.bin")) / 1e6, 2)
        for side, folder in _folders(name, options).items()
        if side != "reference"
    }


def _handlers(name: str, options: argparse.Namespace) -> dict[str, Any]:
    folders = _folders(name, options).values()
    command = _program("frontier_handlers.py", options.images, str(BODIES), *folders)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = dict(zip(SIDES, json.loads(done.stdout), strict=True))
    return {"cpu_ms": {side: round(ms, 3) for side, ms in found.items()}}


def _training(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """FP32, batch 8, after a first step."""
    command = _program("frontier_models.py", "train", name)
    done = subprocess.run(command, input="\n" * (STEPS + 1), capture_output=True, text=True, check=True)
    steps = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")][1:]
    rate = statistics.median(step["images"] / step["cpu"] for step in steps)
    return {"images_per_core_second": round(rate, 3)}


def _server(name: str, options: argparse.Namespace) -> dict[str, Any]:
    rounds = [
        {side: _load(folder, options) for side, folder in _folders(name, options).items()}
        for _ in range(ROUNDS)
    ]
    fields = rounds[0]["INT8"]
    return {
        side: {field: round(statistics.median(each[side][field] for each in rounds), 2) for field in fields}
        for side in SIDES
    }


def _load(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    images = sorted(options.images.glob("*.jpg"))
    with ours(model_dir=folder, image=images[0].read_bytes()) as server:
        apply_load(url=server.url, images=images, callers=4, seconds=WARM_UP_SECONDS)
        before = _cpu_seconds(server)
        many = apply_load(url=server.url, images=images, callers=CALLERS, seconds=options.seconds)
        used = _cpu_seconds(server) - before
        one = apply_load(url=server.url, images=images, callers=1, seconds=options.seconds)
        return {
            "per_second": many.per_second,
            "per_core_second": len(many.accepted) / used,
            "ms_of_one": one.percentile(50),
            "memory_mb": server.resident_mb(),
        }


def _cpu_seconds(server: Server) -> float:
    root = psutil.Process(server.process.pid)
    times = [process.cpu_times() for process in (root, *root.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "CPU")
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    known = [flag for flag in ("avx512_vnni", "amx_int8") if flag in flags]
    return f"{psutil.cpu_count()} CPUs of {name}, {', '.join(known) or 'no VNNI'}"


if __name__ == "__main__":
    main()
