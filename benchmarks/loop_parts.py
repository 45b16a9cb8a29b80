"""What 60 recounts are worth: the loop's learning by its parts, without the cloud (loop.py has the whole).

    OMP_NUM_THREADS=1 python benchmarks/loop_parts.py --work DIR [--home 600] [--answers 200] [--recounts 60]

Data preparation, training, the server's code and the gate are the product's own programs; answers and labels
go no way through an API. A first model learns from drawn bins in one light. It is asked about bins in another
one; those that it wants reviewed are recounted first (here: by the label that was drawn), up to 60 of them.
The second model learns from home and these. Both are judged, as they serve, on bins of both lights that
nobody has seen, and by the gate on the second dataset. What is in DIR is not done again; figures are in
DIR/parts.json.
"""

import argparse
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from loop import COUNTS, FIELD_SEED, HOME_SEED, ROOT, UNSEEN, UNSEEN_FIELD, UNSEEN_HOME, compared, other_light
from loop import shares as shown

from demo.bins.generate import generate
from demo.source import Bin, read_bin
from inference.inference import Model, input_fn, model_fn, predict_fn

ANSWERS_AN_HOUR = 5
TRIAL = (
    "--arch resnet18 --image-size 64 --pretrained none --batch-size 16 --learning-rate 0.001317 --max-count 5"
)
FLOORS = "--min-accuracy 0 --max-rmse 100 --min-within-one 0 --min-coverage 0 --level 0.05"
_KEPT: list[Model] = []


def main() -> None:
    """Each step once."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for all that is made")
    for name, default in (("home", 600), ("answers", 200), ("recounts", 60), ("weight", 3), ("epochs", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    work: Path = options.work
    home = drawn(work / "home", options.home, HOME_SEED)
    first = trained(work, "first", prepared(work, home), epochs=options.epochs)
    before = both_lights(work, first)
    print("first:", shown(before), flush=True)
    field = recounted(work, first, images=options.answers, recounts=options.recounts)
    named = ("--field", field, "--field-labels", field / "labelled.csv")
    dataset = prepared(work, home, *named, "--field-weight", options.weight)
    second = trained(work, "second", dataset, epochs=options.epochs)
    after = both_lights(work, second)
    report: dict[str, Any] = {light: compared(before[light], after[light]) for light in before}
    report["field"]["dataset"] = json.loads((dataset / "dataset.json").read_text())["field"]
    verdict = judged(work, dataset, champion=first, challenger=second)
    report["gate"] = {name: verdict[name] for name in ("accepted", "reasons", "needs_person", "parts")}
    (work / "parts.json").write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


def drawn(folder: Path, images: int, seed: int) -> Path:
    """Bins in the public layout."""
    if not (folder / "file_list.json").is_file():
        generate(out=folder, images=images, seed=seed, counts=COUNTS, tidy=True)
    return folder


def bins(folder: Path, *, dim: bool = False) -> list[Bin]:
    """Those of a folder, in the first light or in the other one."""
    found = [read_bin(folder, path.stem) for path in sorted(folder.glob("bin-images/*.jpg"))]
    return [Bin(id=each.id, count=each.count, jpeg=other_light(each.jpeg)) if dim else each for each in found]


def call(*words: object) -> str:
    """A program of the product, from the repository's folder; its output."""
    done = subprocess.run(
        [sys.executable, *map(str, words)], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def prepared(work: Path, home: Path, *field: object) -> Path:
    """The dataset's folder."""
    said = call(
        "-m", "data_prep", "--source", home, "--target", work / "data", "--counts", "0-5", "--quiet", *field
    )
    return Path(said.split(" has ")[0])


def trained(work: Path, name: str, dataset: Path, *, epochs: int) -> Path:
    """The model's folder."""
    folder = work / name
    if not (folder / "model" / "model.json").is_file():
        call("training/train.py", "--dataset", dataset, "--model-dir", folder / "model", "--output-dir",
             folder / "output", "--epochs", epochs, *TRIAL.split())  # fmt: skip
    return folder / "model"


def answers(model: Path, asked: list[Bin]) -> list[Any]:
    """What the server's code says of the bins."""
    _KEPT.append(loaded := model_fn(model))
    return [predict_fn(input_fn(each.jpeg, "image/jpeg"), loaded).answer for each in asked]


def both_lights(work: Path, model: Path) -> dict[str, Any]:
    """Errors in objects on unseen bins of both lights."""
    sets = {
        "home": bins(drawn(work / "unseen home", UNSEEN, UNSEEN_HOME)),
        "field": bins(drawn(work / "unseen field", UNSEEN, UNSEEN_FIELD), dim=True),
    }
    return {
        light: np.array([abs(a.count - b.count) for a, b in zip(answers(model, asked), asked, strict=True)])
        for light, asked in sets.items()
    }


def recounted(work: Path, model: Path, *, images: int, recounts: int) -> Path:
    """A folder as images/ in a stage's bucket with its labelled.csv: what the model wants reviewed first."""
    asked = bins(drawn(work / "production", images, FIELD_SEED), dim=True)
    said = answers(model, asked)
    order = sorted(range(len(asked)), key=lambda place: (not said[place].review, asked[place].id))[:recounts]
    print(f"{len(asked)} answers, {sum(a.review for a in said)} ask for review, {len(order)} are recounted")
    folder = work / "images"
    lines = ["image,count,taken_at"]
    for place in sorted(order):
        each, hour = asked[place], place // ANSWERS_AN_HOUR
        (folder / each.id).mkdir(parents=True, exist_ok=True)
        (folder / each.id / "image.jpg").write_bytes(each.jpeg)
        lines.append(f"{each.id}/image.jpg,{each.count},2026-11-{1 + hour // 24:02d}T{hour % 24:02d}:20:01Z")
    (folder / "labelled.csv").write_text("\n".join(lines) + "\n")
    return folder


def judged(work: Path, dataset: Path, *, champion: Path, challenger: Path) -> dict[str, Any]:
    """The gate's verdict."""
    folder = work / "gate"
    for role, model in (("champion", champion), ("challenger", challenger)):
        path = folder / role / "model.tar.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path, "w:gz") as archive:
            for file in model.iterdir():
                archive.add(file, arcname=file.name)
    for name, target in (("bins", dataset / "val"), ("manifest", dataset)):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target.resolve())
    places = ("--input", folder, "--output", work / "verdict", "--dataset-id", dataset.name)
    roles = ("--challenger", "second", "--champion", "first")
    call("-m", "inference.evaluate", *places, *roles, *FLOORS.split())
    verdict: dict[str, Any] = json.loads((work / "verdict" / "verdict.json").read_text())
    return verdict


if __name__ == "__main__":
    main()
