"""Model cards: their names, versions, and what their content may hold."""

import json
from typing import Any

import pytest
from embedded_cloud.errors import AwsError
from embedded_cloud.sagemaker.registry.model_cards import ModelCards, check_content

CONTENT: dict[str, Any] = {"model_overview": {"model_name": "one"}, "intended_uses": {"risk_rating": "Low"}}


@pytest.fixture
def cards() -> ModelCards:
    cards = ModelCards()
    cards.create({"ModelCardName": "one", "Content": json.dumps(CONTENT), "ModelCardStatus": "Draft"})
    return cards


def test_a_changed_content_is_the_next_version(cards: ModelCards):
    assert cards.get("one")["ModelCardVersion"] == 1
    cards.update({"ModelCardName": "one", "Content": "{}"})
    cards.update({"ModelCardName": "one", "ModelCardStatus": "Archived"})
    card = cards.get("one")
    assert (card["ModelCardVersion"], card["Content"], card["ModelCardStatus"]) == (2, "{}", "Archived")
    with pytest.raises(AwsError, match="Archived state"):
        cards.update({"ModelCardName": "one", "ModelCardStatus": "Draft"})


def test_a_name_that_is_taken_or_unknown_is_refused(cards: ModelCards):
    with pytest.raises(AwsError, match="already exists") as taken:
        cards.create({"ModelCardName": "one", "Content": "{}", "ModelCardStatus": "Draft"})
    assert taken.value.code == "ConflictException"
    cards.delete({"ModelCardName": "one"})
    with pytest.raises(AwsError, match="does not exist") as missing:
        cards.get("one")
    assert missing.value.code == "ResourceNotFound"


@pytest.mark.parametrize(
    ("content", "of_package", "words"),
    [
        ("no JSON", False, "is not JSON"),
        ("[]", False, "JSON object"),
        ('{"notes": "x"}', False, "notes"),
        ('{"intended_uses": {"risk_rating": "low"}}', False, "'low' is none of"),
        ('{"model_package_details": {}}', True, "model_package_details"),
        (json.dumps(CONTENT), True, "model_name"),
    ],
)
def test_what_the_schema_does_not_have_is_refused(content: str, of_package: bool, words: str):
    with pytest.raises(AwsError, match=words):
        check_content(content, of_package=of_package)
