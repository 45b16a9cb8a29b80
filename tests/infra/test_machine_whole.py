"""The state machines from start to a good end, by the embedded cloud's interpreter of their language."""

import json
from typing import Any

import pytest

from bincount.site.row import Row
from bincount.site.summary import Summary
from infra.names import NO_MODEL
from tests.infra.conftest import context
from tests.infra.machine_walk import Walk, answer_of, walk
from tests.infra.machines import State

Machines = dict[str, State]
BEGAN = "2026-11-27T12:00:00Z"
MODEL = "s3://bins/models/1/output/model.tar.gz"


def list_at(key: str) -> dict[str, str]:
    return {"bucket": "bins", "key": key}


def parameter(value: str) -> dict[str, Any]:
    return {"Parameter": {"Name": "/bincount/dev/x", "Value": value}}


class TestPipeline:
    """Without a request: the stage's own, to a model in the registry."""

    @staticmethod
    def walk(
        monkeypatch: pytest.MonkeyPatch,
        machines: Machines,
        *,
        champion: str,
        given: dict[str, Any] | None = None,
    ) -> Walk:
        place = {"dataset_id": "one", "uri": "s3://bins/datasets/one/", "sealed": False, "shards": True}
        verdict: dict[str, Any] = {
            "accepted": True,
            "reasons": [],
            "needs_person": [],
            "challenger": {"metrics": {"accuracy": 0.7, "rmse": 0.6, "within_one": 0.9, "coverage": 0.8}},
        }
        tuned = answer_of(
            "DescribeHyperParameterTuningJob",
            HyperParameterTuningJobName="bins-dev-1",
            HyperParameterTuningJobStatus="Completed",
            CreationTime=BEGAN,
            BestTrainingJob={"TrainingJobName": "bins-dev-1-001"},
        )
        best = answer_of(
            "DescribeTrainingJob",
            TrainingJobName="bins-dev-1-001",
            ModelArtifacts={"S3ModelArtifacts": MODEL},
        )
        evaluated = answer_of(
            "DescribeProcessingJob",
            ProcessingJobName="evaluation-dev-1",
            ProcessingJobStatus="Completed",
            CreationTime=BEGAN,
            ProcessingOutputConfig={
                "Outputs": [{"OutputName": "verdict", "S3Output": {"S3Uri": "s3://bins/evaluations/one"}}]
            },
        )
        return walk(
            monkeypatch,
            machines["pipeline"],
            name="bincount-dev-pipeline",
            given=given or {},
            answers={
                "Open": {**place, "parts": {**list_at("runs/one/parts.json"), "count": 3}},
                "Plan": {**place, "images": 8, "to_do": 8, "work_list": list_at("runs/one/work.json")},
                "AssignShards": {"shards": 2, "work_list": list_at("runs/one/shards.json")},
                "Seal": place,
                "PublishDataset": {"Version": 1},
                "StageWeights": {"staged": True},
                "CreateHyperParameterTuningJob": {},
                "DescribeHyperParameterTuningJob": tuned,
                "DescribeBest": best,
                "ReadEvaluationImage": parameter("registry/server:x86"),
                "ReadServingImage": parameter("registry/server:arm"),
                "ReadChampion": parameter(champion),
                "CreateProcessingJob": {},
                "DescribeProcessingJob": evaluated,
                "ReadVerdict": {"Body": json.dumps(verdict)},
                "Register": {"ModelPackageArn": "arn:aws:sagemaker:us-east-1:1:model-package/bincount-dev/1"},
            },
        )

    @pytest.mark.parametrize("champion", [NO_MODEL, "s3://bins/models/0/output/model.tar.gz"])
    def test_from_nothing_to_a_registered_model(
        self, monkeypatch: pytest.MonkeyPatch, machines: Machines, champion: str
    ) -> None:
        found = self.walk(monkeypatch, machines, champion=champion)
        assert found.error is None
        assert found.states[-1] == "Registered"
        own = context()["stages"]["dev"].get("data_prep", {})
        asked = found.asked["Open"]["request"]
        assert asked["layout"] == own.get("layout", "folders")
        assert found.asked["Seal"] == {"step": "seal", "dataset_id": "one"}
        assert found.asked["PublishDataset"]["Value"] == "s3://bins/datasets/one/"
        assert found.asked["DescribeBest"] == {"TrainingJobName": "bins-dev-1-001"}
        evaluation = found.asked["CreateProcessingJob"]
        inputs = {each["InputName"]: each["S3Input"]["S3Uri"] for each in evaluation["ProcessingInputs"]}
        assert inputs["challenger"] == MODEL
        assert inputs.get("champion", NO_MODEL) == champion
        assert evaluation["AppSpecification"]["ImageUri"] == "registry/server:x86"
        (container,) = found.asked["Register"]["InferenceSpecification"]["Containers"]
        assert container == {"Image": "registry/server:arm", "ModelDataUrl": MODEL}
        assert found.output["model_package"].endswith("/1")

    @pytest.mark.parametrize("weight", [{}, {"weight": 7}])
    @pytest.mark.parametrize("request_of", [None, {"source": {"bucket": "hall-7"}, "counts": [0, 3]}])
    def test_images_of_production_stand_beside_any_request(
        self,
        monkeypatch: pytest.MonkeyPatch,
        machines: Machines,
        weight: dict[str, int],
        request_of: dict[str, Any] | None,
    ) -> None:
        field = {"bucket": "bins", "prefix": "images/", "labels": "s3://bins/images/labelled.csv"}
        request = {} if request_of is None else {"request": request_of}
        alone = self.walk(monkeypatch, machines, champion=NO_MODEL, given=request)
        given = {**request, "field": {**field, **weight}}
        asked = self.walk(monkeypatch, machines, champion=NO_MODEL, given=given).asked["Open"]["request"]
        assert asked == alone.asked["Open"]["request"] | {"field": {"weight": 3, **field, **weight}}

    def test_maps_read_their_lists_and_pass_their_input_on(
        self, monkeypatch: pytest.MonkeyPatch, machines: Machines
    ) -> None:
        found = self.walk(monkeypatch, machines, champion=NO_MODEL)
        keys = {name: found.read[name] for name in ("Index", "Arrange", "Pack")}
        assert keys == {
            "Index": "runs/one/parts.json",
            "Arrange": "runs/one/work.json",
            "Pack": "runs/one/shards.json",
        }
        assert found.written == {name: f"runs/one/map-{name.lower()}" for name in keys}


class TestRecount:
    """From images and a manifest to figures."""

    @staticmethod
    def walk(monkeypatch: pytest.MonkeyPatch, machines: Machines, *, model: str = MODEL, images: int) -> Walk:
        summary = Summary()
        for number in range(images):
            row = Row(id=str(number), image="1.jpg", expected=1, count=1, verdict="match", review=False)
            summary.add(row)
        folder = "s3://bins/recounts/one"
        done = answer_of(
            "DescribeTransformJob",
            TransformJobName="bincount-dev-recount-1",
            TransformJobStatus="Completed",
            CreationTime=BEGAN,
        )
        return walk(
            monkeypatch,
            machines["recount"],
            name="bincount-dev-recount",
            given={"images": "s3://bins/sites/one/", "manifest": "s3://bins/sites/one.csv"},
            answers={
                "ReadModel": parameter(model),
                "ReadImage": parameter("registry/server:x86"),
                "Plan": {
                    "images": images,
                    "input": f"{folder}/work/images.json",
                    "answers": f"{folder}/answers/",
                    "chunks": list_at("recounts/one/work/chunks.json"),
                },
                "CreateModel": {},
                "CreateTransformJob": {},
                "DescribeTransformJob": done,
                "DeleteModel": {},
                "Summarize": {"csv": f"{folder}/recount.csv", "summary": summary.to_json()},
            },
        )

    def test_from_images_to_figures(self, monkeypatch: pytest.MonkeyPatch, machines: Machines) -> None:
        found = self.walk(monkeypatch, machines, images=2)
        assert (found.error, found.states[-1]) == (None, "Recounted")
        given = {"images": "s3://bins/sites/one/", "manifest": "s3://bins/sites/one.csv"}
        for step in ("Plan", "Summarize"):
            assert found.asked[step]["run"] == "one"
            assert found.asked[step]["request"].items() >= given.items()
        model = found.asked["CreateModel"]["ModelName"]
        assert found.asked["CreateTransformJob"]["ModelName"] == model
        assert found.asked["DeleteModel"] == {"ModelName": model}
        assert found.asked["CreateModel"]["PrimaryContainer"]["ModelDataUrl"] == MODEL
        assert (found.read, found.written) == (
            {"Join": "recounts/one/work/chunks.json"},
            {"Join": "recounts/one/work/map"},
        )
        assert found.output["summary"]["bins"] == 2

    def test_without_an_image_no_job_is_started(
        self, monkeypatch: pytest.MonkeyPatch, machines: Machines
    ) -> None:
        found = self.walk(monkeypatch, machines, images=0)
        assert (found.error, found.states[-1]) == (None, "Recounted")
        assert "CreateModel" not in found.asked

    def test_without_an_approved_model_it_fails_at_once(
        self, monkeypatch: pytest.MonkeyPatch, machines: Machines
    ) -> None:
        found = self.walk(monkeypatch, machines, model=NO_MODEL, images=2)
        assert found.error is not None
        assert found.error[0] == "NoModel"
        assert list(found.asked) == ["ReadModel"]
