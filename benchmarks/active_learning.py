"""Accuracy against number of labels: the rules by which `bincount propose` could choose, beside random
choice.

    python benchmarks/active_features.py --bins BINS --out FEATURES
    python benchmarks/active_learning.py run --features FEATURES --out OUT [--rules …] [--seeds 0 1 2 3 4]
    python benchmarks/active_learning.py show --out OUT [--json benchmarks/results/active_learning.json]
        [--picture docs/propose.svg]

For each seed a quarter of the blocks of 100 neighbouring ids is held out and START images of the rest are
labelled at random; then each rule chooses STEP more, a linear head on the frozen features learns from all
labels so far, and counts the held-out bins, up to MOST labels. A block's images are on one side. Random
choice is drawn DRAWS times for each seed. `run` skips what is there.

`show` prints, for each rule, the accuracy at some numbers of labels; and of accuracy (points) and closeness
(thousandths of the ranked probability score) the mean difference from random choice over the curve, with the
range that holds 95 % of 10,000 bootstraps over seeds, and how many labels reach what random choice does with
AT.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "core"), str(ROOT / "client"), str(ROOT)]

import numpy as np  # noqa: E402
from active_rules import RULES, Floats, Indices, Pool  # noqa: E402

from bincount.propose.score import RULE  # noqa: E402

START, STEP, MOST = 200, 100, 1500
DRAWS = 4
AT = 1000
HELD = 0.25
POOLED = 1280
"""Features of the network's last layer come first, and are left out: with them the head counts worse."""
PARTS = 300
"""Features that the head reads."""
PENALTIES = (0.1, 0.3, 1.0, 3.0)
SHARPNESS = (2.0, 3.0, 4.0, 6.0)
TURNS = 10_000
SHOWN = (400, 700, 1000, 1500)
FIGURES = ("accuracy", "closeness")
"""Closeness is minus the mean ranked probability score: it sees what accuracy is too coarse for."""


class Head:
    """A linear head on frozen features: least squares to the classes, and a softmax of what it gives.

    Penalty and sharpness are those by which each label is likeliest under the fit without it, which follows
    from the fit of all (Rasmussen and Williams 2006, 5.4.2): a fit takes some milliseconds.
    """

    def __init__(self, x: Floats, labels: Indices, *, classes: int) -> None:
        targets = np.eye(classes)[labels]
        self._prior = (targets.sum(axis=0) + 1) / (len(labels) + classes)
        x, options = _with_one(x), list[tuple[float, float, Floats]]()
        for penalty in PENALTIES:
            solved = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T)
            weights, own = solved @ (targets - self._prior), (x * solved.T).sum(axis=1)[:, None]
            left_out = (x @ weights - own * (targets - self._prior)) / (1 - own)
            for sharpness in SHARPNESS:
                likely = _softmax(np.log(self._prior) + sharpness * left_out)[np.arange(len(labels)), labels]
                options.append((float(np.log(likely + 1e-9).mean()), sharpness, weights))
        _, self._sharpness, self._weights = max(options, key=lambda option: option[0])

    def __call__(self, x: Floats) -> Floats:
        """Probabilities [images, classes]."""
        return _softmax(np.log(self._prior) + self._sharpness * (_with_one(x) @ self._weights))


def _with_one(x: Floats) -> Floats:
    return np.hstack([x, np.ones((len(x), 1))])


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


class Kernel:
    """The features that a Gaussian kernel means, by PARTS of the pool's images (Williams and Seeger 2001,
    "Using the Nyström method"): a head that is linear in them counts better than one in the network's own."""

    def __init__(self, x: Floats, *, random: np.random.Generator) -> None:
        self._some = x[random.permutation(len(x))[:PARTS]]
        self._width = float(np.median(_distances(self._some, self._some)))
        values, vectors = np.linalg.eigh(np.exp(-_distances(self._some, self._some) / self._width))
        self._root = vectors / np.sqrt(np.maximum(values, 1e-6))
        self._mean = self._project(x).mean(axis=0)

    def __call__(self, x: Floats) -> Floats:
        """[images, PARTS]"""
        return self._project(x) - self._mean

    def _project(self, x: Floats) -> Floats:
        return np.exp(-_distances(x, self._some) / self._width) @ self._root


def _distances(one: Floats, other: Floats) -> Floats:
    products = (one @ other.T).astype(np.float64)
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)
    return np.maximum(squares - 2 * products, 0)


class Field:
    """One seed's bins: a pool to label from, and others to judge by."""

    def __init__(self, path: Path, *, seed: int) -> None:
        bins, random = np.load(path / "bins.npz"), np.random.default_rng(1000 + seed)
        self.classes = int(bins["count"].max()) + 1
        blocks = np.unique(bins["block"])
        held = np.isin(bins["block"], random.permutation(blocks)[: round(HELD * len(blocks))])
        files = sorted(path.glob("view-*.npy"))
        views = [np.load(file)[:, POOLED:].astype(np.float32) for file in files]
        mean, std = views[0][~held].mean(axis=0), views[0][~held].std(axis=0) + 1e-3
        views = [(view - mean) / std for view in views]
        seen_by = Kernel(views[0][~held], random=random)
        self.views = np.stack([seen_by(view[~held]) for view in views], axis=1)
        self.x, self.judged = self.views[:, 0], seen_by(views[0][held])
        self.count, self.true = bins["count"][~held], bins["count"][held]
        self.start = random.permutation(len(self.x))[:START]


def curve(field: Field, rule: str, *, seed: int) -> list[list[float]]:
    """FIGURES at START, START + STEP, … MOST labels."""
    random = np.random.default_rng(seed)
    known, found = field.start, list[list[float]]()
    while True:
        head = Head(field.x[known], field.count[known], classes=field.classes)
        answered = head(field.judged)
        accuracy = float((answered.argmax(axis=1) == field.true).mean())
        found.append([accuracy, -_far(answered, field.true)])
        if len(known) >= MOST:
            return found
        pool = Pool(
            probabilities=head(field.x),
            views=np.stack([head(field.views[:, n]) for n in range(field.views.shape[1])], axis=1),
            features=field.x,
            open=np.setdiff1d(np.arange(len(field.x)), known),
            known=known,
            random=random,
        )
        known = np.concatenate([known, RULES[rule](pool, STEP)])


def _far(probabilities: Floats, true: Indices) -> float:
    """The mean ranked probability score (Epstein 1969): how far answers are from the truth, 0 at best."""
    classes = probabilities.shape[1]
    right = np.triu(np.ones((classes, classes - 1)))[true]
    return float(((probabilities.cumsum(axis=1)[:, :-1] - right) ** 2).sum(axis=1).mean())


def run(options: argparse.Namespace) -> None:
    """Compute what is missing; a file for each rule and seed."""
    options.out.mkdir(parents=True, exist_ok=True)
    for seed in options.seeds:
        field: Field | None = None
        for rule in options.rules:
            path = options.out / f"{rule}-{seed}.json"
            if path.is_file():
                continue
            field, began = field or Field(options.features, seed=seed), time.process_time()
            draws = DRAWS if rule == "random" else 1
            curves = [curve(field, rule, seed=100 * seed + draw) for draw in range(draws)]
            path.write_text(json.dumps(np.mean(curves, axis=0).round(5).tolist()))
            print(f"{path.name}: {curves[0][-1][0]:.3f}, {time.process_time() - began:.0f} s", flush=True)


def read_curves(out: Path) -> dict[str, Floats]:
    """Of each rule [seeds, points, FIGURES], over the seeds that all rules have; random choice first."""
    files = {path.stem: path for path in out.glob("*.json")}
    rules = [rule for rule in RULES if any(name.rpartition("-")[0] == rule for name in files)]
    seeds = [seed for seed in range(100) if all(f"{rule}-{seed}" in files for rule in rules)]
    return {
        rule: np.array([json.loads(files[f"{rule}-{seed}"].read_text()) for seed in seeds]) for rule in rules
    }


def needed(curve: Floats, reached: float) -> float | None:
    """Labels at which a curve of means first is at `reached`, between its points; None: never."""
    for place, value in enumerate(curve):
        if value >= reached:
            before = curve[place - 1] if place else value
            between = float((reached - before) / (value - before)) if value > before else 1.0
            return START + STEP * max(0.0, place - 1 + between)
    return None


def figures(curves: dict[str, Floats]) -> list[dict[str, Any]]:
    """A row for each rule, the best first."""
    base = curves["random"]
    drawn = np.random.default_rng(0).integers(len(base), size=(TURNS, len(base)))
    rows = [
        {
            "rule": rule,
            "seeds": len(found),
            "at": {str(n): round(float(found.mean(axis=0)[(n - START) // STEP, 0]), 4) for n in SHOWN},
            **{name: _gain(found[..., n], base[..., n], drawn) for n, name in enumerate(FIGURES)},
        }
        for rule, found in curves.items()
    ]
    return sorted(rows, key=lambda row: -row[FIGURES[1]]["gain"])


def _gain(found: Floats, base: Floats, drawn: Indices) -> dict[str, Any]:
    """Over random choice, the mean of the curve; and the labels for what random choice reaches with AT."""
    gain = (found - base)[:, 1:].mean(axis=1)
    reached = float(_rising(base.mean(axis=0))[(AT - START) // STEP])
    labels = needed(_rising(found.mean(axis=0)), reached)
    return {
        "gain": round(float(gain.mean()), 5),
        "range": np.quantile(gain[drawn].mean(axis=1), (0.025, 0.975)).round(5).tolist(),
        "each_seed": gain.round(5).tolist(),
        "labels": labels and round(labels),
    }


def _rising(curve: Floats) -> Floats:
    """The nearest curve that never falls: more labels do no harm, what falls is noise."""
    isotonic: Any = importlib.import_module("sklearn.isotonic")
    return isotonic.IsotonicRegression().fit_transform(np.arange(len(curve)), curve)


def show(options: argparse.Namespace) -> None:
    """Print the table; write JSON and picture where they are asked for."""
    curves = read_curves(options.out)
    rows = figures(curves)
    heads = [
        "rule",
        *(f"accuracy at {n}" for n in SHOWN),
        *(f"{each}, over random | labels" for each in FIGURES),
    ]
    print(f"| {' | '.join(heads)} |\n|{'---|' * (len(heads) + len(FIGURES))}")
    for row in rows:
        cells = [row["rule"], *(f"{100 * share:.1f} %" for share in row["at"].values())]
        for name, scale in zip(FIGURES, (100, 1000), strict=True):
            found = row[name]
            low, high = (scale * end for end in found["range"])
            cells.append(f"{scale * found['gain']:+.1f} ({low:+.1f} to {high:+.1f})")
            cells.append(str(found["labels"] or f"over {MOST}"))
        print(f"| {' | '.join(cells)} |")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    if options.picture:
        draw(curves, options.picture)


def draw(curves: dict[str, Floats], picture: Path) -> None:
    """Accuracy against labels, the mean of the seeds; the last label of each line is its name."""
    plt: Any = importlib.import_module("matplotlib.pyplot")
    importlib.import_module("matplotlib").rcParams["svg.hashsalt"] = "bincount"
    figure, axes = plt.subplots(figsize=(8, 5))
    labels = np.arange(START, MOST + 1, STEP)
    for number, (rule, found) in enumerate(curves.items()):
        mean = 100 * found[..., 0].mean(axis=0)
        main = rule in ("random", RULE)
        axes.plot(
            labels, mean, label=f"{rule} (propose's)" if rule == RULE else rule,
            color="black" if rule == "random" else f"C{number - 1}", linewidth=2.4 if main else 1.1,
            linestyle="--" if rule == "random" else "-", zorder=3 if main else 2,
        )  # fmt: skip
    base = 100 * curves["random"][..., 0]
    spread = base.std(axis=0, ddof=1) / np.sqrt(len(base))
    axes.fill_between(labels, base.mean(axis=0) - spread, base.mean(axis=0) + spread, color="0.85")
    axes.set_xlabel("labels")
    axes.set_ylabel("accuracy on held-out bins, %")
    axes.grid(color="0.9")
    axes.legend(frameon=False, fontsize=9, ncol=2)
    figure.savefig(picture, bbox_inches="tight", metadata={"Date": None})


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    one, two = verbs.add_parser("run"), verbs.add_parser("show")
    for each in (one, two):
        each.add_argument("--out", type=Path, required=True)
    one.add_argument("--features", type=Path, required=True)
    one.add_argument("--rules", nargs="+", choices=list(RULES), default=list(RULES))
    one.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    two.add_argument("--json", type=Path)
    two.add_argument("--picture", type=Path)
    options = parser.parse_args()
    (run if options.verb == "run" else show)(options)


if __name__ == "__main__":
    main()
