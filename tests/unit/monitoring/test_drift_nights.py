"""Nights of drift on a real S3: capture and baseline in; report, page, figure and command line out."""

import json
import os
import subprocess
import sys
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import jsonschema
import numpy as np
import pytest
from PIL import Image

from inference.inference import input_fn, model_fn, output_fn, predict_fn
from inference.observe.observe import Observer, write_observations
from monitoring.captures.captured import place_of
from monitoring.drift import handler
from monitoring.drift.places import Night, baseline_folder, night_of
from monitoring.images.keep import keep_images
from tests.browser.look import complaints, look
from tests.unit.client.conftest import Bincount, bincount
from tests.unit.inference.conftest import encode, make_model, model_dir
from tests.unit.monitoring.conftest import BUCKET
from tests.unit.monitoring.test_kept_images import line, stage

__all__ = ["bincount", "make_model", "model_dir", "stage"]
ROOT = Path(__file__).parents[3]
MODEL = "brightness-1"
CAPTURES = "capture/bincount-dev/AllTraffic/"
NIGHT = Night(datetime.now(UTC).date() - timedelta(days=1))
PLAN = {"step": "plan", "day": f"{NIGHT.day}", "started": "2026-11-28T04:00:00.000Z"}
SHARE = 0.6


def image(rng: np.random.Generator, *, light: float = 1.0) -> bytes:
    """A bin of 1 to 4 objects, as the model that counts brightness sees them."""
    level = light * (40 * rng.integers(1, 5) + rng.normal(0, 6))
    pixels = np.clip(rng.normal(level, 8, (48, 64, 3)), 0, 255).astype(np.uint8)
    return encode(Image.fromarray(pixels), "JPEG")


@pytest.fixture
def cloud(s3: Any, model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A stage whose model has a baseline, and the environment of its function."""
    rng = np.random.default_rng(1)
    images = [(f"{number:04}", image(rng)) for number in range(400)]
    folder = tmp_path / "baseline"
    address = f"s3://{BUCKET}/models/one/output/model.tar.gz"
    about = {"model_data": address, "dataset_id": "bins-0123456789ab", "sizes": "original"}
    write_observations(Observer(model_dir, cpus=1), images, folder=folder, **about)
    for path in folder.iterdir():
        s3.upload_file(str(path), BUCKET, f"{baseline_folder(MODEL)}{path.name}")
    given = {
        "CAPTURES": CAPTURES,
        "ENDPOINT": f"bincount-{tmp_path.name}",  # whose figures are of this test alone
        "MOST_ANSWERS": "200",
        "MOST_IMAGES": "50",
        "IMAGE_SHARE": str(SHARE),
        "NIGHTS_PER_ALARM": "100",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return s3


def ask(s3: Any, model: Path, *, images: list[bytes], hour: int = 9) -> list[str]:
    """The endpoint answers, SageMaker captures, and the function that keeps images sorts the file."""
    served = model_fn(model, cpus=1)
    lines: list[bytes] = []
    names = [f"ask-{hour}-{number}" for number in range(len(images))]
    for name, data in zip(names, images, strict=True):
        body, _ = output_fn(predict_fn(input_fn(data, "image/jpeg"), served), "application/json")
        answer = {**json.loads(body), "request_id": name}
        lines.append(line(name, image=data, answer=answer))
    lines += [line("an-error", answer={"error": {"code": "undecodable_image"}}), b'{"captureData"', b"[]"]
    key = f"{CAPTURES}{NIGHT.day:%Y/%m/%d}/{hour:02}/20-01-abc.jsonl"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"\n".join(lines))
    keep_images(s3, bucket=BUCKET, key=key, share=SHARE)
    return names


def run_job(s3: Any, plan: dict[str, Any], model: Path, folder: Path) -> None:
    """What SageMaker does with the job's inputs and outputs, and the program between."""
    place = plan["manifest"].removeprefix(f"s3://{BUCKET}/")
    head, *names = json.loads(s3.get_object(Bucket=BUCKET, Key=place)["Body"].read())
    assert head == {"prefix": f"s3://{BUCKET}/images/"}
    for name in names:
        path = folder / "input" / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(BUCKET, f"images/{name}", str(path))
    (folder / "input" / "model").mkdir()
    with tarfile.open(folder / "input" / "model" / "model.tar.gz", "w:gz") as archive:
        for file in model.iterdir():
            archive.add(file, arcname=file.name)
    command = ["-m", "inference.observe", "--input", folder / "input", "--output", folder / "output"]
    subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, check=True, timeout=120)
    for path in (folder / "output").iterdir():
        s3.upload_file(str(path), BUCKET, f"{plan['observed'].removeprefix(f's3://{BUCKET}/')}{path.name}")


def read(s3: Any, key: str) -> Any:
    return json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())


def figures() -> dict[str, float]:
    """What the alarm sees."""
    dimensions = [{"Name": "endpoint", "Value": os.environ["ENDPOINT"]}]
    found: dict[str, float] = {}
    for name in ("drift", "drift-answers"):
        statistics = boto3.client("cloudwatch").get_metric_statistics(
            Namespace="BinCount", MetricName=name, Dimensions=dimensions,
            Period=86_400, Statistics=["Maximum"],
            StartTime=datetime.now(UTC) - timedelta(days=3), EndTime=datetime.now(UTC) + timedelta(days=1),
        )["Datapoints"]  # fmt: skip
        found |= {name: statistics[-1]["Maximum"]} if statistics else {}
    return found


@pytest.mark.usefixtures("stage")
def test_a_darker_hall_is_reported_twice_the_same(
    cloud: Any, model_dir: Path, tmp_path: Path, bincount: Bincount, s3_environment: dict[str, str]
) -> None:
    rng = np.random.default_rng(2)
    names = ask(cloud, model_dir, images=[image(rng, light=0.8) for _ in range(120)])
    plan = handler.handler(PLAN, None)
    assert (plan["model"], plan["answers"], plan["images"], plan["reason"]) == (MODEL, 120, 50, "")
    assert handler.handler(PLAN, None) == plan
    sampled = sorted((name for name in names if place_of(name) < SHARE), key=place_of)[:50]
    wanted = {f"{name}/image.jpg" for name in sampled}
    assert set(read(cloud, NIGHT.manifest)[1:]) == wanted
    run_job(cloud, plan, model_dir, tmp_path / "job")
    done = handler.handler({"step": "compare", "plan": plan}, None)
    report = read(cloud, NIGHT.report)
    schema = json.loads((ROOT / "docs" / "schemas" / "drift.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(report)
    assert done["drifted"] and "the images are darker" in json.dumps(report["measures"])
    assert handler.handler({"step": "compare", "plan": plan}, None) == done
    assert read(cloud, NIGHT.report) == report
    assert figures() == {"drift": 1.0, "drift-answers": 120.0}
    page = tmp_path / "drift.html"
    cloud.download_file(BUCKET, NIGHT.page, str(page))
    assert complaints(page, look(page, tmp_path / "looks")) == []
    _the_command_line_says_it(cloud, bincount, s3_environment, tmp_path)


def _the_command_line_says_it(s3: Any, bincount: Bincount, environment: dict[str, str], folder: Path) -> None:
    cloud = {**environment, "AWS_REGION": "us-east-1"}
    done = bincount("drift", "--days", "2", check=4, **cloud)
    assert "darker" in done.stdout and "Check the lamps" in done.stdout and "no report" in done.stdout
    assert (folder / "drift" / f"drift-{NIGHT.day}.html").read_bytes().startswith(b"<!doctype html>")
    lines = bincount("drift", "--json", check=4, **cloud).stdout.splitlines()
    assert [json.loads(each) for each in lines] == [read(s3, NIGHT.report)]


def test_a_day_without_traffic_and_a_model_without_baseline_say_so(cloud: Any, model_dir: Path) -> None:
    quiet = handler.handler(PLAN, None)
    assert quiet["reason"] == "no answer was captured that day" and quiet["images"] == 0
    assert not read(cloud, NIGHT.report)["tested"] and "drift" not in figures()
    ask(cloud, model_dir, images=[image(np.random.default_rng(3))] * 40)
    cloud.delete_object(Bucket=BUCKET, Key=f"{baseline_folder(MODEL)}about.json")
    plan = handler.handler(PLAN, None)
    assert f"model {MODEL} has no baseline" in plan["reason"]
    assert "candidate" in read(cloud, NIGHT.report)["summary"]


def test_an_image_that_was_forgotten_is_not_asked_for(cloud: Any, model_dir: Path) -> None:
    rng = np.random.default_rng(4)
    names = ask(cloud, model_dir, images=[image(rng) for _ in range(60)])
    sampled = [name for name in names if place_of(name) < SHARE]
    cloud.delete_object(Bucket=BUCKET, Key=f"images/{sampled[0]}/image.jpg")
    assert handler.handler(PLAN, None)["images"] == len(sampled) - 1


def test_without_images_the_answers_alone_are_compared(
    cloud: Any, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOST_IMAGES", "0")
    rng = np.random.default_rng(5)
    ask(cloud, model_dir, images=[image(rng) for _ in range(80)])
    plan = handler.handler(PLAN, None)
    done = handler.handler({"step": "compare", "plan": plan}, None)
    report = read(cloud, NIGHT.report)
    assert done["tested"] and [each["name"] for each in report["families"]] == ["answers"]
    assert {each["measure"] for each in report["measures"]} == {"count", "confidence", "review"}


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "2026/11/27"])
def test_a_day_that_is_none_is_named(day: str) -> None:
    with pytest.raises(ValueError, match='day: expected a day as "2026-11-28"'):
        night_of(day, started="2026-11-28T04:00:00Z")


def test_the_day_before_is_looked_at() -> None:
    assert f"{night_of(None, started='2026-03-01T00:00:00.001Z').day}" == "2026-02-28"


def test_the_network_of_make_try_has_features() -> None:
    """INT8, with a quantised head: the features are what it was pooled to, the answer is the server's."""
    folder = ROOT / "demo" / "page" / "model"
    data = (ROOT / "demo" / "page" / "examples" / "bin-1.jpg").read_bytes()
    observer = Observer(folder, cpus=1)
    observed = observer.observe("one", data)
    assert observed is not None and observed.features.shape == (1280,)
    served = predict_fn(input_fn(data, "image/jpeg"), model_fn(folder, cpus=1)).answer
    assert observed.answer.count == served.count
    assert observed.answer.confidence == pytest.approx(served.confidence, abs=1e-3)
    assert observer.observe("none", b"no image") is None
    schema = json.loads((ROOT / "docs" / "schemas" / "observation.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(observed.line())
