"""Which way the state machines go, by the embedded cloud's interpreter of their language."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from embedded_cloud.sagemaker.registry.model_package_groups import ModelPackageGroups
from embedded_cloud.sagemaker.registry.model_packages import ModelPackages
from embedded_cloud.stepfunctions.interpreter import ExecutionError

from bincount.site.row import Row
from bincount.site.summary import Summary
from tests.infra.conftest import synthesize
from tests.infra.machine_walk import Walk, walk
from tests.infra.machines import State, Templates, machine_of, state_machine

LIST = {"bucket": "bins", "key": "runs/one/list.json"}


@cache
def pipeline_of(approval: str) -> State:
    """Dev's pipeline with that way to approve a model."""
    template = synthesize("dev", **{"release.approval": approval})["training"]
    return state_machine(template, "bincount-dev-pipeline")


class TestPreparation:
    """No Distributed Map is started over an empty list."""

    @staticmethod
    def walk(
        monkeypatch: pytest.MonkeyPatch, templates: Templates, *, parts: int, to_do: int, shards: int | None
    ) -> Walk:
        """`shards` None: the layout has none."""
        has_shards = shards is not None
        place = {"dataset_id": "one", "uri": "s3://bins/datasets/one", "sealed": False, "shards": has_shards}
        return walk(
            monkeypatch,
            machine_of(templates, "dev", "pipeline"),
            name="bincount-dev-pipeline",
            given={"request": {"validation_share": 0.2}},
            answers={
                "Open": {**place, "parts": {**LIST, "count": parts}},
                "Plan": {**place, "images": 8, "to_do": to_do, "work_list": LIST},
                "AssignShards": {"shards": shards, "work_list": LIST},
                "Seal": place,
            },
            stop="PublishDataset",
        )

    def maps(self, found: Walk) -> list[str]:
        assert found.error is None
        assert found.states[-1] == "Seal"
        return [name for name in found.states if name in ("Index", "Arrange", "Pack")]

    @pytest.mark.parametrize(
        ("parts", "to_do", "shards", "maps"),
        [
            (3, 8, 2, ["Index", "Arrange", "Pack"]),
            (3, 8, None, ["Index", "Arrange"]),
            (3, 0, None, ["Index"]),
            (3, 0, 2, ["Index", "Pack"]),
            (0, 8, 2, ["Arrange", "Pack"]),
            (3, 8, 0, ["Index", "Arrange"]),
            (0, 0, 0, []),
        ],
    )
    def test_a_map_without_items_is_passed_by(
        self,
        monkeypatch: pytest.MonkeyPatch,
        templates: Templates,
        parts: int,
        to_do: int,
        shards: int | None,
        maps: list[str],
    ) -> None:
        found = self.walk(monkeypatch, templates, parts=parts, to_do=to_do, shards=shards)
        assert self.maps(found) == maps


class TestRecount:
    """The end of a recount, by the figures that it writes."""

    @staticmethod
    def end(monkeypatch: pytest.MonkeyPatch, templates: Templates, *, rows: list[Row], images: int) -> Walk:
        summary = Summary()
        for row in rows:
            summary.add(row)
        uris = {kind: f"s3://bins/recounts/one/recount.{kind}" for kind in ("csv", "json")}
        return walk(
            monkeypatch,
            machine_of(templates, "dev", "recount"),
            name="bincount-dev-recount",
            given={"run": "one", "plan": {"images": images}},
            answers={"Summarize": {**uris, "summary": summary.to_json()}},
            start="Summarize",
        )

    @staticmethod
    def failed(code: str, number: int) -> list[Row]:
        return [
            Row.of_error(code, "why", id=f"{code}-{each}", image=f"{each}.jpg", expected=1)
            for each in range(number)
        ]

    @pytest.mark.parametrize("beside", ["", "no_image", "empty_body", "duplicate_id", "unsupported_format"])
    def test_without_any_answer_it_fails(
        self, monkeypatch: pytest.MonkeyPatch, templates: Templates, beside: str
    ) -> None:
        """Whatever is beside the images that were sent."""
        others = self.failed(beside, 2) if beside else []
        found = self.end(monkeypatch, templates, rows=[*self.failed("no_answer", 3), *others], images=3)
        assert found.states[-1] == "NothingAnswered"
        assert found.error is not None
        assert found.error[0] == "NothingAnswered"
        assert "s3://bins/recounts/one/answers/" in found.error[1]

    @pytest.mark.parametrize(
        "answered",
        [
            Row(id="1", image="1.jpg", expected=1, count=1, verdict="match", review=False),
            Row.of_error("undecodable_image", "no image", id="1", image="1.jpg", expected=1),
        ],
    )
    def test_one_answer_is_a_recount(
        self, monkeypatch: pytest.MonkeyPatch, templates: Templates, answered: Row
    ) -> None:
        rows = [*self.failed("no_answer", 2), answered]
        found = self.end(monkeypatch, templates, rows=rows, images=3)
        assert (found.states[-1], found.error) == ("Recounted", None)
        assert list(found.output) == ["csv", "json", "summary"]

    def test_where_nothing_was_sent_nothing_is_missed(
        self, monkeypatch: pytest.MonkeyPatch, templates: Templates
    ) -> None:
        found = self.end(monkeypatch, templates, rows=self.failed("no_image", 2), images=0)
        assert (found.states[-1], found.error) == ("Recounted", None)


class TestGate:
    """What becomes of an evaluated model."""

    @staticmethod
    def register(
        monkeypatch: pytest.MonkeyPatch,
        approval: str,
        *,
        accepted: bool,
        doubts: list[str],
        create: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> tuple[dict[str, Any], Walk]:
        machine = pipeline_of(approval)
        figures = dict.fromkeys(("accuracy", "rmse", "within_one", "coverage"), 0.5)
        verdict = {
            "accepted": accepted,
            "reasons": [] if accepted else ["accuracy is 0.5000, at least 0.9 is wanted"],
            "needs_person": doubts,
            "challenger": {"metrics": figures},
        }
        found = walk(
            monkeypatch,
            machine,
            name="bincount-dev-pipeline",
            given={
                "dataset": {"dataset_id": "one"},
                "candidate": {"training_job": "trial-1", "model_data": "s3://bins/models/1/model.tar.gz"},
                "serving_image": "image",
                "champion": "none",
                "evaluated": {"job": {"evaluation": "s3://bins/evaluations/one"}},
            },
            answers={
                "ReadVerdict": {"Body": json.dumps(verdict)},
                "Register": create or {"ModelPackageArn": "arn:package/1"},
            },
            start="ReadVerdict",
        )
        assert found.error is None
        return found.asked["Register"], found

    def test_a_second_attempt_registers_no_second_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The answer of the first one is lost; the registry is the embedded cloud's."""
        groups = ModelPackageGroups()
        groups.create({"ModelPackageGroupName": "bincount-dev"})
        reported: list[dict[str, Any]] = []
        packages = ModelPackages(groups=groups, publish_event=reported.append)
        attempts: list[dict[str, Any]] = []

        def create(request: dict[str, Any]) -> dict[str, Any]:
            attempts.append(packages.create(request))
            if len(attempts) == 1:
                raise ExecutionError("SageMaker.SdkClientException", "Connection reset")
            return attempts[-1]

        _, found = self.register(monkeypatch, "automatic", accepted=True, doubts=[], create=create)
        assert len(attempts) == 2
        assert len(packages.store.all()) == len(reported) == 1
        assert found.output["model_package"] == attempts[0]["ModelPackageArn"]

    @pytest.mark.parametrize(
        ("approval", "accepted", "doubts", "status", "last"),
        [
            ("automatic", True, [], "Approved", "Registered"),
            ("automatic", True, ["it was evaluated on 4 bins"], "PendingManualApproval", "Registered"),
            ("manual", True, [], "PendingManualApproval", "Registered"),
            ("manual", True, ["it was evaluated on 4 bins"], "PendingManualApproval", "Registered"),
            ("automatic", False, [], "Rejected", "Rejected"),
            ("automatic", False, ["it was evaluated on 4 bins"], "Rejected", "Rejected"),
        ],
    )
    def test_a_doubt_needs_a_person(
        self,
        monkeypatch: pytest.MonkeyPatch,
        approval: str,
        accepted: bool,
        doubts: list[str],
        status: str,
        last: str,
    ) -> None:
        request, found = self.register(monkeypatch, approval, accepted=accepted, doubts=doubts)
        assert request["ModelApprovalStatus"] == found.output["approval"] == status
        assert found.states[-1] == last
        said = "a person must decide: it was evaluated on 4 bins" in request["ModelPackageDescription"]
        assert said == (accepted and bool(doubts))
