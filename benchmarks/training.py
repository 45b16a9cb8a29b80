"""What the training job costs and what it learns, on this machine, both sides of each ratio in one run.

    python benchmarks/training.py [pipeline] [step] [overhead] [learns] [--bins ../shared/bins]

pipeline  Images a second on one core, from original JPEGs (a folder in the public bucket's layout) to float,
          normalised batches at 224 px: torchvision's ImageFolder with PIL transforms in a DataLoader, as the
          seed project wrote it, against the job's Feed, from files of original size and from shards whose
          images are stored with a short side of 256 px: one pass to floats, one to the bytes that a GPU gets
          (which it turns into floats itself), and the mean over the default number of epochs, of which the
          job decodes in the first alone where the images fit in memory. Without the
          job's augmentation, which is done on the device that trains, in whole batches; what it costs where
          that is the CPU stands beside it.
step      Images a second of whole training steps on the CPU, ResNet50, 224 px, batch 16: the seed's loop
          (torchvision's network as it comes, FP32, cross entropy, SGD) against the job's own step
          (augmentation, soft labels, AdamW, clipping, average of weights) in FP32 and in bf16, with the head
          alone trained (what the seed trains) and with all layers. Each side runs in a process of its own
          (training_step.py), so that neither has the other's settings.
overhead  Seconds of the job besides its epochs on 2,000 generated bins, by phase, ResNet50 at 224 px.
learns    From scratch on 2,000 generated bins (1 to 5 objects, 96 px): accuracy on unseen ones, and minutes.

Without a name all four are run. Both sides of a ratio take turns, and the median of the turns counts. Run it
on an idle machine.
"""

import argparse
import contextlib
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "training")]

import bintrain  # noqa: E402, F401, I001  (first: it tells OpenMP, and so both sides, not to spin)
import torch  # noqa: E402
import torchvision  # noqa: E402
from torch import Tensor  # noqa: E402
from torchvision import transforms  # noqa: E402

from bintrain.augment import augment  # noqa: E402
from bintrain.classes import Classes  # noqa: E402
from bintrain.dataset import Dataset, read_dataset  # noqa: E402
from bintrain.feed import Feed  # noqa: E402
from bintrain.images import Images  # noqa: E402
from bintrain.network import MEAN, STD  # noqa: E402
from bintrain.sampling import training_plan  # noqa: E402
from training_step import BATCH, SIDES, SIZE  # noqa: E402

PARTS = ("pipeline", "step", "overhead", "learns")
IMAGES = 480
TURNS = 3
STEP_TURNS = 3
STEPS_A_TURN = 4
EPOCHS = 12
"""The job's default."""
GENERATED = 2600
TRAINED_ON = 2000
LEARNING = {
    "arch": "resnet18",
    "image-size": "96",
    "epochs": "16",
    "batch-size": "32",
    "learning-rate": "0.003",
}
MINUTES = 15


def main() -> None:
    """Run the chosen parts and print their tables."""
    options = _parse()
    torch.use_deterministic_algorithms(True, warn_only=True)  # as the job does, for both sides
    torch.utils.deterministic.fill_uninitialized_memory = False
    print(f"{os.cpu_count()} CPUs, torch {torch.__version__}, {torch.get_num_threads()} threads\n")
    with tempfile.TemporaryDirectory(prefix="bincount-") as scratch:
        for part in options.parts or PARTS:
            {"pipeline": pipeline, "step": step, "overhead": overhead, "learns": learns}[part](
                options, Path(scratch)
            )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=PARTS)
    parser.add_argument("--bins", type=Path, default=ROOT.parent / "shared" / "bins")
    return parser.parse_args()


# ---- input pipeline


def pipeline(options: argparse.Namespace, scratch: Path) -> None:
    """Three ways to a batch."""
    torch.set_num_threads(1)
    original = _prepare(options.bins, scratch / "original")
    small = _prepare(options.bins, scratch / "small", "--layout", "shards", "--short-side", "256")
    ways: dict[str, Callable[[], Iterator[Tensor]]] = {
        "seed: ImageFolder, PIL": lambda: _image_folder(original),
        "ours: original files": lambda: _fed(original),
        "ours: shards at 256 px": lambda: _fed(small),
        "ours: original files, bytes for a GPU": lambda: _fed(original, floats=False),
        "ours: shards at 256 px, bytes for a GPU": lambda: _fed(small, floats=False),
        f"ours: original files, {EPOCHS} epochs": lambda: _fed(original, epochs=EPOCHS),
        f"ours: shards at 256 px, {EPOCHS} epochs": lambda: _fed(small, epochs=EPOCHS),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    with _one_core():
        for _ in range(TURNS):
            for name, way in ways.items():
                images, wall, busy = _consume(way())
                rates[name].append(images / wall)
                cpu[name].append(images / busy)
        extra = _augmentation_milliseconds()
    print("| one core, 224 px | images/s | images per CPU second | to the seed's |")
    print("|---|---|---|---|")
    base = statistics.median(cpu["seed: ImageFolder, PIL"])
    for name in ways:
        rate, busy = statistics.median(rates[name]), statistics.median(cpu[name])
        print(f"| {name} | {rate:.0f} | {busy:.0f} | {busy / base:.2f} |")
    print(f"\naugmentation, where the CPU trains: {extra:.2f} ms an image more\n")
    torch.set_num_threads(os.cpu_count() or 1)


def _prepare(bins: Path, target: Path, *flags: str) -> Path:
    """A sealed dataset of the bins; its folder."""
    command = [sys.executable, "-m", "data_prep", "--source", str(bins), "--target", str(target),
               "--file-list", str(bins / "file_list.json"), "--quiet", *flags]  # fmt: skip
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return next((target / "datasets").iterdir())


def _image_folder(dataset: Path) -> Iterator[Tensor]:
    normalise = transforms.Normalize(MEAN, STD)
    ways = transforms.Compose([transforms.Resize((SIZE, SIZE)), transforms.ToTensor(), normalise])
    folder = torchvision.datasets.ImageFolder(str(dataset / "train"), transform=ways)
    some = torch.utils.data.Subset(folder, torch.randperm(len(folder))[:IMAGES].tolist())
    loader = torch.utils.data.DataLoader(some, batch_size=BATCH, shuffle=True, drop_last=True)
    return (pixels for pixels, _ in loader)


def _fed(folder: Path, *, epochs: int = 1, floats: bool = True) -> Iterator[Tensor]:
    """One pass from storage; or so many as the job makes them where images fit in memory: decoded once."""
    dataset = read_dataset(folder)
    images = Images(dataset.part("train")[:IMAGES], classes=_classes(dataset), size=SIZE, keep=epochs > 1)
    # A row of pixels is a long vector; three channels at a time would take four times as long.
    scale, shift = (torch.tensor(values).repeat(SIZE) for values in _FACTORS)
    for epoch in range(1, epochs + 1):
        plan = training_plan(images, seed=0, epoch=epoch, batch=BATCH, first=0, rank=0, size=1)
        for batch in Feed(images, threads=1, pin=False).batches(plan):
            if not floats:
                yield batch.pixels
                continue
            yield _normalised(batch.pixels, scale=scale, shift=shift)


_FACTORS = ([1 / (255 * std) for std in STD], [-mean / std for mean, std in zip(MEAN, STD, strict=True)])
"""Scale and shift that take a byte of each channel to the normalised float."""


def _normalised(pixels: Tensor, *, scale: Tensor, shift: Tensor) -> Tensor:
    """uint8 [n, SIZE, SIZE, 3] -> float [n, 3, SIZE, SIZE], what `ToTensor` and `Normalize` give."""
    rows = pixels.view(-1, SIZE * 3).float().mul_(scale).add_(shift)
    return rows.view(pixels.shape).permute(0, 3, 1, 2)


def _consume(batches: Iterator[Tensor]) -> tuple[int, float, float]:
    wall, busy, images = time.perf_counter(), time.process_time(), 0
    for batch in batches:
        images += len(batch)
    return images, time.perf_counter() - wall, time.process_time() - busy


def _augmentation_milliseconds() -> float:
    images, generator = torch.rand(BATCH, 3, SIZE, SIZE), torch.Generator().manual_seed(0)
    times = []
    for _ in range(TURNS):
        started = time.perf_counter()
        augment(images, generator=generator)
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times) / BATCH


class _one_core:
    """All threads of this process on one CPU meanwhile."""

    def __enter__(self) -> None:
        self._before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(self._before)})

    def __exit__(self, *_: object) -> None:
        os.sched_setaffinity(0, self._before)


def _classes(dataset: Dataset) -> Classes:
    return Classes(counts=tuple(sorted({image.count for image in dataset.images})), open_top=False)


# ---- training step


def step(options: argparse.Namespace, scratch: Path) -> None:
    """The seed's step and ours, with the same layers trained."""
    print("| CPU, ResNet50, 224 px, batch 16 | images/s | to the seed's | CPU time | page faults a step |")
    print("|---|---|---|---|---|")
    for name, flags in (("head alone trained", ["--frozen"]), ("all layers trained", [])):
        spent = _take_turns(flags)
        walls, cpu, faults = (
            {side: statistics.median(turn[what] for turn in turns) for side, turns in spent.items()}
            for what in ("wall", "cpu", "faults")
        )
        for side in spent:
            print(
                f"| {name}: {side} | {BATCH / walls[side]:.2f} | {walls['seed'] / walls[side]:.2f} "
                f"| {cpu['seed'] / cpu[side]:.2f} | {faults[side]:,.0f} |"
            )
    print()


def _take_turns(flags: list[str]) -> dict[str, list[dict[str, float]]]:
    """What each step of each side cost. The sides take turns of several steps.

    The first step of a turn is not counted: while the others had theirs, the memory that this side had freed
    went back to the host of this machine, and is slow to get again. Alone, nobody pays that.
    """
    spent: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    with contextlib.ExitStack() as running:
        processes = {side: running.enter_context(_one_side(side, flags)) for side in SIDES}
        for _ in range(STEP_TURNS):
            for side, process in processes.items():
                spent[side] += [_ask(process) for _ in range(STEPS_A_TURN)][1:]
    return spent


def _one_side(side: str, flags: list[str]) -> subprocess.Popen[str]:
    script = str(ROOT / "benchmarks" / "training_step.py")
    return subprocess.Popen(
        [sys.executable, script, side, *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _ask(process: subprocess.Popen[str]) -> dict[str, float]:
    assert process.stdin and process.stdout
    process.stdin.write("\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise SystemExit(f"error: {process.args} ended with {process.wait()}")
    return json.loads(answer)


# ---- the job as a whole


def overhead(options: argparse.Namespace, scratch: Path) -> None:
    """Seconds of each phase of a job of one epoch, from the times of its log lines."""
    dataset = _generated(scratch)
    flags = {"arch": "resnet50", "image-size": "224", "epochs": "1", "batch-size": "16",
             "freeze-backbone": "True"}  # fmt: skip
    lines, model = _job(dataset, scratch / "overhead", flags)
    found = {name: _when(lines, pattern) for name, pattern in MARKS.items()}
    epoch = len(read_dataset(dataset).part("train")) / _metric(lines, "train:images_per_second")
    phases = {
        "start (Python, torch, flags)": found["read"],
        "decode 2,600 images into memory": found["trains"] - found["read"],
        "judge select once (FP32, torch), checkpoint": found["best"] - found["trains"] - epoch,
        "convert, quantise, judge FP32 and INT8 on select": found["chosen"] - found["best"],
        "judge report, calibrate, pictures, papers": lines[-1][0] - found["chosen"],
    }
    print(f"| phase, ResNet50 at 224 px, {len(read_dataset(dataset).images):,} images | seconds |")
    print("|---|---|")
    for name, seconds in phases.items():
        print(f"| {name} | {seconds:.1f} |")
    print(f"| all of it besides the epoch's steps ({epoch:.0f} s) | {lines[-1][0] - epoch:.1f} |")
    print(f"\n{model['precision']} shipped\n")


MARKS = {"read": "dataset ", "trains": "images are ready", "best": "best epoch", "chosen": "INT8 against"}
"""Phase -> the beginning of the log line that ends it."""


def learns(options: argparse.Namespace, scratch: Path) -> None:
    """Accuracy on unseen bins after training from nothing."""
    lines, model = _job(_generated(scratch), scratch / "learned", LEARNING)
    report, minutes = model["metrics"]["report"], lines[-1][0] / 60
    print(f"from scratch on {TRAINED_ON:,} generated bins, {json.dumps(LEARNING)}:")
    print(f"accuracy on {report['images']} unseen ones {100 * report['accuracy']:.1f} %, RMSE "
          f"{report['rmse']:.3f}, always the commonest count {100 * report['majority_accuracy']:.1f} %, "
          f"{model['precision']}, {minutes:.1f} minutes ({MINUTES} allowed)\n")  # fmt: skip


def _generated(scratch: Path) -> Path:
    """A dataset of generated bins with exactly TRAINED_ON to train on."""
    bins, target = scratch / "bins", scratch / "generated"
    if not target.exists():
        command = [sys.executable, "-m", "local.bins", "--out", str(bins), "--images", str(GENERATED)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        _keep_only(_prepare(bins, target, "--validation-share", "0.2"), train=TRAINED_ON)
    return next((target / "datasets").iterdir())


def _keep_only(dataset: Path, *, train: int) -> None:
    path, kept = dataset / "manifest.jsonl.gz", []
    with gzip.open(path, "rt", encoding="utf-8") as manifest:
        for line in manifest:
            if json.loads(line)["split"] == "train":
                train -= 1
            if train >= 0 or json.loads(line)["split"] == "val":
                kept.append(line)
    if train > 0:
        raise SystemExit(f"error: {train} training images too few; raise GENERATED")
    with gzip.open(path, "wt", encoding="utf-8") as manifest:
        manifest.writelines(kept)


def _job(dataset: Path, out: Path, flags: dict[str, str]) -> tuple[list[tuple[float, str]], dict[str, Any]]:
    """The job's log lines with their seconds since its start, the end of it as the last, and model.json."""
    places = {"dataset": dataset, "model-dir": out / "model", "output-dir": out / "output",
              "checkpoint-dir": out / "checkpoints", "pretrained": "none"}  # fmt: skip
    words = [str(word) for name, value in (places | flags).items() for word in (f"--{name}", value)]
    started = time.monotonic()
    command = [sys.executable, "-u", str(ROOT / "training" / "train.py"), *words]
    lines: list[tuple[float, str]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append((time.monotonic() - started, line.rstrip("\n")))
    if process.returncode:
        raise SystemExit(f"error: the job failed with exit code {process.returncode}")
    lines.append((time.monotonic() - started, ""))
    return lines, json.loads((out / "model" / "model.json").read_text(encoding="utf-8"))


def _when(lines: list[tuple[float, str]], beginning: str) -> float:
    return next(seconds for seconds, line in lines if line.startswith(beginning))


def _metric(lines: list[tuple[float, str]], name: str) -> float:
    return next(float(line.split("value=")[1].split()[0]) for _, line in lines if f"metric={name} " in line)


if __name__ == "__main__":
    main()
