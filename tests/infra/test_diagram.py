"""The architecture diagram shows what the templates hold, and nothing that they no longer hold."""

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from infra import settings, stage
from infra.tools import diagram

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cloud assembly of prod, the stage that has everything."""
    given: dict[str, Any] = {**json.loads((ROOT / "cdk.json").read_text())["context"], "stage": "prod"}
    app = cdk.App(
        outdir=str(tmp_path_factory.mktemp("assembly")),
        context={key: value for key, value in given.items() if key != "stages"},
    )
    stage.build(app=app, settings=settings.load(given.get))
    return Path(app.synth().directory)


def test_every_stack_the_endpoint_and_the_jobs_are_in_it(assembly: Path) -> None:
    drawn = diagram.draw(diagram.read(assembly))
    assert {box.stack for box in drawn.boxes.values()} == set(diagram.read(assembly))
    kinds = {box.kind for box in drawn.boxes.values()}
    assert {"endpoint", "bucket", "state machine", "model registry", "Lambda", "event rule"} <= kinds
    assert any("tuning job" in box.name for box in drawn.boxes.values())


def test_the_api_s_path_leads_to_this_endpoint_and_no_other(assembly: Path) -> None:
    templates = diagram.read(assembly)
    assert called(diagram.draw(templates)) == {("HTTPS API", "endpoint")}
    elsewhere = json.loads(json.dumps(templates).replace("endpoints/bincount-prod/", "endpoints/other/"))
    assert elsewhere != templates
    assert called(diagram.draw(elsewhere)) == set()


def called(drawn: diagram.Diagram) -> set[tuple[str, str]]:
    """(kind, kind) of the arrows that leave an API."""
    pairs = ((drawn.boxes[source], drawn.boxes[target]) for source, target in drawn.arrows)
    return {(source.kind, target.kind) for source, target in pairs if source.kind == "HTTPS API"}


def test_a_change_of_code_alone_does_not_change_it(assembly: Path) -> None:
    graph = diagram.dot(diagram.draw(diagram.read(assembly)))
    assert not re.search(r"[0-9a-f]{16}", graph), "an asset's hash is in the diagram"


def test_without_templates_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="make synth"):
        diagram.read(tmp_path)
