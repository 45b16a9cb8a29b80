"""Whether the wanted model serves, and what is left to reject: every branch of release_outcome.py."""

from typing import Any

import pytest
import release_outcome

from tests.unit.release.answers import (
    ME,
    MINUTE,
    NEW,
    NOW,
    OLD,
    OTHER,
    Facts,
    approval,
    approved,
    arn,
    aws_error,
    bad_end,
    event,
    journal,
    package,
    parameter,
    rollback,
    stack,
)

NOW_MS = NOW.timestamp() * 1000
NOT_UPDATED = (
    "CloudFormation.CloudFormationException: Stack:arn:aws:cloudformation:us-east-1:1:stack/s/1 is in "
)
BUSY = f"{NOT_UPDATED}UPDATE_COMPLETE_CLEANUP_IN_PROGRESS state and can not be updated."
STUCK = f"{NOT_UPDATED}UPDATE_ROLLBACK_FAILED state and can not be updated."
UP_TO_DATE = "CloudFormation.CloudFormationException: No updates are to be performed."
THROTTLED = "CloudFormation.CloudFormationException: Rate exceeded (Status Code: 400)"
LOST = "CloudFormation.CloudFormationException: Internal failure (Status Code: 500)"


class TestServed:
    @staticmethod
    def decide(
        *,
        restoring: bool = False,
        settled: bool = False,
        update_error: str = "",
        target: str = "",
        late: bool = False,
        **answers: Any,
    ) -> Facts:
        """A release of NEW in place of OLD; `answers` replace what AWS says."""
        wanted = target or (OLD if restoring else NEW)
        variables = {
            "target": wanted,
            "restoring": restoring,
            "settled": settled,
            "update_error": update_error,
            "reason": "it read a bin wrongly" if restoring else "",
            "deadline": NOW_MS + (-MINUTE if late else MINUTE),
            "work": {"package": arn(2), "kind": "release", "former": OLD, "model": NEW},
        }
        facts = {
            "item": journal(),
            "stack": stack(),
            "parameter": parameter(wanted),
            "endpoint": {"status": "InService", "serves": wanted},
            **answers,
        }
        return release_outcome.served(event(approval(), **variables), **facts, now=NOW)

    def test_what_serves_is_asked_about_a_bin(self) -> None:
        assert self.decide() == {"decision": "smoke test"}

    @pytest.mark.parametrize(
        "status", ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"]
    )
    @pytest.mark.parametrize("restoring", [False, True])
    def test_an_update_under_way_is_waited_for(self, status: str, restoring: bool) -> None:
        assert self.decide(stack=stack(status), restoring=restoring) == {"decision": "wait"}

    def test_a_release_does_not_wait_without_end(self) -> None:
        found = self.decide(stack=stack("UPDATE_IN_PROGRESS"), late=True)
        reason = "the serving stack is UPDATE_IN_PROGRESS"
        assert found == {"decision": "restore", "reason": reason}

    def test_a_restore_is_waited_for_as_long_as_it_takes(self) -> None:
        found = self.decide(stack=stack("UPDATE_IN_PROGRESS"), late=True, restoring=True)
        assert found == {"decision": "wait"}

    @pytest.mark.parametrize(
        "status", ["UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "UPDATE_FAILED"]
    )
    def test_a_stack_that_rolled_back_is_put_right(self, status: str) -> None:
        found = self.decide(stack=stack(status))
        assert found == {"decision": "restore", "reason": f"the serving stack is {status}"}

    def test_a_stack_that_is_not_seen_changing_yet_is_waited_for(self) -> None:
        assert self.decide(stack=stack("CREATE_COMPLETE")) == {"decision": "wait"}

    @pytest.mark.parametrize("words", [BUSY, THROTTLED, LOST])
    @pytest.mark.parametrize("restoring", [False, True])
    def test_a_busy_stack_is_waited_for_then_updated(self, words: str, restoring: bool) -> None:
        """SageMaker may send an approval twice; a second release must not undo the first one's parameter."""
        busy = self.decide(update_error=words, stack=stack("UPDATE_IN_PROGRESS"), restoring=restoring)
        assert busy == {"decision": "wait"}
        for status in ("UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"):
            found = self.decide(update_error=words, stack=stack(status), restoring=restoring)
            assert found == {"decision": "update"}

    def test_a_busy_stack_is_not_waited_for_past_the_deadline(self) -> None:
        found = self.decide(update_error=BUSY, late=True)
        assert found == {"decision": "restore", "reason": BUSY}
        assert self.decide(update_error=BUSY, late=True, restoring=True) == {"decision": "update"}

    def test_no_updates_to_be_performed_is_no_fault(self) -> None:
        found = self.decide(update_error=UP_TO_DATE, stack=stack("CREATE_COMPLETE"))
        assert found == {"decision": "smoke test"}

    @pytest.mark.parametrize("words", [STUCK, "Ssm.SsmException: AccessDenied"])
    def test_any_other_error_leads_back(self, words: str) -> None:
        assert self.decide(update_error=words) == {"decision": "restore", "reason": words}

    @pytest.mark.parametrize(
        "answers",
        [
            {"endpoint": {"status": "InService", "serves": OLD}},
            {"endpoint": {"status": "Updating", "serves": NEW}},
            {"endpoint": aws_error()},
            {"stack": aws_error()},
        ],
    )
    def test_another_endpoint_than_the_wanted_is_put_right(self, answers: Facts) -> None:
        found = self.decide(**answers)
        assert found["decision"] == "restore"
        assert found["reason"]

    def test_what_was_put_back_is_looked_at_once_more(self) -> None:
        assert self.decide(restoring=True) == {"decision": "settle"}
        assert self.decide(restoring=True, settled=True) == {"decision": "restored"}

    def test_a_write_that_lands_late_is_put_back_too(self) -> None:
        found = self.decide(restoring=True, settled=True, parameter=parameter(NEW))
        assert found == {"decision": "restore"}

    def test_where_nothing_served_no_endpoint_is_looked_for(self) -> None:
        found = self.decide(restoring=True, settled=True, target="none", endpoint=aws_error())
        assert found == {"decision": "restored"}

    @pytest.mark.parametrize(
        "answers",
        [
            {"update_error": STUCK},
            {"stack": aws_error()},
            {"stack": stack("UPDATE_ROLLBACK_FAILED")},
            {"parameter": aws_error(), "settled": True},
            {"endpoint": {"status": "InService", "serves": NEW}, "settled": True},
            {"endpoint": aws_error(), "settled": True},
        ],
    )
    def test_what_cannot_be_put_back_is_said(self, answers: Facts) -> None:
        found = self.decide(restoring=True, **answers)
        assert (found["decision"], found["end"]["error"]) == ("failed", "NotRestored")
        assert f"(it read a bin wrongly) and {OLD} could NOT be put back" in found["end"]["cause"]

    @pytest.mark.parametrize("item", [{}, {"holder": OTHER}])
    def test_an_execution_that_lost_the_lock_changes_nothing(self, item: Facts) -> None:
        found = self.decide(item=item)
        assert (found["decision"], found["end"]["error"]) == ("failed", "LockLost")


class TestNewer:
    @staticmethod
    def found(given: Facts) -> list[str]:
        return release_outcome.newer(event(given), journal("rolled back", version=1), approved(4, 3, 2, 1))

    @pytest.mark.parametrize("given", [rollback(), bad_end()])
    def test_all_versions_above_the_rollback_s_are(self, given: Facts) -> None:
        assert self.found(given) == [arn(4), arn(3), arn(2)]

    @pytest.mark.parametrize("given", [approval(3), rollback(3)])
    def test_what_is_wanted_since_the_rollback_died_is_not(self, given: Facts) -> None:
        assert self.found(given) == [arn(4), arn(2)]


class TestLeft:
    @staticmethod
    def decide(given: Facts, item: Facts, **answers: Any) -> Facts:
        variables = {"restoring": True, "record_error": "", "reason": "it read\na bin wrongly"}
        for name in variables.keys() & answers.keys():
            variables[name] = answers.pop(name)
        facts = {"package": package(), "too_new": {}, **answers}
        return release_outcome.left(event(given, **variables), item, **facts)

    def test_a_package_whose_release_failed_is_rejected(self) -> None:
        found = self.decide(approval(), journal())
        assert found == {
            "decision": "reject",
            "package": arn(2),
            "description": "Release failed: it read a bin wrongly",
        }

    def test_what_sagemaker_takes_is_not_exceeded(self) -> None:
        assert len(self.decide(approval(), journal(), reason="a" * 5000)["description"]) == 1000

    @pytest.mark.parametrize(
        "answers",
        [{"package": package(status="Rejected")}, {"package": aws_error()}, {"record_error": "it may not"}],
    )
    def test_then_the_release_has_failed(self, answers: Facts) -> None:
        """A package that was deleted, or cannot be rejected, keeps nothing from being said."""
        found = self.decide(approval(), journal(), **answers)
        assert (found["decision"], found["end"]["error"]) == ("done", "ReleaseFailed")
        assert found["end"]["cause"].startswith(f"The release of {arn(2)} failed and {OLD} serves again: ")

    def test_a_package_whose_rollback_failed_stays_as_it_was(self) -> None:
        found = self.decide(rollback(), journal("rollback", version=1, former="none"))
        assert found["decision"] == "done"
        assert f"The rollback to {arn(1)} failed and no model serves again" in found["end"]["cause"]

    @pytest.mark.parametrize("item", [journal("rollback", version=1), journal("rolled back", version=1)])
    def test_after_another_s_restore_it_goes_on_with_its_own(self, item: Facts) -> None:
        assert self.decide(approval(2), item) == {"decision": "done", "end": {"outcome": "again"}}

    def test_an_execution_that_puts_back_fails_so_that_it_rings(self) -> None:
        found = self.decide(bad_end(), journal(), package=package(status="Rejected"))
        assert (found["decision"], found["end"]["error"]) == ("done", "ReleaseFailed")

    def test_after_a_rollback_newer_packages_are_rejected(self) -> None:
        found = self.decide(rollback(), journal("rolled back", version=1), too_new=package(3))
        name = ME.rpartition(":")[2]
        assert found == {
            "decision": "reject",
            "package": arn(3),
            "description": f"Rolled back to version 1 by the execution {name}",
        }

    @pytest.mark.parametrize("given", [rollback(), bad_end()])
    @pytest.mark.parametrize("record_error", ["", "the answer of the last one was lost"])
    def test_until_none_is_newer(self, given: Facts, record_error: str) -> None:
        found = self.decide(given, journal("rolled back", version=1), record_error=record_error)
        assert found["decision"] == "done"
        assert found["end"] == {
            "outcome": "succeeded",
            "output": {"model_package": arn(1), "model": OLD},
        }

    @pytest.mark.parametrize(
        "answers",
        [{"too_new": aws_error()}, {"too_new": package(3), "record_error": "AccessDenied: it may not"}],
    )
    def test_a_newer_package_that_stays_approved_is_said(self, answers: Facts) -> None:
        """The lock is kept: the next execution goes on from the journal."""
        found = self.decide(rollback(), journal("rolled back", version=1), **answers)
        assert (found["decision"], found["end"]["error"]) == ("failed", "NotRejected")

    def test_a_journal_that_could_not_be_written_is_said(self) -> None:
        """The item still says rollback, though the model serves: the next execution reads it and knows."""
        item = journal("rollback", version=1)
        found = self.decide(rollback(), item, restoring=False, record_error="Connection reset")
        assert (found["decision"], found["end"]["error"]) == ("failed", "Unsettled")

    def test_an_execution_that_lost_the_lock_changes_nothing(self) -> None:
        found = self.decide(approval(), journal(holder=OTHER))
        assert (found["decision"], found["end"]["error"]) == ("failed", "LockLost")
