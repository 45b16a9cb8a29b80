"""What only a GPU can show of training: run it on a machine with one; without one it says so and ends.

    python benchmarks/training_gpu.py [--arch resnet50] [--size 224] [--batch 64] [--seconds 20]

Both sides train all layers of the same network on the same random images in memory:

seed      torchvision's network as it comes, FP32, SGD, images as float32 tensors from pageable memory
ours      the job's own step (augmentation on the GPU, soft labels, AdamW, clipping, average of weights,
          channels_last, pinned batches made ready ahead) in FP32, in bf16 or fp16 (what `--amp auto` takes),
          and that with torch.compile

For each: images a second, the seconds until the first 50 steps are done (compilation), and how much of the
time the GPU was busy (nvidia-smi's utilisation, sampled each 0.2 s while it ran). This was written on a
machine without a GPU and has not been run on one.
"""

import argparse
import itertools
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "training")]

import torch  # noqa: E402
import torchvision  # noqa: E402
from torch import nn  # noqa: E402

from bintrain.data.classes import Classes  # noqa: E402
from bintrain.data.images import Images  # noqa: E402
from bintrain.engine.distributed import Processes  # noqa: E402
from bintrain.engine.network import build_network  # noqa: E402
from bintrain.engine.trainer import Trainer  # noqa: E402
from bintrain.settings import Machine, Settings  # noqa: E402

CLASSES = Classes(counts=(1, 2, 3, 4, 5), open_top=False)
STEPS = 50
"""Steps of a call of `ours`: one epoch of so many batches."""


def main() -> None:
    """Print the table, or why there is none."""
    options = _parse()
    if not torch.cuda.is_available():
        raise SystemExit("error: no GPU that torch can use here; run this on a GPU instance (ml.g5.xlarge)")
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}\n")
    print("| side | images/s | first steps, s | GPU busy |")
    print("|---|---|---|---|")
    ways: dict[str, Callable[[], Callable[[], int]]] = {
        "seed, FP32": lambda: _seed(options),
        "ours, FP32": lambda: _ours(options, Machine(amp="none")),
        "ours, amp": lambda: _ours(options, Machine()),
        "ours, amp, compiled": lambda: _ours(options, Machine(compile=True)),
    }
    rates = [_measure(name, way(), seconds=options.seconds) for name, way in ways.items()]
    print(f"\nours (amp) / seed = {rates[2] / rates[0]:.2f}, compiled / not = {rates[3] / rates[2]:.2f}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--arch", default="resnet50")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=20)
    return parser.parse_args()


def _measure(name: str, run: Callable[[], int], *, seconds: float) -> float:
    started = time.perf_counter()
    run()
    torch.cuda.synchronize()
    first = time.perf_counter() - started
    images, started = 0, time.perf_counter()
    with _Busy() as busy:
        while time.perf_counter() - started < seconds:
            images += run()
            torch.cuda.synchronize()
        rate = images / (time.perf_counter() - started)
    print(f"| {name} | {rate:.0f} | {first:.1f} | {busy.share:.0f} % |")
    return rate


def _seed(options: argparse.Namespace) -> Callable[[], int]:
    network = torchvision.models.get_model(options.arch, weights=None)
    network.fc = nn.Linear(network.fc.in_features, len(CLASSES.counts))
    network.cuda().train()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01)
    pixels = torch.rand(options.batch, 3, options.size, options.size)
    labels = torch.randint(0, len(CLASSES.counts), (options.batch,))

    def run() -> int:
        for _ in range(STEPS):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(pixels.cuda()), labels.cuda()).backward()
            optimiser.step()
        return STEPS * options.batch

    return run


def _ours(options: argparse.Namespace, machine: Machine) -> Callable[[], int]:
    settings = Settings(
        arch=options.arch, image_size=options.size, pretrained="none", batch_size=options.batch
    )
    images = Images([], classes=CLASSES, size=options.size, keep=False)
    images.labels = torch.randint(0, len(CLASSES.counts), (STEPS * options.batch,)).tolist()
    images.kept = torch.randint(0, 255, (len(images), options.size, options.size, 3), dtype=torch.uint8)
    trainer = Trainer(
        network=build_network(settings=settings, classes=len(CLASSES.counts), weights=None),
        classes=CLASSES, settings=settings, machine=machine,
        processes=Processes(rank=0, size=1, device=torch.device("cuda")),
        train=images, validation=images, checkpoints=None, identity={},
    )  # fmt: skip
    epochs = itertools.count(1)

    def run() -> int:
        trainer.train_epoch(next(epochs))
        return len(images)

    return run


class _Busy:
    """`share`: percent of the time in which the GPU computed, while this was open."""

    def __enter__(self) -> "_Busy":
        self._samples: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def share(self) -> float:
        return statistics.mean(self._samples) if self._samples else float("nan")

    def _sample(self) -> None:
        command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0"]
        while not self._ended.wait(0.2):
            found = subprocess.run(command, capture_output=True, text=True, check=True)
            self._samples.append(float(found.stdout))


if __name__ == "__main__":
    main()
