"""docs/roles.md and docs/settings.md hold what the code says; `make docs` renews them."""

from aws_cdk.assertions import Template

from infra.roles import table
from infra.settings.reference import reference
from tests.infra.conftest import ROOT

Templates = dict[str, dict[str, Template]]


def test_no_role_may_do_more_than_the_page_says(templates: Templates) -> None:
    found = table({name: [t.to_json() for t in parts.values()] for name, parts in templates.items()})
    assert (ROOT / "docs" / "roles.md").read_text() == found, "read the change, then: make docs"


def test_the_page_of_settings_is_the_reference() -> None:
    assert (ROOT / "docs" / "settings.md").read_text().endswith(f"\n{reference()}\n"), "make docs"
