"""The loop on the embedded cloud: another light, answers, recounts, and a model that learned from them.

    OMP_NUM_THREADS=1 python benchmarks/loop.py --work DIR [--home 900] [--answers 200] [--recounts 60]
                                                [--weight 3]

Deploys the stage `local` with kept images and approval by a person. A first model learns from drawn bins in
one light and is approved. Then bins in another light are asked about through the HTTPS API; data capture and
the image keeper keep the images; a person (here: the label that was drawn) recounts some, those first that
asked for review. `bincount label --csv`, `bincount train --field --watch` and `bincount models approve` are
the command line itself. The second model is released after its approval and not before: the endpoint is asked
in between. Both models are asked, through the endpoint, about 600 bins of each light that nobody has seen;
differences are paired on the same bins, with the range that holds 95 % of 10,000 bootstraps and the gate's
own test. One thing is not as in production: all answers come within minutes, so the time in each kept image's
answer.json is spread over hours (5 answers each), or all images would be one block of the split.

Begins anew each time, but for the drawn bins. Prints the figures and writes them to DIR/loop.json.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from embedded_cloud.cloud import Cloud
from embedded_cloud.environment import forget_account
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

from bincount import BinCounter, Outcome, Question
from bincount.datasets.dataset import Dataset
from bincount.models.registry import ModelPackage, packages, serving_model
from bincount.stage.execution import recent
from bincount.stage.objects import listed_below
from bincount.stage.stage import VARIABLE, Stage
from demo.cloud import BINCOUNT, STAGE, run_sizes
from demo.deployment import Deployment
from demo.source import make_bins, upload
from demo.weights import WeightsMirror

STILL_SECONDS, LONGEST_SECONDS = 20, 300
SETTINGS = {
    "data_prep.counts": f"[{COUNTS_ASKED.replace('-', ', ')}]",
    "capture.inputs": "true",
    "capture.sampled_share": "0.5",
    "release.approval": "manual",
    "api.requests_per_second": "100",
    "api.burst": "200",
    "labels.requests_per_second": "50",
    "labels.burst": "100",
}


def main() -> None:
    """Everything once, in order."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for bins, the cloud and loop.json")
    for name, default in (("home", 900), ("answers", 200), ("recounts", 60), ("weight", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    options.work = options.work.resolve()
    shutil.rmtree(options.work / "cloud", ignore_errors=True)
    options.work.mkdir(parents=True, exist_ok=True)
    forget_account()
    with (
        WeightsMirror(ROOT / "build" / "weights", arch=run_sizes()["training.arch"]) as weights,
        Cloud(data_dir=options.work / "cloud", project=BINCOUNT) as cloud,
    ):
        Loop(options, cloud, weights.settings).run()


class Loop:
    """One stage and what is done with it."""

    def __init__(self, options: argparse.Namespace, cloud: Cloud, weights: dict[str, str]) -> None:
        self.options = options
        self.work: Path = options.work
        self.cloud = cloud
        self.stage = Stage(STAGE, cloud=cloud.client_file)
        self.began = time.monotonic()
        self.unseen = unseen(self.work)
        self.report: dict[str, Any] = {
            name: getattr(options, name) for name in ("home", "answers", "recounts", "weight")
        }
        self.deployment = Deployment(
            environment=cloud.environment(),
            out=self.work,
            overrides={**weights, **SETTINGS},
            say=lambda _: None,
        )

    def run(self) -> None:
        """From nothing to two models, and the figures of both."""
        self.deployment.bootstrap()
        self.deployment.deploy()
        self.say("deployed")
        folder = make_bins(self.work / "home", images=self.options.home, seed=HOME_SEED)
        upload(self.cloud.client("s3"), folder, progress=lambda *_: None)
        first = self.train()
        assert first.gate == "accepted", (
            f"the gate rejected the first model ({first.reason}): try more --home"
        )
        self.approve(first)
        before = self.errors(first)
        self.say(f"first model: {shares(before)}")
        self.recount()
        releases = len(recent(self.stage, "release"))
        second = self.train("--field", "--field-weight", str(self.options.weight))
        self.say(f"registered as {second.approval}, {second.gate} by the gate")
        assert second.approval != "Approved", "it was approved without a person"
        assert serving_model(self.stage) == first.model_data, "it is released before its approval"
        assert len(recent(self.stage, "release")) == releases, "a release began before the approval"
        between = self.errors(first)  # which looks at the name of the model in each answer
        assert all((between[light] == before[light]).all() for light in before), "other answers came"
        self.say("the first model still serves, with the same answers")
        self.describe(second)
        self.approve(second)
        after = self.errors(second)
        self.say(f"second model: {shares(after)}")
        for light in before:
            self.report[light] = compared(before[light], after[light])
            self.say(f"{light}: {self.report[light]}")
        self.report["seconds"] = round(time.monotonic() - self.began)
        (self.work / "loop.json").write_text(json.dumps(self.report, indent=1) + "\n")

    def train(self, *field: str) -> ModelPackage:
        """`bincount train --watch` to a registered model."""
        self.bincount("train", "--watch", *field)
        return packages(self.stage)[0]

    def approve(self, package: ModelPackage) -> None:
        """A person's yes, and the release to its end."""
        note = ("--note", "looked at its report")
        self.bincount("models", "approve", str(package.version), *note)
        assert serving_model(self.stage) == package.model_data, f"version {package.version} does not serve"

    def describe(self, package: ModelPackage) -> None:
        """What the dataset took of the field, and what the gate said, into the report."""
        dataset = Dataset(stage=self.stage)
        self.report["dataset"] = {
            name: dataset.description[name] for name in ("field", "rejected", "warnings")
        }
        assert package.verdict is not None
        bucket, _, key = package.verdict.removeprefix("s3://").partition("/")
        verdict = json.loads(self.cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
        wanted = ("accepted", "reasons", "needs_person", "comparison", "parts")
        self.report["gate"] = {name: verdict[name] for name in wanted}
        self.say(f"the gate: {json.dumps(self.report['gate'])}")

    def recount(self) -> None:
        """Answers in the other light, their images, and what a person counted in some of them."""
        folder = make_bins(self.work / "production", images=self.options.answers, seed=FIELD_SEED)
        asked = {each.id: each for each in bins(folder, dim=True)}
        with BinCounter(stage=self.stage, api_url=self.stage.api_url, concurrency=2) as counter:
            outcomes = {each.question.id: each for each in ask(counter, [*asked.values()])}
        answered = {each.answer.request_id: id for id, each in outcomes.items() if each.answer}
        kept = self.kept_images(answered, place={id: number for number, id in enumerate(sorted(asked))})
        wanted = sorted(kept, key=lambda id: (not reviewed(outcomes[id]), id))[: self.options.recounts]
        table = self.work / "recount.csv"
        with table.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(("request_id", "count"))
            rows.writerows((kept[id], asked[id].count) for id in wanted)
        self.bincount("label", "--csv", str(table), "--by", "benchmark")
        reviews = sum(map(reviewed, outcomes.values()))
        self.report["production"] = {"reviews": reviews, "kept": len(kept), "labels": len(wanted)}
        self.say(f"{len(outcomes)} answers, {reviews} asked for review, {len(kept)} images are kept")

    def kept_images(self, answered: dict[str, str], *, place: dict[str, int]) -> dict[str, str]:
        """The bins whose image is kept with the id of the answer; their times are spread over hours."""
        s3, bucket = self.cloud.client("s3"), self.stage.bucket
        began = changed = time.monotonic()
        found: list[str] = []
        while len(found) < self.options.recounts or time.monotonic() - changed < STILL_SECONDS:
            assert time.monotonic() - began < LONGEST_SECONDS, f"{len(found)} images were kept"
            time.sleep(2)
            keys = [each["Key"] for each in listed_below(s3, bucket, "images/")]
            now = [key for key in keys if key.endswith("/answer.json") and key.split("/")[1] in answered]
            if len(now) != len(found):
                found, changed = now, time.monotonic()
        kept: dict[str, str] = {}
        for key in found:
            about = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            id = answered[about["request_id"]]
            about["answered_at"] = answered_at(place[id])
            s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(about).encode())
            kept[id] = about["request_id"]
        return kept

    def errors(self, model: ModelPackage) -> Errors:
        """Errors in objects on unseen bins of both lights, of the model that must serve."""
        found: Errors = {}
        with BinCounter(stage=self.stage, concurrency=2) as counter:
            for light, own in self.unseen.items():
                outcomes = {each.question.id: each.answer for each in ask(counter, own)}
                answers = [answer for each in own if (answer := outcomes[each.id])]
                assert len(answers) == len(own), f"{len(answers)} of {len(own)} were answered"
                names = {answer.model for answer in answers}
                assert names == {model.training_job}, f"{names} answered, not {model.training_job}"
                counts = zip(answers, own, strict=True)
                found[light] = np.array([abs(answer.count - each.count) for answer, each in counts])
        return found

    def bincount(self, *words: str) -> None:
        """The command line, whose lines are shown; it must end well."""
        variables = {**os.environ, VARIABLE: str(self.cloud.client_file), "COLUMNS": "200"}
        variables["PYTHONPATH"] = os.pathsep.join(str(ROOT / part) for part in ("client", "core"))
        command = [sys.executable, "-m", "bincount", *words, "--stage", STAGE]
        self.say(f"bincount {' '.join(words)}")
        with subprocess.Popen(
            command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                self.say(f"  {line.rstrip()}")
        assert process.returncode == 0, f"bincount {words[0]} ended with {process.returncode}"

    def say(self, line: str) -> None:
        """With the seconds since the start."""
        print(f"{time.monotonic() - self.began:7.0f}  {line}", flush=True)


def ask(counter: BinCounter, own: list[Bin]) -> list[Outcome]:
    """All of them, in the order of completion."""
    return list(counter.count_many(Question(id=each.id, image=each.jpeg) for each in own))


def reviewed(outcome: Outcome) -> bool:
    """Whether the answer asked for a person."""
    return bool(outcome.answer and outcome.answer.review)


if __name__ == "__main__":
    main()
