"""Which network `make demo` should train: jobs with the demo's own bins, what they reach and what they cost.

    OMP_NUM_THREADS=1 python benchmarks/demo_network.py --work DIR [--recipes today head-128 ...]

Draws the demo's bins and prepares them as the command line does, then runs training/train.py for each recipe.
`today` is the first trial that the embedded cloud draws for the demo. An exported model is judged as it
serves, on bins of another seed (the demo's own are the first 200 of them). CPU seconds are those of the whole
job: start, training, export, evaluation. What is in DIR is not done again. Rows are printed with their paired
differences to `today` and the range that holds 95 % of 10,000 bootstraps over the bins.
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

from demo.source import COUNTS, SEED, UNSEEN_SEED, make_bins, read_bin  # noqa: E402
from demo.weights import WeightsMirror  # noqa: E402
from inference.inference import Model, input_fn, model_fn, output_fn, predict_fn  # noqa: E402

TODAY = "today"
TRIAL = "--batch-size 16 --max-count 5"
LITE = "--arch efficientnet_lite0"
RECIPES = {
    TODAY: "--arch resnet18 --image-size 64 --epochs 5 --learning-rate 0.001317",
    "head-128": f"{LITE} --image-size 128 --epochs 4 --learning-rate 0.003 --freeze-backbone True",
    "head-224": f"{LITE} --image-size 224 --epochs 2 --learning-rate 0.003 --freeze-backbone True",
    "all-96": f"{LITE} --image-size 96 --epochs 3 --learning-rate 0.001317",
    "all-128": f"{LITE} --image-size 128 --epochs 2 --learning-rate 0.001317",
}
TURNS = 10_000
Integers = NDArray[np.int64]


def main() -> None:
    """Do what is missing and print all."""
    options = _parse()
    work: Path = options.work
    bins = make_bins(work / "bins", images=options.images, seed=SEED)
    unseen = make_bins(work / "unseen", images=options.judged, seed=UNSEEN_SEED)
    _weights(work / "weights")
    command = [sys.executable, "-m", "data_prep", "--source", str(bins), "--target", str(work / "data")]
    counts = f"{COUNTS[0]}-{COUNTS[-1]}"
    subprocess.run([*command, "--counts", counts, "--quiet"], check=True, cwd=ROOT)
    (dataset,) = (path.parent for path in (work / "data" / "datasets").glob("*/dataset.json"))
    print("| recipe | accuracy | RMSE | within one | precision | CPU s |\n|---|---|---|---|---|---|")
    for name in options.recipes:
        row = work / f"{name}.json"
        if not row.is_file():
            found = _job(RECIPES[name], dataset=dataset, work=work)
            errors = _errors(work / "model", unseen)
            row.write_text(json.dumps({**found, "errors": errors.tolist()}))
        _show(name, work=work)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--images", type=int, default=900, help="as the demo draws")
    parser.add_argument("--judged", type=int, default=600)
    return parser.parse_args()


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


def _show(name: str, *, work: Path) -> None:
    row = json.loads((work / f"{name}.json").read_text())
    errors, base = np.array(row["errors"]), work / f"{TODAY}.json"
    figures = (_accuracy(errors), _rmse(errors), float((np.abs(errors) <= 1).mean()))
    print(
        f"| `{name}` | {figures[0]:.1%} | {figures[1]:.3f} | {figures[2]:.1%} | {row['precision']} "
        f"| {row['cpu_seconds']:.0f} |"
    )
    if name == TODAY or not base.is_file():
        return
    other = np.array(json.loads(base.read_text())["errors"])
    drawn = np.random.default_rng(0).integers(len(errors), size=(TURNS, len(errors)))
    for title, figure in (("accuracy", _accuracy), ("RMSE", _rmse)):
        turns = [figure(errors[turn]) - figure(other[turn]) for turn in drawn]
        low, high = np.quantile(turns, (0.025, 0.975))
        print(f"  {title} {figure(errors) - figure(other):+.3f} ({low:+.3f} to {high:+.3f})", file=sys.stderr)


def _accuracy(errors: Integers) -> float:
    return float((errors == 0).mean())


def _rmse(errors: Integers) -> float:
    return float(np.sqrt((errors.astype(float) ** 2).mean()))


if __name__ == "__main__":
    main()
