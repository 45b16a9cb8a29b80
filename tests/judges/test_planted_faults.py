"""Each fault that is planted into what is deployed is found by at least one judge."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache

import pytest

from tests.judges.combinations import Combination, assembly
from tests.judges.judges import judged
from tests.judges.planted_faults import PLANTS
from tests.judges.resolved import Stack


@cache
def _prod() -> dict[str, Stack]:
    return assembly(Combination("prod", "prod"))


@cache
def _before(part: str) -> dict[str, list[str]]:
    return judged([_prod()[f"bincount-prod-{part}"]]).found


@pytest.mark.parametrize(("plant", "part"), PLANTS.items(), ids=[plant.__name__ for plant in PLANTS])
def test_a_planted_fault_is_found(
    plant: Callable[[Stack], None], part: str, record_property: Callable[[str, str], None]
) -> None:
    stack = deepcopy(_prod()[f"bincount-prod-{part}"])
    plant(stack)
    found = judged([stack]).found
    finders = [judge for judge, faults in found.items() if set(faults) - set(_before(part)[judge])]
    record_property("found by", ", ".join(finders))
    assert finders
