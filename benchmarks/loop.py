"""The loop on the embedded cloud: another light, answers, recounts, and a model that learned from them.

    python benchmarks/loop.py --work DIR [--home 600] [--answers 200] [--recounts 60] [--weight 3]

Deploys the stage `local` with kept images and approval by a person. A first model learns from drawn bins in
one light and is approved. Then bins in another light are asked about through the HTTPS API; data capture and
the image keeper keep the images; a person (here: the label that was drawn) recounts some by `POST /labels`,
those first that asked for review. The pipeline trains again with the field source that `bincount train
--field` names; the second model is released after its approval and not before. Both models are asked, through
the endpoint, about bins of both lights that nobody has seen; differences are paired on the same bins, with
the range that holds 95 % of 10,000 bootstraps and the gate's own test. One thing is not as in production: all
answers come within minutes, so the time in each kept image's answer.json is spread over hours (5 answers
each), or all images would be one block of the split.

Prints the figures and writes them to DIR/loop.json.
"""

import argparse
import io
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / part) for part in ("core", "client", "emulator/src", "")]

from embedded_cloud.cloud import Cloud  # noqa: E402

from bincount import BinCounter, Question  # noqa: E402
from bincount.labels.label import Label  # noqa: E402
from bincount.labels.labelled import labelled_images  # noqa: E402
from bincount.labels.labelled import upload as upload_table  # noqa: E402
from bincount.labels.labeller import Labeller  # noqa: E402
from bincount.models import release  # noqa: E402
from bincount.models.pipeline import follow_pipeline, start_pipeline  # noqa: E402
from bincount.models.registry import packages, serving_model  # noqa: E402
from bincount.stage.stage import Stage  # noqa: E402
from demo.bins.generate import generate  # noqa: E402
from demo.cloud import BINCOUNT, STAGE, run_sizes  # noqa: E402
from demo.deployment import Deployment  # noqa: E402
from demo.source import Bin, read_bin, upload  # noqa: E402
from demo.weights import WeightsMirror  # noqa: E402
from inference.evaluate.paired import chance_of_worse  # noqa: E402

COUNTS = range(0, 6)
HOME_SEED, FIELD_SEED, UNSEEN_HOME, UNSEEN_FIELD = 3, 11, 7, 13
UNSEEN = 300
ANSWERS_AN_HOUR = 5
SETTINGS = {
    "capture.inputs": "true",
    "capture.sampled_share": "0.5",
    "release.approval": "manual",
    "api.requests_per_second": "100",
    "api.burst": "200",
    "labels.requests_per_second": "50",
    "labels.burst": "100",
}
Right = NDArray[np.int64]


def main() -> None:
    """Everything once, in order."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for bins, the cloud and loop.json")
    for name, default in (("home", 600), ("answers", 200), ("recounts", 60), ("weight", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    with (
        WeightsMirror(ROOT / "build" / "weights", arch=run_sizes()["training.arch"]) as weights,
        Cloud(data_dir=options.work / "cloud", project=BINCOUNT) as cloud,
    ):
        Loop(options, cloud, weights.settings).run()


class Loop:
    """One stage and what is done with it."""

    def __init__(self, options: argparse.Namespace, cloud: Cloud, weights: dict[str, str]) -> None:
        self.options = options
        self.cloud = cloud
        self.stage = Stage(STAGE, cloud=cloud.client_file)
        self.began = time.monotonic()
        self.report: dict[str, Any] = {
            name: getattr(options, name) for name in ("home", "answers", "recounts")
        }
        self.deployment = Deployment(
            environment=cloud.environment(),
            out=options.work,
            overrides={**weights, **SETTINGS},
            say=lambda _: None,
        )

    def run(self) -> None:
        """From nothing to two models, and the figures of both."""
        self.deployment.bootstrap()
        outputs = self.deployment.deploy()
        self.say("deployed")
        self.bucket = outputs[f"bincount-{STAGE}-data"]["BucketName"]
        self.api_url = self.cloud.api_url(outputs[f"bincount-{STAGE}-api"]["ApiUrl"])
        upload(
            self.cloud.client("s3"),
            self.drawn("home", self.options.home, HOME_SEED),
            progress=lambda *_: None,
        )
        first = self.train()
        self.approve(1)
        before = self.both_lights()
        self.say(f"first model: {shares(before)}")
        self.recount()
        second = self.train(field={**self.field(), "weight": self.options.weight})
        assert serving_model(self.stage) == first["candidate"]["model_data"], "it served before its approval"
        self.say(f"registered as {second['approval']}; the first model still serves")
        self.approve(2)
        assert serving_model(self.stage) == second["candidate"]["model_data"]
        after = self.both_lights()
        self.say(f"second model: {shares(after)}")
        self.report["verdict"] = second["verdict"]
        for light in before:
            self.report[light] = compared(before[light], after[light])
            self.say(f"{light}: {self.report[light]}")
        (self.options.work / "loop.json").write_text(json.dumps(self.report, indent=1) + "\n")

    def train(self, *, field: dict[str, Any] | None = None) -> dict[str, Any]:
        """One execution of the pipeline to a registered model; its output."""
        execution = start_pipeline(self.stage, field=field)
        for line in follow_pipeline(self.stage, execution):
            self.say(line)
        output: dict[str, Any] = json.loads(execution.output)
        return output

    def approve(self, version: int) -> None:
        """A person's yes, and the release to its end."""
        assert not packages(self.stage)[0].is_approved
        for line in release.approve(self.stage, version=version, note="looked at its report"):
            self.say(line)

    def recount(self) -> None:
        """Answers in the other light, their images, and what a person counted in some of them."""
        bins = {each.id: each for each in self.bins("field", self.options.answers, FIELD_SEED, dim=True)}
        with BinCounter(stage=self.stage, api_url=self.api_url, concurrency=2) as counter:
            questions = (Question(id=each.id, image=each.jpeg) for each in bins.values())
            asked = {each.answer.request_id: each for each in counter.count_many(questions) if each.answer}
        assert len(asked) == len(bins), f"{len(asked)} of {len(bins)} were answered"
        kept = self.kept_images([*asked])
        wanted = sorted(kept, key=lambda name: (not asked[name].answer.review, name))[: self.options.recounts]
        labels = [
            Label(request_id=name, count=bins[asked[name].question.id].count, note=None, by="benchmark")
            for name in wanted
        ]
        sent = list(Labeller(stage=self.stage, api_url=self.api_url).label_many(labels))
        assert all(each.labelled for each in sent), [each.error for each in sent if each.error][:3]
        reviews = sum(each.answer.review for each in asked.values())
        self.report["production"] = {"reviews": reviews, "kept": len(kept), "labels": len(sent)}
        self.say(f"{len(asked)} answers, {reviews} asked for review, {len(kept)} images, {len(sent)} labels")

    def kept_images(self, asked: list[str]) -> list[str]:
        """The answers whose image is kept, once the number stays; their times are spread over hours."""
        s3, known, since = self.cloud.client("s3"), -1, time.monotonic()
        while True:
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix="images/")
            keys = [each["Key"] for page in pages for each in page.get("Contents", ())]
            abouts = [key for key in keys if key.endswith("/answer.json")]
            if len(abouts) != known:
                known, since = len(abouts), time.monotonic()
            elif len(abouts) >= self.options.recounts and time.monotonic() - since > 20:
                break
            assert time.monotonic() - since < 300, f"{len(abouts)} images were kept"
            time.sleep(2)
        place = {name: number for number, name in enumerate(asked)}
        kept: list[str] = []
        for key in abouts:
            about = json.loads(s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())
            if about["request_id"] not in place:
                continue
            hour = place[about["request_id"]] // ANSWERS_AN_HOUR
            about["answered_at"] = f"2026-11-{1 + hour // 24:02d}T{hour % 24:02d}:20:01Z"
            s3.put_object(Bucket=self.bucket, Key=key, Body=json.dumps(about).encode())
            kept.append(about["request_id"])
        return kept

    def field(self) -> dict[str, Any]:
        """As `bincount train --field` does it."""
        found = labelled_images(self.stage)
        upload_table(self.stage, found)
        return found.field()

    def both_lights(self) -> dict[str, Right]:
        """Errors of the model that serves, in objects, on unseen bins of both lights."""
        sets = {
            "home": self.bins("unseen home", UNSEEN, UNSEEN_HOME),
            "field": self.bins("unseen field", UNSEEN, UNSEEN_FIELD, dim=True),
        }
        found: dict[str, Right] = {}
        with BinCounter(stage=self.stage, concurrency=2) as counter:
            for light, bins in sets.items():
                questions = (Question(id=each.id, image=each.jpeg) for each in bins)
                counts = {o.question.id: o.answer.count for o in counter.count_many(questions) if o.answer}
                found[light] = np.array([abs(counts[each.id] - each.count) for each in bins])
        return found

    def bins(self, name: str, images: int, seed: int, *, dim: bool = False) -> list[Bin]:
        """Drawn bins, in the first light or in the other one."""
        folder = self.drawn(name, images, seed)
        found = [read_bin(folder, path.stem) for path in sorted(folder.glob("bin-images/*.jpg"))]
        return [
            Bin(id=each.id, count=each.count, jpeg=other_light(each.jpeg)) if dim else each for each in found
        ]

    def drawn(self, name: str, images: int, seed: int) -> Path:
        """A folder in the public layout."""
        folder = self.options.work / name
        if not (folder / "file_list.json").is_file():
            generate(out=folder, images=images, seed=seed, counts=COUNTS, tidy=True)
        return folder

    def say(self, line: str) -> None:
        """With the seconds since the start."""
        print(f"{time.monotonic() - self.began:7.0f}  {line}", flush=True)


def other_light(jpeg: bytes) -> bytes:
    """A dim bluish lamp at the left: a fifth of the light, at the right edge two thirds of that, noise."""
    pixels = np.asarray(Image.open(io.BytesIO(jpeg)), dtype=np.float32)
    fall = np.linspace(1.0, 0.65, pixels.shape[1], dtype=np.float32)[None, :, None]
    noise = np.random.default_rng(len(jpeg)).normal(0, 6, pixels.shape).astype(np.float32)
    dim = pixels * fall * np.array([0.14, 0.18, 0.3], dtype=np.float32) + 6 + noise
    out = io.BytesIO()
    Image.fromarray(np.clip(dim, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=85)
    return out.getvalue()


def shares(errors: dict[str, Right]) -> str:
    """Accuracy by light."""
    return ", ".join(f"{light} {float((found == 0).mean()):.1%}" for light, found in errors.items())


def compared(before: Right, after: Right) -> dict[str, Any]:
    """Accuracy and RMSE of both, the paired difference of accuracy with its range, and the gate's chance of
    looking this bad by noise."""
    gain = (after == 0).astype(float) - (before == 0)
    drawn = np.random.default_rng(1).choice(gain, size=(10_000, len(gain))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {
        "bins": len(gain),
        "accuracy": [round(float((e == 0).mean()), 4) for e in (before, after)],
        "rmse": [round(float(np.sqrt((e**2).mean())), 3) for e in (before, after)],
        "gain": round(float(gain.mean()), 4),
        "range": [round(float(low), 4), round(float(high), 4)],
        "p_worse": round(chance_of_worse(-gain.astype(np.int64)), 4),
    }


if __name__ == "__main__":
    main()
