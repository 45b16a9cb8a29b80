"""What the doctor settles has the name under which docs/first-account.md lists it."""

from infra.tools.doctor.__main__ import QUESTIONS
from infra.tools.doctor.quotas import MAP_CONCURRENCY
from infra.tools.trial.assumptions import ASSUMPTIONS


def test_the_doctor_and_the_page_use_the_same_names() -> None:
    asked = {name for name, _, _ in QUESTIONS} | {MAP_CONCURRENCY}
    assert {each.name for each in ASSUMPTIONS} & asked == {
        each.name for each in ASSUMPTIONS if "doctor" in each.by
    }
