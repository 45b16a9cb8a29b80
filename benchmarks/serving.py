"""What serving costs over bare decoding and inference, on this machine, both sides in one run.

    python benchmarks/serving.py --model-dir MODEL --images FOLDER_OF_JPEGS [--seconds 10] [--rounds 3]

Prints a table for 1, 8 and 64 callers, the ratios to the bare engine (benchmarks/bare.py), seconds from
start to ready, and resident memory. Rounds alternate between the sides and the median is shown, so that
what else the machine does falls on both.
"""

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import urllib3
from load import Load, apply_load

ROOT = Path(__file__).resolve().parent.parent
CALLERS = (1, 8, 64)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, and how long it took to become ready."""

    process: subprocess.Popen[str]
    url: str
    ready_seconds: float

    def resident_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def main() -> None:
    """Run the rounds and print the table."""
    options = _parse()
    bodies = [path.read_bytes() for path in sorted(options.images.glob("*.jpg"))]
    bare: dict[int, list[dict[str, float]]] = {1: [], 8: []}
    loads: dict[int, list[Load]] = {callers: [] for callers in CALLERS}
    for _ in range(options.rounds):
        for threads, results in bare.items():
            results.append(_run_bare(options, threads))
        with _serve(options.model_dir) as server:
            for callers in CALLERS:
                loads[callers].append(
                    apply_load(url=server.url, bodies=bodies, callers=callers, seconds=options.seconds)
                )
            resident, ready = server.resident_mb(), server.ready_seconds
    _print_table(bare, loads)
    print(f"\nready after {ready:.2f} s, {resident:.0f} MB resident after the last round")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model-dir", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def _run_bare(options: argparse.Namespace, threads: int) -> dict[str, float]:
    command = [sys.executable, str(ROOT / "benchmarks" / "bare.py"), options.model_dir, options.images]
    command += [str(options.seconds), str(threads)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@contextlib.contextmanager
def _serve(model_dir: Path) -> Iterator[Server]:
    """The server with its default settings on a free port."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "inference", "--model-dir", str(model_dir.resolve()), "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
        while urllib3.request("GET", f"{url}/ping").status != 200:
            time.sleep(0.01)
        ready = time.perf_counter() - started
        drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        try:
            yield Server(process, url, ready)
        finally:
            process.terminate()
            process.wait()
            drain.wait()


def _print_table(bare: dict[int, list[dict[str, float]]], loads: dict[int, list[Load]]) -> None:
    print(
        "| side | callers | images/s | p50 ms | p99 ms | refused | slowest refusal ms | errors | load's CPU |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for threads, results in bare.items():
        rate = statistics.median(result["per_second"] for result in results)
        p50 = statistics.median(result["p50_ms"] for result in results)
        print(f"| bare | {threads} threads | {rate:.1f} | {p50:.1f} | | | | | |")
    for callers, runs in loads.items():
        print(f"| ours | {callers} | {_row(runs)} |")
    ours = {callers: statistics.median(run.per_second for run in runs) for callers, runs in loads.items()}
    limit = statistics.median(result["per_second"] for result in bare[8])
    p50 = statistics.median(run.percentile(50) for run in loads[1])
    bare_p50 = statistics.median(result["p50_ms"] for result in bare[1])
    print(f"\n8 callers: {ours[8]:.1f}/s of {limit:.1f}/s bare = {ours[8] / limit:.2f}")
    print(f"1 caller: p50 {p50:.1f} ms over {bare_p50:.1f} ms bare = {p50 / bare_p50:.2f}")
    print(f"64 callers: {ours[64]:.1f}/s of {ours[8]:.1f}/s with 8 = {ours[64] / ours[8]:.2f}")


def _row(runs: list[Load]) -> str:
    refused = [seconds for run in runs for seconds in run.refused]
    cells = [
        f"{statistics.median(run.per_second for run in runs):.1f}",
        f"{statistics.median(run.percentile(50) for run in runs):.1f}",
        f"{statistics.median(run.percentile(99) for run in runs):.1f}",
        f"{len(refused)}",
        f"{max(refused) * 1000:.0f}" if refused else "",
        f"{sum(run.errors for run in runs)}",
        f"{100 * sum(run.own_cpu for run in runs) / sum(run.wall for run in runs):.0f} % of one",
    ]
    return " | ".join(cells)


if __name__ == "__main__":
    main()
