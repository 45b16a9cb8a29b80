"""How soon drift is found, and how often nothing is found where nothing changed.

    python benchmarks/drift.py drawn OUT [--baseline 1200] [--pool 3000]
    python benchmarks/drift.py real OUT --images FOLDER [--baseline 1500]

Images are observed by the product's own code (inference/observe, as the gate and the nightly job do) with the
model of `make try`, and compared by monitoring/drift. `drawn` draws bins; `real` takes a folder of `<id>.jpg`
and divides it by blocks of 100 neighbouring ids. A night is a sample of images that are in no baseline; a
changed night has the same images after a change. Observations are kept in OUT: a second run only compares.
"""

import argparse
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from demo.bins.bin_image import draw_bin
from inference.observe.observe import Observer, write_observations
from monitoring.drift.compare import Baseline
from monitoring.drift.observation import ANSWERS, Observations

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "demo" / "page" / "model"
QUALITY = 88
NIGHTS, PER_NIGHT, BASELINES = 200, 250, 4
SIZES = (30, 60, 120, 250)
TRIES = 20
Change = Callable[[Image.Image], Image.Image]


def _enlarged(image: Image.Image) -> Image.Image:
    return image.resize((round(image.width * 1.25), round(image.height * 1.25)), Image.Resampling.BICUBIC)


CHANGES: dict[str, Change] = {
    "light 20 % lower": lambda image: ImageEnhance.Brightness(image).enhance(0.8),
    "light 10 % lower": lambda image: ImageEnhance.Brightness(image).enhance(0.9),
    "lens blurred, 1 % of the width": lambda image: image.filter(ImageFilter.GaussianBlur(image.width / 100)),
    "lens blurred, 0.5 % of the width": lambda image: image.filter(
        ImageFilter.GaussianBlur(image.width / 200)
    ),
    "camera of 1.25 times the size": _enlarged,
}
MIX = "mix of counts: one object more"


def main() -> None:
    """Observe what is not observed yet, compare, print and write OUT/drift.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("drawn", "real"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--baseline", type=int, default=1200)
    parser.add_argument("--pool", type=int, default=3000)
    parser.add_argument("--changed", type=int, default=500, help="images that are changed")
    options = parser.parse_args()
    observer = Observer(MODEL, cpus=1)
    if options.kind == "drawn":
        images = _drawn(options.baseline * BASELINES + options.pool)
    else:
        images = _real(options.images)
    names = [id for id, _ in images]
    same = _observed(observer, options.out / "same", iter(images))
    changed = {
        name: _observed(
            observer,
            options.out / f"changed-{number}",
            ((id, _jpeg(change(_opened(data)))) for id, data in images[-options.changed :]),
        )
        for number, (name, change) in enumerate(CHANGES.items())
    }
    print(f"{len(names)} images observed", flush=True)
    baselines = [_baseline(same, names, options, number) for number in range(BASELINES)]
    result = {"images": len(names), "false_alarms": {}, "found": {}}
    for nights_per_alarm in (100, 20):
        found = [
            _same_hall(*each, nights_per_alarm=nights_per_alarm, seed=n) for n, each in enumerate(baselines)
        ]
        result["false_alarms"][f"1 in {nights_per_alarm}"] = {"nights": NIGHTS, "by baseline": found}
        print(f"1 in {nights_per_alarm}: {sum(found)} of {NIGHTS} nights, by baseline {found}", flush=True)
    baseline, pool = baselines[0]
    counts = same.columns["count"]
    changed[MIX] = same.take(_mixed(pool, counts))
    for name, rows in changed.items():
        result["found"][name] = _power(baseline, rows)
        print(name, json.dumps(result["found"][name]), flush=True)
    (options.out / "drift.json").write_text(json.dumps(result, indent=1) + "\n")


def _drawn(number: int) -> list[tuple[str, bytes]]:
    rng = np.random.default_rng(7)
    bins = (draw_bin(count=int(rng.integers(0, 7)), rng=rng) for _ in range(number))
    return [(f"{i:05}", _jpeg(each.image, quality=each.quality)) for i, each in enumerate(bins)]


def _real(folder: Path) -> list[tuple[str, bytes]]:
    """In an order by chance of their blocks."""
    paths = sorted(folder.glob("*.jpg"))
    blocks = sorted({int(path.stem) // 100 for path in paths})
    place = dict(zip(blocks, np.random.default_rng(7).permutation(len(blocks)), strict=True))
    paths.sort(key=lambda path: (place[int(path.stem) // 100], path.stem))
    return [(path.stem, path.read_bytes()) for path in paths]


def _jpeg(image: Image.Image, *, quality: int = QUALITY) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _observed(observer: Observer, folder: Path, images: Iterator[tuple[str, bytes]]) -> Observations:
    if not (folder / "about.json").exists():
        write_observations(observer, images, folder=folder)
    return Observations.of_file((folder / "observations.jsonl.gz").read_bytes())


def _baseline(same: Observations, names: list[str], options: argparse.Namespace, number: int):
    """A baseline and the rows of its pool: what is changed later is in no baseline.

    Drawn bins: a stretch of their own for each. Real ones: other blocks each time.
    """
    end = len(names) - options.changed
    rng = np.random.default_rng(number)
    if options.kind == "drawn":
        rows = np.arange(number * options.baseline, (number + 1) * options.baseline)
        pool = np.arange(options.baseline * BASELINES, len(names))
    else:
        block = np.array([int(name) // 100 for name in names])
        order = rng.permutation(np.unique(block[:end]))
        chosen = np.isin(block, order[: len(order) * options.baseline // end])
        chosen[end:] = False
        rows, pool = np.flatnonzero(chosen), np.flatnonzero(~chosen)
    rng.shuffle(rows)  # a baseline's lines are in the order of a hash
    return Baseline(same.take(rows), sizes=True), _Pool(same, pool)


class _Pool:
    """The rows from which nights are drawn."""

    def __init__(self, same: Observations, rows: np.ndarray) -> None:
        self.same, self.rows = same, rows

    def night(self, rng: np.random.Generator) -> Observations:
        return self.same.take(rng.choice(self.rows, PER_NIGHT, replace=False))


def _same_hall(baseline: Baseline, pool: _Pool, *, nights_per_alarm: int, seed: int) -> int:
    rng = np.random.default_rng(1000 + seed)
    return sum(
        bool(_found(baseline, pool.night(rng), f"{seed}-{night}", nights_per_alarm))
        for night in range(NIGHTS // BASELINES)
    )


def _found(baseline: Baseline, night: Observations, day: str, nights_per_alarm: int) -> list[str]:
    answers = Observations.of_answers(np.column_stack([night.columns[name] for name in ANSWERS]))
    families = baseline.compare(day=day, answers=answers, images=night, nights_per_alarm=nights_per_alarm)
    return [tested.name for family in families for tested in family.found]


def _mixed(pool: _Pool, counts: np.ndarray) -> np.ndarray:
    """Rows whose answers' average is about one object higher: high counts are drawn more often."""
    rng = np.random.default_rng(3)
    pool_counts = counts[pool.rows]
    tilt = 0.0
    while True:
        weights = np.exp(tilt * pool_counts)
        weights /= weights.sum()
        if weights @ pool_counts >= pool_counts.mean() + min(
            1.0, (pool_counts.max() - pool_counts.mean()) / 2
        ):
            return rng.choice(pool.rows, 1000, p=weights)
        tilt += 0.02


def _power(baseline: Baseline, rows: Observations) -> dict[str, object]:
    """By the night's images: the share of nights that are found at one false alarm in 100, and by what."""
    rng = np.random.default_rng(5)
    result: dict[str, object] = {}
    for size in SIZES:
        found: list[list[str]] = []
        for number in range(TRIES):
            night = rows.take(rng.choice(len(rows), size, replace=False))
            found.append(_found(baseline, night, f"power-{number}", 100))
        by = sorted(
            {name for each in found for name in each}, key=lambda n: -sum(n in each for each in found)
        )
        result[str(size)] = {"share": sum(map(bool, found)) / TRIES, "by": by}
    return result


if __name__ == "__main__":
    sys.exit(main())
