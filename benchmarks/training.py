"""What the training job costs and what it learns, on this machine, both sides of each ratio in one run.

    python benchmarks/training.py [pipeline] [step] [overhead] [learns] [--bins ../shared/bins]

pipeline  Images per CPU second on one core, from original JPEGs (a folder in the public bucket's layout) to
          batches at 224 px: torchvision's ImageFolder with PIL transforms in a DataLoader, as the seed
          project wrote it, against the job's own, from files of original size and from shards whose images
          are stored at 256 px: one pass to the bytes that the job hands to the device that trains, which
          makes floats of them in its step; one to normalised floats as the seed's; and the mean over the
          default number of epochs, of which the job decodes in the first alone where the images fit in
          memory. Without the job's augmentation, which is done on the device that trains, in whole batches;
          what it costs where that is the CPU is beside it. Each way runs in a process of its own
          (training_pipeline.py), so that neither side has the other's settings.
step      Images a second of whole training steps on the CPU, ResNet50, 224 px, batch 16: the seed's loop
          (torchvision's network as it comes, FP32, cross entropy, SGD) against the job's own step
          (augmentation, soft labels, AdamW, clipping, average of weights) in FP32 and in bf16, with the head
          alone trained (what the seed trains) and with all layers. Each side runs in a process of its own
          (training_step.py), so that neither has the other's settings.
overhead  Seconds of the job besides its epochs on 2,000 generated bins, by phase, ResNet50 at 224 px.
learns    From scratch on 2,000 generated bins (1 to 5 objects, 96 px): accuracy on unseen ones, and minutes.

Without a name all four are run. Both sides of a ratio take turns, and the median of the turns counts (in the
pipeline, of each turn's own ratio: a virtual machine's neighbours come and go within a minute). Run it on an
idle machine.
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
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "training")]

import bintrain  # noqa: E402, F401, I001  (first: it keeps OpenMP, and so both sides, from spinning)
import torch  # noqa: E402

from bintrain.data.augment import augment  # noqa: E402
from bintrain.data.dataset import read_dataset  # noqa: E402
from training_pipeline import EPOCHS  # noqa: E402
from training_step import BATCH, SIDES, SIZE  # noqa: E402

PARTS = ("pipeline", "step", "overhead", "learns")
TURNS = 11
STEP_TURNS = 3
STEPS_A_TURN = 4
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
    """The seed's way to a batch, and ours from three kinds of storage."""
    original = _prepare(options.bins, scratch / "original")
    shards = ("--layout", "shards", "--short-side", "256")
    small = _prepare(options.bins, scratch / "small", *shards)
    square = _prepare(options.bins, scratch / "square", *shards, "--square")
    ways = {}
    for way, name in OURS.items():
        ways |= {
            f"ours: original files, {name}": (way, original),
            f"ours: shards with short sides of 256 px, {name}": (way, small),
            f"ours: shards of 256 x 256 px, {name}": (way, square),
        }
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    with contextlib.ExitStack() as running:
        seed = running.enter_context(_child("training_pipeline.py", "seed", str(original)))
        processes = {
            name: running.enter_context(_child("training_pipeline.py", way, str(dataset)))
            for name, (way, dataset) in ways.items()
        }
        for turn in range(TURNS + 1):
            for name, process in processes.items():
                pair = _seconds_an_image(seed), _seconds_an_image(process)
                if turn:  # the first fills caches and imports what it needs
                    spent[name].append(pair)
    print("| one core, 224 px | images per CPU second | the seed's, in turn | ratio | best turns |")
    print("|---|---|---|---|---|")
    for name, pairs in spent.items():
        theirs, ours = ([pair[side] for pair in pairs] for side in (0, 1))
        ratio = statistics.median(their / our for their, our in pairs)
        best = min(theirs) / min(ours)
        rates = f"{1 / statistics.median(ours):.0f} | {1 / statistics.median(theirs):.0f}"
        print(f"| {name} | {rates} | {ratio:.2f} | {best:.2f} |")
    print(f"\naugmentation, where the CPU trains: {_augmentation_milliseconds():.2f} ms an image more\n")


def _seconds_an_image(process: subprocess.Popen[str]) -> float:
    answer = _ask(process)
    return answer["cpu"] / answer["images"]


OURS = {
    "bytes": "bytes for the device that trains",
    "floats": "floats",
    "job": f"floats, {EPOCHS} epochs",
}
"""The ways of training_pipeline.py besides the seed's."""


def _prepare(bins: Path, target: Path, *flags: str) -> Path:
    """A sealed dataset of the bins; its folder."""
    command = [sys.executable, "-m", "data_prep", "--source", str(bins), "--target", str(target),
               "--file-list", str(bins / "file_list.json"), "--quiet", *flags]  # fmt: skip
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return next((target / "datasets").iterdir())


def _augmentation_milliseconds() -> float:
    images, generator = torch.rand(BATCH, 3, SIZE, SIZE), torch.Generator().manual_seed(0)
    times = []
    for _ in range(TURNS):
        started = time.process_time()
        augment(images, generator=generator)
        times.append(time.process_time() - started)
    return 1000 * statistics.median(times) / BATCH


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
        processes = {side: running.enter_context(_child("training_step.py", side, *flags)) for side in SIDES}
        for _ in range(STEP_TURNS):
            for side, process in processes.items():
                spent[side] += [_ask(process) for _ in range(STEPS_A_TURN)][1:]
    return spent


def _child(script: str, *words: str) -> subprocess.Popen[str]:
    """A script of this folder that does its work once for each line it is given."""
    command = [sys.executable, str(ROOT / "benchmarks" / script), *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


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
    epoch = len(read_dataset(dataset).split("train")) / _metric(lines, "train:images_per_second")
    phases = {
        "start (Python, torch, flags)": found["read"],
        "decode 2,600 images into memory": found["trains"] - found["read"],
        "evaluate validation once (FP32, torch), checkpoint": found["best"] - found["trains"] - epoch,
        "convert, quantise, evaluate FP32 and INT8 on validation": found["chosen"] - found["best"],
        "evaluate test, calibrate, charts, report": lines[-1][0] - found["chosen"],
    }
    print(f"| phase, ResNet50 at 224 px, {len(read_dataset(dataset).images):,} images | seconds |")
    print("|---|---|")
    for name, seconds in phases.items():
        print(f"| {name} | {seconds:.1f} |")
    print(f"| all of it besides the epoch's steps ({epoch:.0f} s) | {lines[-1][0] - epoch:.1f} |")
    print(f"\n{model['precision']} shipped\n")


MARKS = {
    "read": "dataset ",
    "trains": "images are ready",
    "best": "best epoch",
    "chosen": "on validation: INT8",
}
"""Phase -> the beginning of the log line that ends it."""


def learns(options: argparse.Namespace, scratch: Path) -> None:
    """Accuracy on unseen bins after training from nothing."""
    lines, model = _job(_generated(scratch), scratch / "learned", LEARNING)
    test, minutes = model["metrics"]["test"], lines[-1][0] / 60
    print(f"from scratch on {TRAINED_ON:,} generated bins, {json.dumps(LEARNING)}:")
    print(f"accuracy on {test['images']} unseen ones {100 * test['accuracy']:.1f} %, RMSE "
          f"{test['rmse']:.3f}, always the commonest count {100 * test['majority_accuracy']:.1f} %, "
          f"{model['precision']}, {minutes:.1f} minutes ({MINUTES} allowed)\n")  # fmt: skip


def _generated(scratch: Path) -> Path:
    """A dataset of generated bins with exactly TRAINED_ON to train on."""
    bins, target = scratch / "bins", scratch / "generated"
    if not target.exists():
        command = [sys.executable, "-m", "demo.bins.generate", "--out", str(bins), "--images", str(GENERATED)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        _keep_only(_prepare(bins, target, "--validation-share", "0.2"), train=TRAINED_ON)
    return next((target / "datasets").iterdir())


def _keep_only(dataset: Path, *, train: int) -> None:
    path, kept = dataset / "manifest.jsonl.gz", []
    with gzip.open(path, "rt", encoding="utf-8") as manifest:
        for line in manifest:
            if json.loads(line)["split"] == "train":
                train -= 1
            if train >= 0 or json.loads(line)["split"] != "train":
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
