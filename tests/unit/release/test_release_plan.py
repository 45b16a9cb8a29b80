"""Which execution may hold the lock, and what it does first: every branch of release_plan.py."""

import json
from typing import Any

import pytest
import release_plan

from tests.unit.release.answers import (
    ME,
    NEW,
    NOW,
    OLD,
    OTHER,
    VERDICT,
    Facts,
    approval,
    approved,
    arn,
    aws_error,
    bad_end,
    event,
    execution,
    journal,
    package,
    parameter,
    rollback,
)

PATIENCE = 120


class TestLock:
    @staticmethod
    def decide(given: Facts, *, held_by: str = "", holder: Facts | None = None) -> Facts:
        item = {"id": "release", "holder": held_by} if held_by else {}
        return release_plan.lock(event(given, patience_seconds=PATIENCE), item, holder, now=NOW)

    @pytest.mark.parametrize("given", [approval(), rollback()])
    def test_a_free_lock_is_taken(self, given: Facts) -> None:
        assert self.decide(given) == {"decision": "take", "holder": ""}

    def test_a_lock_that_is_ours_is_taken_again(self) -> None:
        assert self.decide(approval(), held_by=ME) == {"decision": "take", "holder": ME}

    @pytest.mark.parametrize(
        ("holder", "decision"),
        [
            (execution("RUNNING"), "wait"),
            (execution("ABORTED", ended_seconds_ago=PATIENCE - 1), "wait"),
            (execution("ABORTED", ended_seconds_ago=PATIENCE + 1), "take"),
            (execution("SUCCEEDED", ended_seconds_ago=PATIENCE + 1), "take"),
            (execution("PENDING_REDRIVE"), "wait"),
            (aws_error("ExecutionDoesNotExist"), "take"),
            (aws_error("AccessDeniedException"), "wait"),
        ],
    )
    def test_another_s_lock_is_taken_once_it_is_gone(self, holder: Facts, decision: str) -> None:
        """Its own restore, which its end started, comes first."""
        assert self.decide(approval(), held_by=OTHER, holder=holder)["decision"] == decision

    def test_a_bad_end_takes_the_ended_one_s_lock_at_once(self) -> None:
        assert self.decide(bad_end(), held_by=OTHER) == {"decision": "take", "holder": OTHER}

    @pytest.mark.parametrize("held_by", ["", f"{OTHER}-2"])
    def test_a_bad_end_leaves_every_other_lock_alone(self, held_by: str) -> None:
        found = self.decide(bad_end(), held_by=held_by)
        assert found["decision"] == "nothing"
        assert found["end"]["output"] == {"reason": f"{OTHER} left nothing to put back"}

    def test_the_end_of_a_restore_starts_no_second_one(self) -> None:
        first = json.dumps({"detail-type": "Step Functions Execution Status Change"})
        found = self.decide(bad_end(started_by=first), held_by=OTHER)
        assert found["decision"] == "nothing"
        assert "followed by no second restore" in found["end"]["output"]["reason"]

    @pytest.mark.parametrize("given", [{}, {"detail": {}}, {"detail": "text"}, {"rollback": {}}])
    def test_an_input_of_no_known_form_is_rejected(self, given: Facts) -> None:
        found = self.decide(given)
        assert (found["decision"], found["end"]["error"]) == ("failed", "BadInput")


class TestPlan:
    @staticmethod
    def decide(given: Facts, *, item: Facts | None = None, **answers: Any) -> Facts:
        facts = {"package": package(), "approved": approved(2, 1), "parameter": parameter(), **answers}
        held = {"holder": ME} if item is None else item
        return release_plan.plan(event(given, dead=OTHER), held, **facts)

    @staticmethod
    def reason(found: Facts) -> str:
        assert (found["decision"], found["end"]["outcome"]) == ("done", "succeeded"), found
        return found["end"]["output"]["reason"]

    def test_the_newest_approved_package_is_deployed(self) -> None:
        found = self.decide(approval())
        assert found["decision"] == "deploy"
        assert found["work"] == {
            "package": arn(2),
            "version": 2,
            "kind": "release",
            "model": NEW,
            "former": OLD,
            "verdict": VERDICT,
        }
        assert found["end"]["output"] == {"model_package": arn(2), "model": NEW}

    def test_a_list_that_lags_behind_says_nothing_against_it(self) -> None:
        assert self.decide(approval(), approved=approved())["decision"] == "deploy"

    def test_an_older_package_is_not_released(self) -> None:
        assert "is not the newest" in self.reason(self.decide(approval(), approved=approved(3, 2)))

    def test_an_older_package_is_rolled_back_to(self) -> None:
        answers = {"package": package(1, model=OLD), "parameter": parameter(NEW)}
        found = self.decide(rollback(), **answers)
        assert (found["decision"], found["work"]["kind"]) == ("deploy", "rollback")
        assert (found["work"]["model"], found["work"]["former"]) == (OLD, NEW)

    def test_a_rollback_to_what_serves_rejects_what_is_newer(self) -> None:
        found = self.decide(rollback(), package=package(1, model=OLD, verdict=""))
        assert (found["decision"], found["work"]["model"]) == ("settle", OLD)
        assert found["end"]["output"] == {"model_package": arn(1), "model": OLD}

    @pytest.mark.parametrize("given", [approval(), rollback(2)])
    def test_what_serves_already_changes_nothing(self, given: Facts) -> None:
        assert "serves already" in self.reason(self.decide(given, parameter=parameter(NEW)))

    @pytest.mark.parametrize("status", ["Rejected", "PendingManualApproval"])
    def test_what_is_not_approved_changes_nothing(self, status: str) -> None:
        found = self.reason(self.decide(approval(), package=package(status=status)))
        assert found == f"{arn(2)} is {status}: nothing was changed"

    def test_a_rollback_to_a_rejected_package_says_what_to_do(self) -> None:
        found = self.reason(self.decide(rollback(2), package=package(status="Rejected")))
        assert found.endswith("Approve it first, then roll back to it")

    def test_what_the_gate_never_saw_is_not_released(self) -> None:
        found = self.decide(approval(), package=package(verdict=""))
        assert (found["decision"], found["end"]["error"]) == ("done", "Unevaluated")

    @pytest.mark.parametrize("which", ["package", "approved", "parameter"])
    def test_what_cannot_be_read_changes_nothing(self, which: str) -> None:
        found = self.decide(approval(), **{which: aws_error()})
        assert (found["decision"], found["end"]["error"]) == ("done", "NotRead")
        assert "nothing was changed. ValidationException: it is not there" in found["end"]["cause"]

    @pytest.mark.parametrize("given", [approval(), rollback(), bad_end()])
    @pytest.mark.parametrize("kind", ["release", "rollback"])
    def test_what_an_ended_execution_left_is_put_back_first(self, given: Facts, kind: str) -> None:
        found = self.decide(given, item=journal(kind))
        assert found["decision"] == "restore"
        assert (found["work"]["former"], found["work"]["kind"]) == (OLD, kind)
        assert found["reason"] == f"the execution {OTHER} ended before it was complete"

    def test_an_old_journal_without_a_kind_is_a_release_s(self) -> None:
        item = {"holder": ME, "former": OLD, "package": arn(2)}
        found = self.decide(bad_end(), item=item)
        assert (found["decision"], found["work"]["kind"]) == ("restore", "release")

    def test_a_rollback_whose_model_serves_is_finished(self) -> None:
        assert self.decide(approval(), item=journal("rolled back"))["decision"] == "finish"

    def test_an_ended_execution_that_changed_nothing_leaves_nothing(self) -> None:
        assert "left nothing to put back" in self.reason(self.decide(bad_end()))

    @pytest.mark.parametrize("item", [{}, {"holder": OTHER}])
    def test_an_execution_that_lost_the_lock_changes_nothing(self, item: Facts) -> None:
        found = self.decide(approval(), item=item)
        assert (found["decision"], found["end"]["error"]) == ("failed", "LockLost")
