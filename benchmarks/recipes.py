"""Which recipe counts real bins better: trainings that differ in one thing, compared on the same images.

    python benchmarks/recipes.py train --dataset DIR [--all DIR] --weights DIR --out OUT \
        --recipes today corn --seeds 0 1 2 [--size 96] [--epochs 8] [--arch efficientnet_lite0] [--threads 1]
    python benchmarks/recipes.py compare --out OUT [--json benchmarks/results/recipes.json]

The page's figures, with bins_224 unpacked in BINS and efficientnet_lite0.pth in WEIGHTS:

    python -m data_prep --source BINS --file-list BINS/file_list.json --validation-share 0.4 --target OUT
    python benchmarks/recipes.py train --dataset OUT/datasets/* --weights WEIGHTS --out OUT/recipes \
        --recipes today zero --seeds 0 1 2 --size 64 --epochs 6
    python benchmarks/recipes.py compare --out OUT/recipes --json benchmarks/results/recipes.json

`train` writes a file for each recipe and seed and skips those that are there, so a run that was stopped goes
on. It trains with the job's own Trainer and judges in FP32, without export: what INT8 costs is another
question. DIR is a sealed dataset with 0 to 5 objects; `--all` one with every count, for the recipes that also
learn from fuller bins (the split of an id is the same in both).

`compare` prints each recipe beside `today`: accuracy, RMSE and the share within one, the mean of the seeds
that both have, and the difference with the range that holds 95 % of 10,000 paired bootstraps over images and
seeds. All are over the images with 0 to 5 objects held out in both parts; epoch and temperature were chosen
on one of them (`validation`), the same way on both sides, so the figures of `test` alone are printed, too,
with each seed's own. They are what `--json` writes: a row for each recipe with its seeds and its difference
from `today`. `by median` answers with the median of the same network's probabilities (`--answer median`),
the others with the most probable count. A recipe's epoch was chosen by its own answers (`answer` in RECIPES).

`today` is what the job did until the figures of benchmarks/README.md were known, whatever it does now.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "core"), str(ROOT / "training")]

import bintrain  # noqa: E402, F401, I001  (first: it tells OpenMP not to spin)
import numpy as np  # noqa: E402
import torch  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from bintrain.data import augment  # noqa: E402
from bintrain.data.classes import choose_classes  # noqa: E402
from bintrain.data.data_loader import DataLoader  # noqa: E402
from bintrain.data.dataset import SPLITS, read_dataset  # noqa: E402
from bintrain.data.images import Images  # noqa: E402
from bintrain.data.sampling import ordered_plan  # noqa: E402
from bintrain.engine.distributed import joined  # noqa: E402
from bintrain.engine.network import BinCounter, build_network  # noqa: E402
from bintrain.engine.trainer import Trainer  # noqa: E402
from bintrain.evaluation.answers import answers  # noqa: E402
from bintrain.evaluation.calibration import fit_temperature  # noqa: E402
from bintrain.settings import Machine, Settings  # noqa: E402

LARGEST = 5
BASE = "today"
FORMER: dict[str, Any] = {
    "start": "library", "learning_rate": 1e-3, "weight_decay": 0.02, "label_sigma": 0.7, "warmup": 0.1,
    "ema_decay": 0.99, "dropout": 0.2, "head": "soft", "answer": "most_probable",
}  # fmt: skip
"""What `today` was. `start` is that of the last layer: the library's random one, or zero."""
RECIPES: dict[str, dict[str, Any]] = {
    BASE: {},
    "zero": {"start": "zero"},
    "hard": {"label_sigma": 0},
    "corn": {"head": "corn"},
    "emd": {"head": "emd"},
    "binomial": {"head": "binomial"},
    "fuller": {"max_count": 8, "all": True},
    "slower": {"learning_rate": 3e-4},
    "slowest": {"learning_rate": 1e-4},
    "longer": {"epochs": 2.0},
    "larger": {"size": 4 / 3},
    "stronger": {"augmentation": 2.0},
    "weaker": {"augmentation": 0.5},
    "unaveraged": {"ema_decay": 0.0},
    "median": {"answer": "median"},
}
"""What differs from `today`, `epochs`, `size` and `augmentation` as factors; a+b is both. `now` is the job's
own defaults."""
NOW = "now"
MEDIAN = " by median"
TURNS = 10_000
ROTATION, SCALE, SHIFT, COLOUR = augment.ROTATION, augment.SCALE, augment.SHIFT, augment.COLOUR

Floats = NDArray[np.float64]
Figure = Callable[[NDArray[np.int64]], float]


def train(options: argparse.Namespace) -> None:
    """Train what is asked for and not there yet; a file of held-out predictions each."""
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    for seed in options.seeds:
        for name in options.recipes:
            path = options.out / f"{name}-{seed}.npz"
            if not path.is_file():
                started, used = time.perf_counter(), time.process_time()
                found = _one(name, seed=seed, options=options)
                np.savez(
                    path,
                    **found,
                    seconds=time.perf_counter() - started,
                    cpu_seconds=time.process_time() - used,
                )


def _one(name: str, *, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    changed = _changes(name)
    folder = options.all if changed.pop("all", False) else options.dataset
    start = changed.pop("start", "zero")
    _set_augmentation(changed.pop("augmentation", 1.0))
    settings = Settings(
        arch=options.arch,
        image_size=round(options.size * changed.pop("size", 1)),
        epochs=round(options.epochs * changed.pop("epochs", 1)),
        batch_size=options.batch,
        seed=seed,
        patience=0,
        **changed,
    )
    torch.manual_seed(seed)  # pyright: ignore[reportUnknownMemberType]
    dataset = read_dataset(folder)
    classes = choose_classes((image.count for image in dataset.split("train")), max_count=settings.max_count)
    images = {
        split: Images(
            dataset.split(split), classes=classes, size=settings.image_size, keep=True, quick=split == "train"
        )
        for split in SPLITS
    }
    network = build_network(settings=settings, classes=len(classes.counts), weights=options.weights)
    if start == "library":
        _start_as_timm(network)
    with joined({}) as processes:
        progress = Trainer(
            network=network, classes=classes, settings=settings, machine=Machine(workers=options.threads),
            processes=processes, train=images["train"], validation=images["validation"], checkpoints=None,
            identity={},
        ).run()  # fmt: skip
    held = [
        (image.id, split, image.count, logits)
        for split in ("validation", "test")
        for image, logits in zip(dataset.split(split), _logits(network, images[split], options), strict=True)
        if image.count <= LARGEST
    ]
    columns = [place for place, count in enumerate(classes.counts) if count <= LARGEST]
    return {
        "id": np.array([row[0] for row in held]),
        "split": np.array([row[1] for row in held]),
        "count": np.array([row[2] for row in held]),
        "probabilities": np.array([_softmax(row[3][columns]) for row in held]),
        "by": settings.answer,
        "best_epoch": progress.best_epoch,
        "arch": settings.arch,
        "image_size": settings.image_size,
        "epochs": settings.epochs,
        "batch_size": settings.batch_size,
        "learnt": len(images["train"]),
    }


def _changes(name: str) -> dict[str, Any]:
    if name == NOW:
        return {}
    return FORMER | {key: value for part in name.split("+") for key, value in RECIPES[part].items()}


def _start_as_timm(network: BinCounter) -> None:
    """The last layer of EfficientNet-Lite as timm starts it, whatever the job does."""
    for name, parameter in network.named_parameters():
        if network.is_head(name) and parameter.ndim > 1:
            torch.nn.init.uniform_(parameter, -(len(parameter) ** -0.5), len(parameter) ** -0.5)


def _set_augmentation(factor: float) -> None:
    """Widen or narrow the ranges of rotation, scale, shift and colour; 1 is what the job does."""
    low, high = SCALE
    augment.ROTATION, augment.SHIFT, augment.COLOUR = (value * factor for value in (ROTATION, SHIFT, COLOUR))
    augment.SCALE = (1 - (1 - low) * factor, 1 + (high - 1) * factor)


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def _logits(network: BinCounter, images: Images, options: argparse.Namespace) -> Floats:
    network.eval()
    feed, found = DataLoader(images, threads=options.threads, pin=False), list[torch.Tensor]()
    with torch.inference_mode():
        for batch in feed.batches(ordered_plan(images, batch=64)):
            found.append(network(batch.pixels.permute(0, 3, 1, 2).float() / 255))
    return torch.cat(found).double().numpy()


def compare(options: argparse.Namespace) -> None:
    """Print every recipe that has results beside `today`, over the seeds of both."""
    runs: dict[str, Any] = {}
    for path in sorted(options.out.glob("*.npz")):
        kept = dict(np.load(path))
        name, _, seed = path.stem.rpartition("-")
        by = str(kept.get("by", "most_probable"))
        runs[path.stem] = kept | {"answer": _answered(kept, by=by)}
        if by != "median":
            runs[f"{name}{MEDIAN}-{seed}"] = kept | {"answer": _answered(kept, by="median")}
    names = sorted({run.rpartition("-")[0] for run in runs})
    for splits in (("validation", "test"), ("test",)):
        print(f"images of {' and '.join(splits)}")
        for name in names:
            seeds = [
                run.rpartition("-")[2]
                for run in runs
                if run.rpartition("-")[0] == name and f"{BASE}-{run.rpartition('-')[2]}" in runs
            ]
            if seeds:
                print(_line(name, [(runs[f"{BASE}-{s}"], runs[f"{name}-{s}"]) for s in seeds], splits=splits))
    rows = [
        _row(name, {run: kept for run, kept in runs.items() if run.rpartition("-")[0] == name}, runs=runs)
        for name in names
    ]
    print("each seed on test")
    for row in rows:
        seeds = [
            f"{s['seed']}: {s['accuracy']:.3f} {s['rmse']:.3f} {s['within_one']:.3f}" for s in row["each"]
        ]
        print(f"{row['name']:20} {'  '.join(seeds)}")
    if options.json:
        options.json.parent.mkdir(exist_ok=True)
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


def _row(name: str, own: dict[str, Any], *, runs: dict[str, Any]) -> dict[str, Any]:
    """A recipe's figures on `test`, of which nothing was chosen: of each seed, and their mean.

    `half` is half of the range that holds 95 % of bootstraps over images and seeds; `over_today` is the
    difference from `today`, its range with it, over the seeds of both.
    """
    one = next(iter(own.values()))
    errors = np.stack([_errors(run, splits=("test",)) for run in own.values()])
    drawn = _draws(errors)
    both = [run.rpartition("-")[2] for run in own if f"{BASE}-{run.rpartition('-')[2]}" in runs]
    pairs = [(runs[f"{BASE}-{seed}"], runs[f"{name}-{seed}"]) for seed in both]
    each = [
        {
            "seed": int(run.rpartition("-")[2]),
            **{label: round(figure(errors[place][None]), 4) for label, figure in FIGURES.items()},
            "seconds": round(float(kept["cpu_seconds"])),
        }
        for place, (run, kept) in enumerate(own.items())
    ]
    seconds = round(float(np.mean([row["seconds"] for row in each])))
    return {
        "name": name,
        "task": "public-0-to-5",
        "split": "block",
        "network": f"{one['arch']}@{one['image_size']}",
        "arch": str(one["arch"]),
        "image_size": int(one["image_size"]),
        "epochs": int(one["epochs"]),
        "what": f"ImageNet, {int(one['image_size'])} px, {int(one['epochs'])} epochs, recipe {name}",
        "images": int(one["learnt"]),
        "judged": errors.shape[1],
        "seeds": len(each),
        "each": each,
        **{label: _spread(figure, errors, drawn) for label, figure in FIGURES.items()},
        "seconds": seconds,
        "cpu_seconds": seconds,
        **({} if name == BASE or not pairs else {"over_today": _differences(pairs, splits=("test",))}),
    }


def _draws(errors: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Of errors [seeds, images] the indices of each bootstrap: images, and seeds to go with them."""
    random, (seeds, images) = np.random.default_rng(0), errors.shape
    return [
        (random.integers(seeds, size=(seeds, 1)), random.integers(images, size=images)) for _ in range(TURNS)
    ]


def _spread(figure: Figure, errors: NDArray[np.int64], drawn: Any) -> dict[str, float]:
    low, high = np.quantile([figure(errors[turn]) for turn in drawn], (0.025, 0.975))
    return {"mean": round(figure(errors), 4), "half": round(float(high - low) / 2, 4)}


def _line(name: str, pairs: list[tuple[Any, Any]], *, splits: tuple[str, ...]) -> str:
    found = _differences(pairs, splits=splits)
    words = [f"{name:20} {len(pairs)} seeds, {_seconds(pairs)}:"]
    for label, (base, other, low, high) in found.items():
        words.append(f"{label} {base:.3f} -> {other:.3f} ({other - base:+.3f}, {low:+.3f} to {high:+.3f})")
    return "  ".join(words)


def _differences(pairs: list[tuple[Any, Any]], *, splits: tuple[str, ...]) -> dict[str, list[float]]:
    """Of each figure: today's, the other's, and the range that holds 95 % of paired bootstraps."""
    base, other = (
        np.stack([_errors(run, splits=splits) for run in side]) for side in zip(*pairs, strict=True)
    )
    drawn, found = _draws(base), dict[str, list[float]]()
    for label, figure in FIGURES.items():
        differences = [figure(other[turn]) - figure(base[turn]) for turn in drawn]
        ends = np.quantile(differences, (0.025, 0.975)).tolist()
        found[label] = [round(value, 4) for value in (figure(base), figure(other), *ends)]
    return found


def _answered(run: Any, *, by: Any) -> NDArray[np.int64]:
    """What a job's model would answer: by the temperature that fits the images of `validation`."""
    logits, chosen = np.log(np.maximum(run["probabilities"], 1e-300)), run["split"] == "validation"
    temperature = fit_temperature(logits[chosen], run["count"][chosen])
    return answers(logits, temperature=temperature, by=by).predicted


def _seconds(pairs: list[tuple[Any, Any]]) -> str:
    base, other = (np.mean([run["cpu_seconds"] for run in side]) for side in zip(*pairs, strict=True))
    return f"{base:.0f} -> {other:.0f} CPU s each"


def _errors(run: Any, *, splits: tuple[str, ...]) -> NDArray[np.int64]:
    order = np.argsort(run["id"])
    chosen = order[np.isin(run["split"][order], splits)]
    return run["answer"][chosen] - run["count"][chosen]


# Each of errors [seeds, images]: the mean over seeds of a seed's own figure.
def _accuracy(errors: NDArray[np.int64]) -> float:
    return float((errors == 0).mean())


def _rmse(errors: NDArray[np.int64]) -> float:
    return float(np.sqrt((errors.astype(float) ** 2).mean(axis=1)).mean())


def _within_one(errors: NDArray[np.int64]) -> float:
    return float((np.abs(errors) <= 1).mean())


FIGURES: dict[str, Figure] = {"accuracy": _accuracy, "rmse": _rmse, "within_one": _within_one}


def _recipe(name: str) -> str:
    if name != NOW and not set(name.split("+")) <= set(RECIPES):
        known = ", ".join((NOW, *RECIPES))
        raise argparse.ArgumentTypeError(f"{name} is none of {known}, nor some of them joined by +")
    return name


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    one, two = verbs.add_parser("train"), verbs.add_parser("compare")
    for each in (one, two):
        each.add_argument("--out", type=Path, required=True)
    one.add_argument("--dataset", type=Path, required=True)
    one.add_argument("--all", type=Path)
    one.add_argument("--weights", type=Path)
    one.add_argument("--recipes", nargs="+", type=_recipe, default=list(RECIPES))
    one.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    one.add_argument("--arch", default="efficientnet_lite0")
    one.add_argument("--size", type=int, default=96)
    one.add_argument("--epochs", type=int, default=8)
    one.add_argument("--batch", type=int, default=64)
    one.add_argument("--threads", type=int, default=1)
    two.add_argument("--json", type=Path)
    options = parser.parse_args()
    (train if options.verb == "train" else compare)(options)


if __name__ == "__main__":
    main()
