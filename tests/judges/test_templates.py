"""AWS's own models, and rules that others tried on AWS, find nothing in what any settings deploy."""

import pytest

from tests.infra.aws_texts import definition_faults, template_faults
from tests.judges.combinations import COMBINATIONS, ELSEWHERE, Combination, assembly, regions
from tests.judges.preflight import findings
from tests.judges.resolved import definitions


def faults(combination: Combination, *, region: str = "us-east-1") -> list[str]:
    """What any judge finds in a combination's templates and state machines."""
    found: list[str] = []
    for stack, template in assembly(combination, region=region).items():
        found += [f"{stack}: {fault}" for fault in (*findings(template), *template_faults(template))]
        for machine, definition in definitions(template).items():
            found += [f"{stack}: {machine}: {fault}" for fault in definition_faults(definition)]
    return found


@pytest.mark.parametrize("combination", COMBINATIONS, ids=lambda combination: combination.name)
def test_no_judge_finds_a_fault(combination: Combination) -> None:
    assert faults(combination) == []


@pytest.mark.parametrize("region", [name for name, whole in regions().items() if whole])
def test_no_judge_finds_a_fault_in_any_region(region: str) -> None:
    assert faults(ELSEWHERE, region=region) == []


@pytest.mark.parametrize("region", [name for name, whole in regions().items() if not whole])
def test_a_region_without_sagemakers_types_is_refused_at_synth(region: str) -> None:
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        assembly(ELSEWHERE, region=region)


def test_the_combinations_are_at_least_twelve_beside_the_stages() -> None:
    assert len([each for each in COMBINATIONS if each.settings]) >= 12
