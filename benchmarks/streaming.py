"""Streams 200,000 images in tar shards from a server with 30 ms before each answer, as training does.

    tar -xf BINS.tar -C build/bins
    python benchmarks/streaming.py --source build/bins --work build/streaming

Repeats the source's JPEGs under new ids, in shards of 100 MB and in a folder of hard links, and reads them
with the job's own loader on one core (to uint8 at 224 px, quick decoding). It prints a JSON line a side: `s3`
is HTTP ranges of a server of this file on 127.0.0.1, `shards` and `files` are the local disk. FastFile itself
exists in AWS only: what is measured is our reader behind the latency of a bucket. `resume` is the time to the
first batch of a job that goes on in the middle of the epoch. Delete --work afterwards.
"""

import argparse
import gzip
import hashlib
import http.client
import io
import json
import os
import socketserver
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SIZE, BATCH, SHARD_MB = 224, 64, 100
SIDES = ("s3", "shards", "files")


def main() -> None:
    """Make the dataset, then measure each side in a process of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", type=Path, required=True, help="folder of JPEGs, below any folders")
    parser.add_argument("--work", type=Path, required=True, help="folder for the repeated dataset")
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--local-images", type=int, default=50_000, help="read of them from the local disk")
    parser.add_argument("--latency-ms", type=float, default=30)
    parser.add_argument("--side", choices=SIDES, help="used by this program itself")
    parser.add_argument("--port", type=int, default=0, help="used by this program itself")
    options = parser.parse_args()
    if options.side:
        _measure(options)
        return
    if not (options.work / "shards" / "dataset.json").exists():
        _make(sorted(options.source.rglob("*.jpg")), work=options.work, images=options.images)
    server = _Server(options.work / "shards", seconds=options.latency_ms / 1000)
    command = [sys.executable, __file__, *sys.argv[1:], "--port", str(server.server_address[1])]
    pid = os.fork()
    if not pid:
        server.serve_forever()
    server.server_close()
    try:
        for side in SIDES:
            subprocess.run([*command, "--side", side], check=True)
    finally:
        os.kill(pid, 15)
        os.waitpid(pid, 0)


def _make(files: list[Path], *, work: Path, images: int) -> None:
    contents = [file.read_bytes() for file in files]
    digests = [hashlib.sha256(data).hexdigest() for data in contents]
    for layout in ("shards", "files"):
        (work / layout / "shards").mkdir(parents=True)
        shard, number = None, 0
        with gzip.open(work / layout / "manifest.jsonl.gz", "wt", compresslevel=1) as manifest:
            for place in range(images):
                which = place * 7919 % len(files)
                # A thousandth each to choose and to evaluate by: the epoch is of the training images.
                split = {0: "validation", 1: "test"}.get(place % 1000, "train")
                line: dict[str, Any] = {"id": f"{place:06d}", "count": place % 6, "split": split}
                line |= {"sha256": digests[which], "bytes": len(contents[which]), "key": None}
                if layout == "files":
                    key = f"train/{place // 2000}/{place:06d}.jpg"
                    (work / layout / key).parent.mkdir(parents=True, exist_ok=True)
                    os.link(files[which], work / layout / key)
                    line["key"] = key
                else:
                    if shard is None or shard.offset > SHARD_MB * 1e6:
                        if shard is not None:
                            shard.close()
                        name = f"shards/train-{number:06d}.tar"
                        shard = tarfile.open(work / layout / name, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
                        number += 1
                    line["shard"] = f"shards/train-{number - 1:06d}.tar"
                    for ending, data in (("jpg", contents[which]), ("cls", str(place % 6).encode())):
                        member = tarfile.TarInfo(f"{place:06d}.{ending}")
                        member.size = len(data)
                        shard.addfile(member, io.BytesIO(data))
                manifest.write(json.dumps(line) + "\n")
        if shard is not None:
            shard.close()
        (work / layout / "dataset.json").write_text('{"dataset_id": "repeated"}')


class _Server(socketserver.ThreadingTCPServer):
    """GETs of ranges and HEADs of the files of a folder, each answered after a while."""

    daemon_threads = True

    def __init__(self, folder: Path, *, seconds: float) -> None:
        self.folder, self.seconds = folder, seconds
        super().__init__(("127.0.0.1", 0), _Answers)


class _Answers(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        while line := self.rfile.readline().split():
            headers = http.client.parse_headers(self.rfile)
            path = server.folder / line[1].decode().lstrip("/")
            size, first, last = path.stat().st_size, 0, -1
            if asked := headers.get("Range"):
                first, last = (int(value) for value in asked.removeprefix("bytes=").split("-"))
                last = min(last, size - 1)
            time.sleep(server.seconds)
            head = f"HTTP/1.1 206 OK\r\nContent-Length: {last + 1 - first}\r\nX-Size: {size}\r\n\r\n"
            self.wfile.write(head.encode())
            with path.open("rb") as file:
                while first <= last:
                    first += os.sendfile(self.connection.fileno(), file.fileno(), first, last + 1 - first)


def _measure(options: argparse.Namespace) -> None:
    sys.path.insert(0, str(ROOT / "training"))
    import torch

    from bintrain.data import storage
    from bintrain.data.classes import Classes
    from bintrain.data.data_loader import DataLoader
    from bintrain.data.dataset import read_dataset
    from bintrain.data.images import Images
    from bintrain.data.sampling import training_plan
    from bintrain.engine.resources import freeze_garbage_collector, keep_freed_memory

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    keep_freed_memory()
    folder = options.work / ("files" if options.side == "files" else "shards")
    requests: list[int] = []
    if options.side == "s3":
        storage.open_source = _ranges(folder, port=options.port, requests=requests)
    began = time.perf_counter()
    dataset = read_dataset(folder)
    freeze_garbage_collector()
    images = Images(
        dataset.split("train"),
        classes=Classes(counts=tuple(range(6)), open_top=False),
        size=SIZE,
        keep=False,
        quick=True,
    )
    listed = time.perf_counter() - began
    loader = DataLoader(images, threads=1, pin=False)
    most = len(images) if options.side == "s3" else min(options.local_images, len(images))
    resident: list[int] = []
    started, cpu = time.perf_counter(), time.process_time()
    first, seen = 0.0, 0
    for batch in loader.batches(training_plan(images, seed=0, epoch=1, batch=BATCH, first=0, rank=0, size=1)):
        first = first or time.perf_counter() - started
        seen += len(batch.labels)
        if seen // 10_000 > len(resident):
            resident.append(_resident_mb())
        if seen >= most:
            break
    seconds, busy = time.perf_counter() - started, time.process_time() - cpu
    gets = len(requests)
    result: dict[str, Any] = {
        "side": options.side, "images": seen, "seconds": round(seconds, 1),
        "images_per_second": round(seen / seconds), "images_per_cpu_second": round(seen / busy),
        "manifest_seconds": round(listed, 1), "first_batch_seconds": round(first, 2), "requests": gets,
        "resident_mb_each_10000": resident,
    }  # fmt: skip
    if options.side != "files":
        half = len(images) // BATCH // 2
        again = time.perf_counter()
        plan = training_plan(images, seed=0, epoch=2, batch=BATCH, first=half, rank=0, size=1)
        stream = loader.batches(plan)
        next(stream)
        result["resume_seconds"] = round(time.perf_counter() - again, 2)
        result["resume_requests"] = len(requests) - gets
        stream.close()  # pyright: ignore
    print(json.dumps(result), flush=True)


def _ranges(folder: Path, *, port: int, requests: list[int]) -> Any:
    from bintrain.data.storage import Stamp

    class Ranges:
        """A shard by HTTP ranges, one request a read, as a client of S3 reads."""

        def __init__(self, path: Path) -> None:
            self._name = f"/{path.relative_to(folder).as_posix()}"
            self._connection = http.client.HTTPConnection("127.0.0.1", port)
            self._size = -1

        def stamp(self) -> Any:
            if self._size < 0:
                self._ask(0, memoryview(bytearray(1)))
            return Stamp(self._size, 0)

        def read_into(self, buffer: memoryview, offset: int) -> int:
            return self._ask(offset, buffer)

        def _ask(self, offset: int, buffer: memoryview) -> int:
            requests.append(offset)
            self._connection.request(
                "GET", self._name, headers={"Range": f"bytes={offset}-{offset + len(buffer) - 1}"}
            )
            response = self._connection.getresponse()
            self._size, got = int(response.headers["X-Size"]), 0
            while read := response.readinto(buffer[got:]):
                got += read
            return got

        def close(self) -> None:
            self._connection.close()

    return Ranges


def _resident_mb() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20


if __name__ == "__main__":
    main()
