"""The same judges, in every region where AWS has a training image."""

from collections.abc import Callable

import pytest

from tests.judges.combinations import ELSEWHERE, assembly, regions
from tests.judges.judges import judged

Record = Callable[[str, dict[str, int]], None]


@pytest.mark.parametrize("region", [name for name, whole in regions().items() if whole])
def test_no_judge_finds_a_fault_in_any_region(region: str, record_property: Record) -> None:
    found = judged(assembly(ELSEWHERE, region=region).values())
    record_property("judged", dict(found.counts))
    assert found.faults == []
    assert found.asleep == {}


@pytest.mark.parametrize("region", [name for name, whole in regions().items() if not whole])
def test_a_region_without_sagemakers_types_is_an_error_at_synth(region: str) -> None:
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        assembly(ELSEWHERE, region=region, cdk_validates=True)
