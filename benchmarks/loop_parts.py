"""What 60 recounts are worth: the loop's learning by its parts, without the cloud (loop.py has the whole).

    OMP_NUM_THREADS=1 python benchmarks/loop_parts.py --work DIR [--home 900] [--answers 200] [--recounts 60]
                                                      [--tries 3:40 10:40 3:120 3:4:whole 0:40]

Data preparation, training, the server's code and the gate are the product's own programs; answers and labels
go no way through an API. A first model learns from drawn bins in one light. It is asked about bins in another
one; those that it wants reviewed are recounted first (here: by the label that was drawn), up to 60 of them.
Each try is a second model that learns from home and these: `weight:epochs`, or `weight:epochs:whole` where
the whole network learns and not its last layer alone. Weight 0 is home alone with another seed: what training
again does by itself. All are held, as they serve, against the first on 600 bins of each light that nobody has
seen, and judged by the gate on the second dataset. What is in DIR is not done again; figures are in
DIR/parts.json.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from loop_lights import (
    COUNTS_ASKED,
    FIELD_SEED,
    HOME_SEED,
    ROOT,
    Bin,
    Errors,
    answered_at,
    bins,
    compared,
    shares,
    unseen,
)

from demo.cloud import run_sizes
from demo.source import make_bins
from inference.inference import Model, input_fn, model_fn, predict_fn

SIZES = run_sizes()
ARCH = SIZES["training.arch"]
LEARNING_RATE = 0.001317
TRIAL = {
    "arch": ARCH,
    "image-size": SIZES["training.image_size"],
    "batch-size": json.loads(SIZES["training.batch_sizes"])[0],
    "learning-rate": LEARNING_RATE,
    "max-count": 5,
    **json.loads(SIZES.get("training.fixed", "{}")),
}
"""As the stage `local` trains: at this commit the last layer of a network that knows ImageNet."""
FLOORS = (
    "--min-accuracy 0.35 --max-rmse 1.5 --min-within-one 0.7 --min-coverage 0.85 --level 0.05 --min-images 10"
)
"""Those of the stage `local`."""
FIRST_EPOCHS = json.loads(SIZES["training.epochs"])[1]
_KEPT: list[Model] = []


class Try(NamedTuple):
    """How a second model is trained."""

    weight: float
    epochs: int
    whole: bool

    @classmethod
    def of(cls, text: str) -> Self:
        """`3:40` or `3:4:whole`."""
        weight, epochs, *whole = text.split(":")
        return cls(float(weight), int(epochs), whole == ["whole"])


def main() -> None:
    """Each step once."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for all that is made")
    for name, default in (("home", 900), ("answers", 200), ("recounts", 60)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--tries", nargs="+", default=["3:40", "10:40", "3:120", "3:4:whole", "0:40"])
    options = parser.parse_args()
    work: Path = options.work.resolve()
    at_home = make_bins(work / "home", images=options.home, seed=HOME_SEED)
    asked = unseen(work)
    plain = prepared(work, at_home)
    first = trained(work, "first", plain, Try(1, FIRST_EPOCHS, whole=False))
    before = errors_of(first, asked)
    print("first:", shares(before), flush=True)
    field = recounted(work, first, images=options.answers, recounts=options.recounts)
    report: dict[str, Any] = {}
    for text in options.tries:
        report[text] = tried(work, Try.of(text), at_home, field, first=first, before=before, asked=asked)
        print(text, json.dumps(report[text], indent=1), flush=True)
        (work / "parts.json").write_text(json.dumps(report, indent=1) + "\n")
    sys.stdout.flush()
    os._exit(0)  # as inference/evaluate: OpenVINO's models live as long as the process


def tried(
    work: Path,
    how: Try,
    at_home: Path,
    field: Path,
    *,
    first: Path,
    before: Errors,
    asked: dict[str, list[Bin]],
) -> dict[str, Any]:
    """A second model against the first: on unseen bins, and by the gate."""
    name = f"weight-{how.weight:g}-epochs-{how.epochs}" + ("-whole" if how.whole else "")
    source = ("--field", field, "--field-labels", field / "labelled.csv", "--field-weight", how.weight)
    dataset = prepared(work, at_home, *(source if how.weight else ()))
    began = time.monotonic()
    second = trained(work, name, dataset, how)
    seconds = time.monotonic() - began
    after = errors_of(second, asked)
    found: dict[str, Any] = {light: compared(before[light], after[light]) for light in before}
    found["training_seconds"] = round(seconds)
    if how.weight:
        described = json.loads((dataset / "dataset.json").read_text())
        found["dataset"] = {"field": described["field"], "rejected": described["rejected"]}
    verdict = judged(work / f"gate-{name}", dataset, champion=first, challenger=second)
    wanted = ("accepted", "reasons", "needs_person", "parts")
    found["gate"] = {each: verdict.get(each) for each in wanted}
    return found


def call(*words: object) -> str:
    """A program of the product, from the repository's folder; its output."""
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "core")))}
    command = [sys.executable, *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, env=variables, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def prepared(work: Path, at_home: Path, *field: object) -> Path:
    """The dataset's folder."""
    places = ("--source", at_home, "--target", work / "data", "--counts", COUNTS_ASKED, "--quiet")
    said = call("-m", "data_prep", *places, *field)
    return Path(said.split(" has ")[0])


def trained(work: Path, name: str, dataset: Path, how: Try) -> Path:
    """The model's folder."""
    folder = work / name
    if not (folder / "model" / "model.json").is_file():
        flags: dict[str, Any] = {**TRIAL, "epochs": how.epochs, "seed": 0 if how.weight else 1}
        if how.whole:
            flags |= {"freeze-backbone": False, "frozen-views": 0, "learning-rate": LEARNING_RATE / 4}
        places = ("--model-dir", folder / "model", "--output-dir", folder / "output")
        words = [word for flag, value in flags.items() for word in (f"--{flag}", value)]
        call("training/train.py", "--dataset", dataset, *places, *words)
    return folder / "model"


def answers(model: Model, asked: list[Bin]) -> list[Any]:
    """What the server's code says of the bins."""
    return [predict_fn(input_fn(each.jpeg, "image/jpeg"), model).answer for each in asked]


def loaded(folder: Path) -> Model:
    """The model as it is served, kept until the process ends."""
    _KEPT.append(model := model_fn(folder))
    return model


def errors_of(folder: Path, asked: dict[str, list[Bin]]) -> Errors:
    """Errors in objects on unseen bins of both lights."""
    model = loaded(folder)
    return {
        light: np.array([abs(a.count - b.count) for a, b in zip(answers(model, own), own, strict=True)])
        for light, own in asked.items()
    }


def recounted(work: Path, model: Path, *, images: int, recounts: int) -> Path:
    """A folder as images/ in a stage's bucket with its labelled.csv: what the model wants reviewed first."""
    asked = bins(make_bins(work / "production", images=images, seed=FIELD_SEED), dim=True)
    said = answers(loaded(model), asked)
    order = sorted(range(len(asked)), key=lambda place: (not said[place].review, asked[place].id))[:recounts]
    reviews = sum(answer.review for answer in said)
    print(f"{len(asked)} answers, {reviews} ask for review, {len(order)} are recounted", flush=True)
    folder = work / "images"
    shutil.rmtree(folder, ignore_errors=True)
    lines = ["image,count,taken_at"]
    for place in sorted(order):
        each = asked[place]
        (folder / each.id).mkdir(parents=True)
        (folder / each.id / "image.jpg").write_bytes(each.jpeg)
        lines.append(f"{each.id}/image.jpg,{each.count},{answered_at(place)}")
    (folder / "labelled.csv").write_text("\n".join(lines) + "\n")
    return folder


def judged(folder: Path, dataset: Path, *, champion: Path, challenger: Path) -> dict[str, Any]:
    """The gate's verdict."""
    shutil.rmtree(folder, ignore_errors=True)
    for role, model in (("champion", champion), ("challenger", challenger)):
        path = folder / role / "model.tar.gz"
        path.parent.mkdir(parents=True)
        with tarfile.open(path, "w:gz") as archive:
            for file in model.iterdir():
                archive.add(file, arcname=file.name)
    for name, target in (("bins", dataset / "val"), ("manifest", dataset)):
        (folder / name).symlink_to(target)
    places = ("--input", folder, "--output", folder / "verdict", "--dataset-id", dataset.name)
    roles = ("--challenger", "second", "--champion", "first")
    call("-m", "inference.evaluate", *places, *roles, *FLOORS.split())
    verdict: dict[str, Any] = json.loads((folder / "verdict" / "verdict.json").read_text())
    return verdict


if __name__ == "__main__":
    main()
