"""AWS's own models, and rules that others tried on AWS, find nothing in what any settings deploy."""

from collections.abc import Callable

import pytest

from tests.judges.combinations import COMBINATIONS, STAGES, Combination, assembly
from tests.judges.judges import judged

Record = Callable[[str, dict[str, int]], None]


@pytest.mark.parametrize("combination", COMBINATIONS, ids=lambda combination: combination.name)
def test_no_judge_finds_a_fault(combination: Combination, record_property: Record) -> None:
    found = judged(assembly(combination).values())
    record_property("judged", dict(found.counts))
    assert found.faults == []
    assert found.asleep == {}


def test_the_combinations_are_every_stage_and_twelve_more() -> None:
    assert set(STAGES) <= {each.stage for each in COMBINATIONS if not each.settings}
    assert len([each for each in COMBINATIONS if each.settings]) >= 12
