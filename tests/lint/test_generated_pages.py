"""Pages and the diagram hold what the code says; `make docs` and `make diagram` renew them."""

import json
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import pytest

from infra import settings, stage
from infra.settings.__main__ import reference
from infra.tools import diagram
from infra.tools.roles_report import table
from infra.tools.trial.page import tables
from tests.infra.conftest import ROOT, as_it_stands, context
from tests.unit.core.odd_sources import page


def test_no_role_may_do_more_than_the_page_says() -> None:
    found = table({name: [t.to_json() for t in as_it_stands(name).values()] for name in settings.STAGES})
    assert (ROOT / "docs" / "roles.md").read_text() == found, "read the change, then: make docs"


def test_the_page_of_settings_is_the_reference() -> None:
    assert (ROOT / "docs" / "settings.md").read_text().endswith(f"\n{reference()}\n"), "make docs"


def test_the_page_of_quotas_holds_the_stages_own() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "infra.tools.quotas"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (ROOT / "docs" / "quotas.md").read_text().endswith(printed.stdout), "make docs"


@pytest.mark.parametrize(
    ("program", "name"), [("leaderboard", "leaderboard.md"), ("frontier_page", "frontier.md")]
)
def test_a_page_of_figures_holds_what_was_measured(program: str, name: str) -> None:
    command = [sys.executable, f"benchmarks/{program}.py"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert (ROOT / "docs" / name).read_text().endswith(f"\n\n{printed}"), f"make {name.removesuffix('.md')}"


def test_the_page_of_odd_sources_holds_what_the_readers_give() -> None:
    assert (ROOT / "docs/inside/odd-sources.md").read_text().endswith(f"\n\n{page()}\n"), "make docs"


def test_the_picture_of_the_frontier_shows_every_network() -> None:
    measured = json.loads((ROOT / "benchmarks/results/frontier.json").read_text())
    picture = (ROOT / "docs/frontier.svg").read_text()
    for name, found in measured.items():
        assert f">{name}<" in picture, "make frontier, look at it, commit it"
        ms = found["handlers"]["cpu_ms"]
        assert f"{1000 / ms['INT8']:.0f}  ({ms['reference'] / ms['INT8']:.1f} x)" in picture


def test_the_page_of_the_first_account_holds_every_assumption() -> None:
    assert (ROOT / "docs" / "first-account.md").read_text().endswith(f"\n{tables()}\n"), "make docs"


def test_the_diagram_is_the_one_of_the_templates(tmp_path: Path) -> None:
    """The stage prod has everything."""
    app = cdk.App(
        outdir=str(tmp_path),
        context={key: value for key, value in context(stage="prod").items() if key != "stages"},
    )
    stage.build(app=app, settings=settings.load(context(stage="prod").get))
    graph = diagram.dot(diagram.draw(diagram.read(Path(app.synth().directory))))
    command = ["node", ROOT / "infra/tools/dot_to_svg.mjs"]
    drawn = subprocess.run(command, input=graph, text=True, capture_output=True, check=True).stdout
    assert drawn == (ROOT / "docs/architecture.svg").read_text(), "make diagram, look at it, commit it"
