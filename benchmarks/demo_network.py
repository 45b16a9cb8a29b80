"""Which network `make demo` should train: jobs with the demo's own bins, what they reach and what they cost.

    OMP_NUM_THREADS=1 python benchmarks/demo_network.py --work DIR [--recipes NAME ...] [--seeds 0 1 2]

Draws the demo's bins and prepares them as the command line does, then runs training/train.py for each recipe
and seed. `resnet18` is what the demo trained before. An exported model is judged as it serves, on bins of
another seed (the demo's own are the first 200 of them). CPU seconds are those of the whole job: start,
training, export, evaluation. What is in DIR is not done again. Rows are means over the seeds; printed with
them is the paired difference to `resnet18` and the range that holds 95 % of 10,000 bootstraps over the bins.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "core"), str(ROOT)]

from demo.bins.generate import generate  # noqa: E402
from demo.source import COUNTS, SEED, UNSEEN_SEED, make_bins, read_bin  # noqa: E402
from demo.weights import WeightsMirror  # noqa: E402
from inference.inference import Model, input_fn, model_fn, output_fn, predict_fn  # noqa: E402

BASE = "resnet18"
TRIAL = "--max-count 5"
FROZEN = (
    "--arch efficientnet_lite0 --freeze-backbone True --frozen-views 2 --epochs 40 --batch-size 16 "
    "--learning-rate 0.001317 --int8-images 100"
)
LITE = "--arch efficientnet_lite0 --batch-size 16"
RECIPES = {
    BASE: "--arch resnet18 --image-size 64 --epochs 5 --learning-rate 0.001317 --batch-size 16",
    "head-224": f"{FROZEN} --image-size 224",
    "head-160": f"{FROZEN} --image-size 160",
    "uncached-128": f"{LITE} --image-size 128 --epochs 4 --learning-rate 0.003 --freeze-backbone True",
    "all-96": f"{LITE} --image-size 96 --epochs 3 --learning-rate 0.001317",
    "all-128": f"{LITE} --image-size 128 --epochs 2 --learning-rate 0.001317",
}
TURNS = 10_000
Integers = NDArray[np.int64]


def main() -> None:
    """Do what is missing and print all."""
    options = _parse()
    work: Path = options.work
    bins, unseen, counts = _bins(work, options)
    _weights(work / "weights")
    command = [sys.executable, "-m", "data_prep", "--source", str(bins), "--target", str(work / "data")]
    subprocess.run([*command, "--counts", f"{counts[0]}-{counts[-1]}", "--quiet"], check=True, cwd=ROOT)
    (dataset,) = (path.parent for path in (work / "data" / "datasets").glob("*/dataset.json"))
    print("| recipe | accuracy | RMSE | within one | precision | CPU s | each seed |")
    print("|---|---|---|---|---|---|---|")
    for name in options.recipes:
        for seed in options.seeds:
            row = _row(work, name, seed)
            if not row.is_file():
                found = _job(f"{RECIPES[name]} --seed {seed}", dataset=dataset, work=work)
                errors = _errors(work / "model", unseen)
                row.write_text(json.dumps({**found, "errors": errors.tolist()}))
        _show(name, work=work, seeds=options.seeds)


def _row(work: Path, name: str, seed: int) -> Path:
    return work / f"{name}-{seed}.json"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--journeys", action="store_true", help="tidy bins, as tests/e2e draws them")
    parser.add_argument("--images", type=int, help="default: 900 as the demo draws, 300 as the journeys")
    parser.add_argument("--judged", type=int, default=600)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    return parser.parse_args()


def _bins(work: Path, options: argparse.Namespace) -> tuple[Path, Path, range]:
    if not options.journeys:
        bins = make_bins(work / "bins", images=options.images or 900, seed=SEED)
        return bins, make_bins(work / "unseen", images=options.judged, seed=UNSEEN_SEED), COUNTS
    counts, drawn = range(0, 6), {"bins": (options.images or 300, 3), "unseen": (options.judged, 7)}
    for name, (images, seed) in drawn.items():
        if not (work / name).is_dir():
            generate(out=work / name, images=images, seed=seed, counts=counts, tidy=True)
    return work / "bins", work / "unseen", counts


def _weights(channel: Path) -> None:
    """ResNet18's file as the demo stages it, untrained; Lite0's comes from its installed package."""
    channel.mkdir(parents=True, exist_ok=True)
    with WeightsMirror(ROOT / "build" / "weights", arch="resnet18"):
        (made,) = (ROOT / "build" / "weights").glob("resnet18-*.pth")
        shutil.copy(made, channel / "resnet18.pth")


def _job(flags: str, *, dataset: Path, work: Path) -> dict[str, Any]:
    for folder in ("model", "output"):
        shutil.rmtree(work / folder, ignore_errors=True)
    places = {"dataset": dataset, "model-dir": work / "model", "output-dir": work / "output"}
    command = [sys.executable, str(ROOT / "training" / "train.py"), *flags.split(), *TRIAL.split()]
    command += [word for name, path in places.items() for word in (f"--{name}", str(path))]
    before = _cpu_of_children()
    subprocess.run([*command, "--weights", str(work / "weights"), "--workers", "1"], check=True)
    model = json.loads((work / "model" / "model.json").read_text())
    return {"cpu_seconds": round(_cpu_of_children() - before, 1), "precision": model["precision"]}


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _errors(folder: Path, unseen: Path) -> Integers:
    model = model_fn(folder, cpus=1)
    ids = sorted(path.stem for path in unseen.glob("bin-images/*.jpg"))
    bins = [read_bin(unseen, identity) for identity in ids]
    return np.array([_answer(model, each.jpeg) - each.count for each in bins])


def _answer(model: Model, jpeg: bytes) -> int:
    body, _ = output_fn(predict_fn(input_fn(jpeg, "image/jpeg"), model), "text/plain")
    return int(body)


def _show(name: str, *, work: Path, seeds: list[int]) -> None:
    rows = [json.loads(_row(work, name, seed).read_text()) for seed in seeds]
    errors = np.array([row["errors"] for row in rows])  # [seeds, bins]
    each = ", ".join(f"{_accuracy(one):.1%} / {_rmse(one):.3f}" for one in errors)
    seconds = [row["cpu_seconds"] for row in rows]
    precisions = " ".join(row["precision"] for row in rows)
    print(
        f"| `{name}` | {_accuracy(errors):.1%} | {_rmse(errors):.3f} | {(np.abs(errors) <= 1).mean():.1%} "
        f"| {precisions} | {np.mean(seconds):.0f} ({min(seconds):.0f} to {max(seconds):.0f}) | {each} |",
        flush=True,
    )
    if name == BASE or not all(_row(work, BASE, seed).is_file() for seed in seeds):
        return
    other = np.array([json.loads(_row(work, BASE, seed).read_text())["errors"] for seed in seeds])
    drawn = np.random.default_rng(0).integers(errors.shape[1], size=(TURNS, errors.shape[1]))
    for title, figure in (("accuracy", _accuracy), ("RMSE", _rmse)):
        turns = [figure(errors[:, turn]) - figure(other[:, turn]) for turn in drawn]
        low, high = np.quantile(turns, (0.025, 0.975))
        print(f"  {title} {figure(errors) - figure(other):+.3f} ({low:+.3f} to {high:+.3f})", flush=True)


def _accuracy(errors: Integers) -> float:
    return float((errors == 0).mean())


def _rmse(errors: Integers) -> float:
    """Of each seed by itself, then their mean."""
    return float(np.sqrt((np.atleast_2d(errors).astype(float) ** 2).mean(axis=1)).mean())


if __name__ == "__main__":
    main()
