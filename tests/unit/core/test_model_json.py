"""model.json: what is read, and that every fault is named."""

import copy
import dataclasses
import json
from pathlib import Path

import jsonschema
import pytest

from bincount_core.model_json import ModelFault, read_description

GOOD = {
    "schema_version": 1,
    "model_id": "job-1",
    "architecture": "resnet50",
    "precision": "INT8",
    "classes": {"counts": [0, 1, 2, 5], "open_top": True},
    "preprocessing": {"name": "dct-bilinear", "version": 1, "width": 320, "height": 224},
    "normalisation": {"in_graph": True, "mean": [0, 0, 0], "std": [1, 1, 1]},
    "calibration": {
        "temperature": 1.15,
        "interval": {"coverage": 0.9, "score_quantile": 0.83},
        "review": {"target_accuracy": 0.9, "confidence_below": None},
        "verdict": {"mismatch_below": 0.05},
    },
    "metrics": {
        "validation": {"accuracy": 0.4, "rmse": 1.1, "mae": 0.8, "within_one": 0.8, "images": 9},
        "test": {
            "accuracy": 0.4,
            "rmse": 1.1,
            "mae": 0.8,
            "within_one": 0.8,
            "images": 9,
            "majority_accuracy": 0.2,
        },
    },
    "dataset_id": "d",
    "source_revision": "r",
    "created": "2026-11-23T00:00:00Z",
}
SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "schemas" / "model.schema.json").read_text())


@pytest.fixture
def write(tmp_path: Path):
    def write(**changes: object) -> Path:
        """model.json with members changed by dotted path (dots as double underscores)."""
        document = copy.deepcopy(GOOD)
        for path, value in changes.items():
            *parents, name = path.split("__")
            target = document
            for parent in parents:
                target = target[parent]  # type: ignore[assignment]
            target[name] = value
        (tmp_path / "model.json").write_text(json.dumps(document))
        return tmp_path / "model.json"

    return write


def test_the_document_read_here_is_one_that_training_may_write():
    jsonschema.Draft202012Validator(SCHEMA).validate(GOOD)


def test_what_serving_needs_is_read(write):
    description = read_description(write())
    assert description.model_id == "job-1"
    assert description.counts == (0, 1, 2, 5)
    assert description.open_top is True
    assert (description.width, description.height) == (320, 224)
    assert (description.temperature, description.score_quantile, description.mismatch_below) == (
        1.15,
        0.83,
        0.05,
    )
    assert description.confidence_below is None


def test_a_model_of_before_the_choice_answers_as_it_did(write):
    assert "answer" not in GOOD["calibration"]
    assert read_description(write()).answer == "most_probable"
    assert read_description(write(calibration__answer="median")).answer == "median"


@pytest.mark.parametrize("version", [2, 0, "1", None, 1.5])
def test_another_schema_version_is_rejected_with_one_line(write, version):
    with pytest.raises(ModelFault, match=r"schema_version is .*, this server reads 1: serve the model with"):
        read_description(write(schema_version=version))


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("model_id", "", "model_id: expected text of 1 to 256 characters, got ''"),
        ("classes__counts", [], "classes.counts: expected an ascending list"),
        ("classes__counts", [1, 1], "classes.counts: expected an ascending list"),
        ("classes__counts", [0, True], "classes.counts: expected an ascending list"),
        ("classes__counts", [-1, 0], "classes.counts: expected an ascending list"),
        ("classes__open_top", 1, "classes.open_top: expected true or false, got 1"),
        ("preprocessing__name", "crop", "preprocessing.name: expected 'dct-bilinear', the only one"),
        ("preprocessing__version", 2, "preprocessing.version: expected 1, the only one"),
        ("preprocessing__width", 0, "preprocessing.width: expected a whole number of pixels from 1 to 4096"),
        ("preprocessing__height", 224.0, "preprocessing.height: expected a whole number of pixels"),
        ("normalisation__in_graph", False, "normalisation.in_graph: expected True"),
        (
            "calibration__temperature",
            0,
            "calibration.temperature: expected a number above 0 up to 100, got 0",
        ),
        (
            "calibration__interval__score_quantile",
            1.1,
            "calibration.interval.score_quantile: expected a number",
        ),
        (
            "calibration__review__confidence_below",
            -0.1,
            "calibration.review.confidence_below: expected a number",
        ),
        (
            "calibration__verdict",
            {},
            "calibration.verdict.mismatch_below: expected a number from 0 up to 1, got nothing",
        ),
        ("calibration__answer", "mean", "calibration.answer: expected most_probable or median, got 'mean'"),
        ("calibration__answer", None, "calibration.answer: expected most_probable or median, got None"),
        ("calibration", None, "calibration.temperature: expected a number above 0 up to 100, got nothing"),
        ("calibration__temperature", float("nan"), "calibration.temperature: expected a number above 0"),
    ],
)
def test_each_fault_is_named(write, path, value, fault):
    with pytest.raises(ModelFault) as caught:
        read_description(write(**{path: value}))
    assert fault in str(caught.value)


def test_all_faults_are_named_at_once_on_one_line(write):
    with pytest.raises(ModelFault) as caught:
        read_description(write(model_id=7, classes=[], preprocessing__name="x"))
    text = str(caught.value)
    assert "model_id" in text and "classes.counts" in text and "preprocessing.name" in text
    assert "\n" not in text


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelFault, match="no such file: a model directory holds model.json"):
        read_description(tmp_path / "model.json")


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b"null", b"[" * 200_000])
def test_what_is_no_json_object_is_rejected(tmp_path, content):
    (tmp_path / "model.json").write_bytes(content)
    with pytest.raises(ModelFault, match="not JSON|expected a JSON object"):
        read_description(tmp_path / "model.json")


@pytest.mark.parametrize(("confidence_below", "answer"), [(None, "most_probable"), (0.7, "median")])
def test_what_is_written_is_what_is_read_and_what_the_schema_asks_for(
    write, tmp_path, confidence_below, answer
):
    written = dataclasses.replace(read_description(write()), confidence_below=confidence_below, answer=answer)
    document = written.document(coverage=0.9, target_accuracy=0.95, mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.2))
    rest = {name: GOOD[name] for name in ("metrics", "dataset_id", "source_revision", "created")}
    jsonschema.Draft202012Validator(SCHEMA).validate({**document, **rest})
    (tmp_path / "written.json").write_text(json.dumps(document))
    assert read_description(tmp_path / "written.json") == written
