"""The pages on release and pipeline name the states that the machines have."""

import json
import re
from typing import Any

from infra.names import Names
from infra.serving.release.definition import release_definition
from infra.settings import load
from tests.infra.conftest import ROOT, as_it_stands, context
from tests.judges.aws_tasks import definitions_of
from tests.judges.resolved import resolve_stacks

INSIDE = ROOT / "docs" / "inside"


def test_the_page_of_the_release_has_all_its_states() -> None:
    definition = release_definition(
        names=Names("dev"),
        settings=load(context(stage="dev").get).release,
        partition="aws",
        table="table",
        step_function="step",
        smoke_function="smoke",
    )
    first_cells = re.findall(r"^\| (`.*?) \|", (INSIDE / "release.md").read_text(), re.M)
    named = re.findall(r"`(\w+)`", " ".join(first_cells))
    assert sorted(named) == sorted(definition["States"])


def test_the_page_of_the_pipeline_names_states_that_it_has() -> None:
    parts: dict[str, dict[str, Any]] = {
        name: {**template.to_json()} for name, template in as_it_stands("dev").items()
    }
    found = definitions_of(resolve_stacks(parts, region="us-east-1", partition="aws")["training"].template)
    (pipeline,) = [each for each in found.values() if "createHyperParameterTuningJob" in json.dumps(each)]
    drawn = (INSIDE / "pipeline.md").read_text().split("```")[1]
    named = set(re.findall(r"\b[A-Z]\w+", drawn))
    assert len(named) > 20
    assert named <= set(pipeline["States"])
