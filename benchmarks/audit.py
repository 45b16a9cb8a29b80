"""How many wrong labels an audit shows early: labels that are flipped on purpose, and how many come first.

    python benchmarks/audit.py --out OUT [--drawn 1500] [--dataset DIR …] [--flips uniform neighbour]

`--drawn N` draws N tidy and N untidy bins with 1 to 5 objects, as the demo does, and makes datasets of them;
DIR are sealed datasets, such as of real bins, of which an unknown share is wrong already, so that an audit
can only look worse than it is. For each, 5 % of the labels are flipped: `uniform` to any other count,
`neighbour` to a count one above or below, which is harder to see. Printed is the share of the flipped labels
among the first 10 % that the page would show: in the order of `bincount audit` (folds and neighbours
together), of each alone, and by chance. Features and drawn bins are kept in OUT; all else is the product.
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "core"), str(ROOT / "client")]

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from bincount.audit import suspicion  # noqa: E402
from bincount.audit.dataset import Bin, SealedDataset, open_dataset  # noqa: E402
from bincount.audit.features import Features, pooled  # noqa: E402
from bincount.audit.predict import FOLDS, choose_classes, folds_of, out_of_fold  # noqa: E402
from demo.bins.generate import generate  # noqa: E402

ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'core'}"}
FLIPPED = 0.05
SHOWN = 0.1


def flip(bins: list[Bin], *, how: str, seed: int) -> tuple[list[Bin], NDArray[np.bool_]]:
    """The bins with 5 % of their labels flipped, and which."""
    random = np.random.default_rng(seed)
    counts = sorted({one.count for one in bins})
    chosen = np.zeros(len(bins), dtype=bool)
    chosen[random.permutation(len(bins))[: round(FLIPPED * len(bins))]] = True
    flipped: list[Bin] = []
    for one, wrong in zip(bins, chosen, strict=True):
        others = [count for count in counts if count != one.count]
        if how == "neighbour":
            others = [count for count in others if abs(count - one.count) == 1] or others
        flipped.append(replace(one, count=int(random.choice(others))) if wrong else one)
    return flipped, chosen


def measure(dataset: SealedDataset, features: Features, *, how: str, seed: int, most: int | None) -> str:
    """One line: what is found of one kind of flips."""
    began, used = time.perf_counter(), time.process_time()
    true = [one for one in dataset.bins if most is None or one.count <= most]
    bins, wrong = flip(true, how=how, seed=seed)
    maps, rows = features.of(bins)
    blocks = [one.block for one in bins]
    classes = choose_classes([one.count for one in bins])
    labels = np.array([classes.index(one.count) for one in bins])
    predicted = out_of_fold(
        maps, rows, labels, folds_of(blocks, folds=FOLDS), classes=len(classes.counts), seed=seed,
        progress=lambda done, of: None,
    )  # fmt: skip
    found = suspicion.suspect(predicted=predicted, labels=labels, features=pooled(maps, rows), blocks=blocks)
    voted = suspicion.votes(labels[found.neighbours], classes=len(classes.counts))
    own = np.arange(len(labels))
    orders = {
        "audit": found.order,
        "folds alone": np.argsort(predicted[own, labels], kind="stable"),
        "neighbours alone": np.argsort(voted[own, labels], kind="stable"),
    }
    first = round(SHOWN * len(bins))
    shares = ", ".join(
        f"{name} {wrong[order[:first]].sum() / wrong.sum():.1%}" for name, order in orders.items()
    )
    right = np.array([classes.index(one.count) for one in true])
    issues = found.issues
    return (
        f"{how:9} seed {seed}: {wrong.sum()} of {len(bins)} labels flipped; in the first {SHOWN:.0%}: "
        f"{shares}, chance {SHOWN:.0%}; issues by confident learning: {issues.sum()}, "
        f"{issues[wrong].mean():.1%} of the flipped; out-of-fold accuracy on the true labels "
        f"{(predicted.argmax(1) == right).mean():.3f}; "
        f"{time.perf_counter() - began:.0f} s, {time.process_time() - used:.0f} s of processor"
    )


def drawn(out: Path, *, images: int, tidy: bool) -> Path:
    """A sealed dataset of bins that the demo draws."""
    place = out / f"{'tidy' if tidy else 'untidy'}-{images}"
    generate(out=place / "bins", images=images, seed=0, counts=range(1, 6), tidy=tidy)
    request = ["--source", str(place / "bins"), "--target", str(place), "--counts", "1-5", "--quiet"]
    subprocess.run([sys.executable, "-m", "data_prep", *request], cwd=ROOT, check=True, env=ENVIRONMENT)
    (dataset,) = (place / "datasets").iterdir()
    return dataset


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", type=Path, nargs="+", default=[])
    parser.add_argument("--drawn", type=int, metavar="N", help="so many tidy and untidy drawn bins")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--flips", nargs="+", choices=("uniform", "neighbour"), default=["uniform", "neighbour"]
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--most", type=int, help="leave out bins with more objects")
    options = parser.parse_args()
    features = Features(options.out)
    if options.drawn:
        options.dataset += [drawn(options.out, images=options.drawn, tidy=tidy) for tidy in (True, False)]
    for folder in options.dataset:
        dataset = open_dataset(str(folder), s3=lambda: None)
        began, used = time.perf_counter(), time.process_time()
        features.add(dataset, progress=lambda done, of: None)
        print(
            f"{folder}: {len(dataset.bins)} images; features {time.perf_counter() - began:.0f} s, "
            f"{time.process_time() - used:.0f} s of processor",
            flush=True,
        )
        for how in options.flips:
            for seed in options.seeds:
                print(measure(dataset, features, how=how, seed=seed, most=options.most), flush=True)


if __name__ == "__main__":
    main()
