"""How many wrong labels an audit shows early: labels that are flipped on purpose, and how many come first.

    python benchmarks/audit.py --out OUT [--drawn 1500] [--dataset DIR …] [--seeds 3 4 5]

`--drawn N` draws N tidy and N untidy bins with 1 to 5 objects, as the demo does, and makes datasets of them;
DIR are sealed datasets, such as of real bins, of which an unknown share is wrong already, so that an audit
can only look worse than it is. For each, 5 % of the labels are flipped: `uniform` to any other count,
`neighbour` to a count one above or below, which is harder to see. Printed is the share of the flipped labels
among the first 10 % that the page would show (by chance 10 %): in the order of `bincount audit`, of each of
its parts alone, and in the order that it had at first; then what is missed. Features and drawn bins are kept
in OUT; all else is the product.
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
from bincount.audit.features import Features  # noqa: E402
from bincount.audit.kernel import contents, leave_block_out  # noqa: E402
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


def measure(
    dataset: SealedDataset, features: Features, *, how: str, seed: int, most: int | None, network: bool
) -> str:
    """Some lines: what is found of one kind of flips, by whom, and what is missed."""
    began, used = time.perf_counter(), time.process_time()
    true = [one for one in dataset.bins if most is None or one.count <= most]
    bins, wrong = flip(true, how=how, seed=seed)
    maps, rows = features.of(bins)
    blocks = [one.block for one in bins]
    classes = choose_classes([one.count for one in bins])
    labels = np.array([classes.index(one.count) for one in bins])
    right = np.array([classes.index(one.count) for one in true])
    number = len(classes.counts)
    held = contents(maps, rows)
    kernel = leave_block_out(held, labels, blocks, classes=number, seed=seed)
    of_kernel = time.process_time() - used
    folds = folds_of(blocks, folds=FOLDS)
    learnt = None
    if network:
        learnt = out_of_fold(
            maps, rows, labels, folds, classes=number, seed=seed, progress=lambda done, of: None
        )
    predicted = kernel if learnt is None else (learnt + kernel) / 2
    of_all = time.process_time() - used
    found = suspicion.suspect(predicted=predicted, labels=labels, features=held, blocks=blocks)
    voted = suspicion.votes(labels[found.neighbours], classes=number)
    # What the kernel says of the flipped labels where it learnt from right ones: no flip can mislead it.
    spared = leave_block_out(held, right, blocks, classes=number, seed=seed)
    doubts = {"kernel": kernel, "neighbours": voted, "kernel of right labels": spared}
    # The order before distances between counts mattered.
    chances = {"the label's probability instead": found.probabilities}
    if learnt is not None:
        doubts["network"] = learnt
        chances["at first (network and neighbours, the label's probability)"] = 0.75 * learnt + 0.25 * voted
    orders = {"audit" if network else "audit without network": found.order}
    orders |= {name: np.argsort(-suspicion.doubt(one, labels), kind="stable") for name, one in doubts.items()}
    own = np.arange(len(labels))
    orders |= {name: np.argsort(one[own, labels], kind="stable") for name, one in chances.items()}
    first = round(SHOWN * len(bins))
    shares = ", ".join(
        f"{name} {wrong[order[:first]].sum() / wrong.sum():.1%}" for name, order in orders.items()
    )
    said = found.probabilities.argmax(axis=1)
    missed = wrong.copy()
    missed[found.order[:first]] = False
    needless = np.setdiff1d(found.order[:first], np.flatnonzero(wrong))
    lines = (
        f"{how} seed {seed}: {wrong.sum()} of {len(bins)} labels flipped; in the first {SHOWN:.0%}: {shares}",
        f"missed {missed.sum()}: {(np.abs(labels - right)[missed] == 1).sum()} are one above or below; "
        f"the likeliest count is the wrong label {(said == labels)[missed].sum()} times, the right one "
        f"{(said == right)[missed].sum()} times; it is wrong for {(said != right)[needless].sum()} of "
        f"{len(needless)} right labels shown",
        f"likeliest count right: {(said == right).mean():.1%}, "
        + ", ".join(f"{name} {(one.argmax(axis=1) == right).mean():.1%}" for name, one in doubts.items()),
        f"issues by confident learning {found.issues.sum()}, {found.issues[wrong].mean():.1%} of the flipped",
        f"processor: kernel {of_kernel:.1f} s, network {of_all - of_kernel:.1f} s, with all that is measured "
        f"{time.process_time() - used:.1f} s; by the clock {time.perf_counter() - began:.0f} s",
    )
    return "\n    ".join(lines)


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
    parser.add_argument("--without-network", action="store_true", help="seconds instead of a minute a line")
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
                line = measure(
                    dataset, features, how=how, seed=seed, most=options.most,
                    network=not options.without_network,
                )  # fmt: skip
                print(line, flush=True)


if __name__ == "__main__":
    main()
