"""What an instance serves: the stock stack, ours, and bare decoding + inference, all in one run.

    python benchmarks/serving.py --model-dir INT8_DIR FP16_DIR --images FOLDER [--seconds 8] [--rounds 2]
    python benchmarks/serving.py --model-dir DIR --images FOLDER --soak 20000

Prints a line for each side and number of callers, then the ratios; the first model is compared with the stock
stack. Rounds go through all sides in turn and medians are shown, so that what else the machine does falls on
all of them. The slowest 503 of each round is beside the longest time that a CPU of this machine stood
still in it, as a thread that goes before all others saw it (stalls.py). Needs `wrk` and, for the stock side,
Java 17 and packages that are installed into --stock-venv.
`--soak N` sends N images instead and prints the resident memory on the way.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from load import Load, apply_load, first_of_all, require_wrk
from servers import Server, make_stock_venv, ours, stock
from stalls import Stalls

ROOT = Path(__file__).resolve().parent.parent
CALLERS = (1, 8, 64)
WARM_UP_SECONDS = 3
TUNED = "stock, OMP_NUM_THREADS=1"
SHORT = ", 8 may wait"
"""A server that must reject most of 64 callers, however fast it is: how long do its 503 answers take?"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One side at one number of callers in one round."""

    load: Load
    stalled_ms: float
    resident_mb: float
    ping_seconds: float
    answer_seconds: float


Results = dict[tuple[str, int], list[Measured]]
Bare = dict[tuple[str, int], list[dict[str, float]]]
Side = tuple[str, Callable[[], AbstractContextManager[Server]]]


def main() -> None:
    """Run the rounds and print the tables."""
    options = _parse()
    images = sorted(options.images.glob("*.jpg"))
    if not images:
        raise SystemExit(f"--images {options.images}: expected a folder of *.jpg files, found none")
    print(f"{_cpu()}; {require_wrk()}; {len(images)} images; {options.rounds} rounds of {options.seconds} s")
    print(f"the load generator goes first: {'yes' if first_of_all() else 'no'}\n")
    if options.soak:
        _soak(options, images)
        return
    results: Results = defaultdict(list)
    bare: Bare = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            for model in options.model_dir:
                for threads in (1, 8):
                    bare[_precision(model), threads].append(_run_bare(model, options, threads))
            for name, start in _sides(options, images[0].read_bytes(), Path(folder)):
                _measure(name, start, images=images, seconds=options.seconds, into=results)
    _print_table(results, bare)
    _print_ratios(results, bare, models=[_precision(model) for model in options.model_dir])


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model-dir", type=Path, required=True, nargs="+")
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--stock-venv", type=Path, default=ROOT / "build" / "stock-serving")
    parser.add_argument("--without-stock", action="store_true")
    parser.add_argument("--soak", type=int, default=0, metavar="N")
    return parser.parse_args()


def _sides(options: argparse.Namespace, image: bytes, folder: Path) -> Iterator[Side]:
    for model in options.model_dir:
        name = f"ours {_precision(model)}"
        yield name, lambda model=model: ours(model_dir=model, image=image)
        yield (
            f"{name}{SHORT}",
            lambda model=model: ours(model_dir=model, image=image, BINCOUNT_QUEUE_LIMIT="8"),
        )
    if not options.without_stock:
        venv: Path = options.stock_venv.resolve()
        make_stock_venv(venv)
        yield "stock", lambda: stock(venv=venv, image=image, folder=folder)
        yield TUNED, lambda: stock(venv=venv, image=image, folder=folder, OMP_NUM_THREADS="1")


def _measure(
    name: str,
    start: Callable[[], AbstractContextManager[Server]],
    *,
    images: list[Path],
    seconds: float,
    into: Results,
) -> None:
    """One side in one round, from its start on; a short load comes first, so that every worker is warm."""
    with start() as server:
        apply_load(url=server.url, images=images, callers=4, seconds=WARM_UP_SECONDS)
        for callers in CALLERS:
            with Stalls() as stalls:
                load = apply_load(url=server.url, images=images, callers=callers, seconds=seconds)
            into[name, callers].append(
                Measured(
                    load, stalls.longest_ms, server.resident_mb(), server.ping_seconds, server.answer_seconds
                )
            )


def _run_bare(model: Path, options: argparse.Namespace, threads: int) -> dict[str, float]:
    command = [sys.executable, str(ROOT / "benchmarks" / "bare.py"), str(model), str(options.images)]
    command += [str(options.seconds), str(threads)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _soak(options: argparse.Namespace, images: list[Path]) -> None:
    """Resident memory after each twentieth of N answered images, with 8 callers."""
    with ours(model_dir=options.model_dir[0], image=images[0].read_bytes()) as server:
        answered = shown = 0
        while answered < options.soak:
            answered += len(apply_load(url=server.url, images=images, callers=8, seconds=3).accepted)
            if answered - shown >= options.soak / 20:
                print(f"{answered} answered: {server.resident_mb():.0f} MB resident")
                shown = answered


def _print_table(results: Results, bare: Bare) -> None:
    print(
        "| side | callers | answers/s | p50 ms | p99 ms | rejected | slowest 503 ms, by round "
        "| a CPU stood still ms | errors | resident MB | /ping s | first answer s | load's CPU |"
    )
    print("|---" * 13 + "|")
    for (name, threads), runs in bare.items():
        rate, p50 = _median(runs, "per_second"), _median(runs, "p50_ms")
        print(f"| bare {name} | {threads} threads | {rate:.1f} | {p50:.1f} |" + " |" * 9)
    for (name, callers), runs in results.items():
        print(f"| {name} | {callers} | {_row(runs)} |")


def _row(runs: list[Measured]) -> str:
    loads = [run.load for run in runs]
    slowest = [f"{max(load.rejected) * 1000:.0f}" for load in loads if load.rejected]
    cells = [
        f"{statistics.median(load.per_second for load in loads):.1f}",
        f"{statistics.median(load.percentile(50) for load in loads):.1f}",
        f"{statistics.median(load.percentile(99) for load in loads):.1f}",
        f"{sum(len(load.rejected) for load in loads)}",
        ", ".join(slowest),
        ", ".join(f"{run.stalled_ms:.0f}" for run in runs),
        f"{sum(load.errors for load in loads)}",
        f"{statistics.median(run.resident_mb for run in runs):.0f}",
        f"{statistics.median(run.ping_seconds for run in runs):.1f}",
        f"{statistics.median(run.answer_seconds for run in runs):.1f}",
        f"{100 * sum(load.own_cpu for load in loads) / sum(load.seconds for load in loads):.1f} %",
    ]
    return " | ".join(cells)


def _print_ratios(results: Results, bare: Bare, *, models: list[str]) -> None:
    def rate(side: str, callers: int) -> float:
        return statistics.median(run.load.per_second for run in results[side, callers])

    def p50(side: str, callers: int) -> float:
        return statistics.median(run.load.percentile(50) for run in results[side, callers])

    for model in models:
        side = f"ours {model}"
        print(f"\n{side}:")
        if (TUNED, 8) in results:
            print(f"  8 callers: {rate(side, 8) / rate(TUNED, 8):.1f} times the tuned stock's answers/s")
            print(f"  1 caller: {p50(side, 1) / p50(TUNED, 1):.2f} of the tuned stock's p50")
            print(f"  1 caller: {p50(side, 1) / p50('stock', 1):.2f} of the untuned stock's p50")
        print(f"  8 callers: {rate(side, 8) / _median(bare[model, 8], 'per_second'):.2f} of bare")
        print(f"  1 caller: p50 {p50(side, 1) / _median(bare[model, 1], 'p50_ms'):.2f} of bare")
        print(f"  64 callers: {rate(side, 64) / rate(side, 8):.2f} of the answers/s with 8")


def _median(runs: list[dict[str, float]], member: str) -> float:
    return statistics.median(run[member] for run in runs)


def _precision(model: Path) -> str:
    return json.loads((model / "model.json").read_text())["precision"]


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "CPU")
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    best = next((flag for flag in ("avx512_vnni", "avx_vnni", "avx2") if flag in flags), "no AVX2")
    return f"{os.cpu_count()} CPUs ({name}, {best})"


if __name__ == "__main__":
    main()
