"""What the headers of a request may say: Accept, CustomAttributes, Inference-Id."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.accept import JSON, TEXT, choose_media_type
from inference.attributes import expected_count, request_id
from inference.refusal import Refusal


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/json", JSON),
        ("application/*", JSON),
        ("text/plain", TEXT),
        ("text/*", TEXT),
        ("TEXT/PLAIN", TEXT),
        ("text/plain; charset=utf-8", TEXT),
        ("text/plain, application/json", JSON),
        ("text/plain;q=0.9, application/json;q=0.8", TEXT),
        ("text/plain; q=0.8 , application/json ;Q=0.9", JSON),
        ("application/json;q=0.1, text/*;q=0.9", TEXT),
        ("*/*;q=0.5, application/json;q=0.1", TEXT),
        ("*/*, application/json;q=0", TEXT),
        ("text/html, */*;q=0.1", JSON),
        ("text/html,,text/plain", TEXT),
        ("text/plain;q=1.000", TEXT),
    ],
)
def test_accept_chooses_by_quality_then_specificity(accept, chosen):
    assert choose_media_type(accept) == chosen


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "*/*;q=0",
        "text/*, text/plain;q=0",
        "application/json;q=0",
        "nonsense",
        "*/plain",
        "text/plain;q=2",
        "text/plain;q=x",
        ";;",
        "a/b/c",
    ],
)
def test_an_accept_that_allows_neither_is_406(accept):
    assert_not_acceptable(accept)


def assert_not_acceptable(accept: str) -> None:
    with pytest.raises(Refusal) as caught:
        choose_media_type(accept)
    assert (caught.value.status, caught.value.code) == (406, "not_acceptable")


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (None, None),
        ("", None),
        ("expected-count=3", 3),
        ("3", 3),
        (" 3 ", 3),
        ("Expected-Count = 12", 12),
        ("trace=abc,expected-count=0", 0),
        ("trace=abc;expected-count=7;x=y", 7),
        ("trace=abc", None),
        ("expected-count=007", 7),
        ("expected-count=999999", 999_999),
    ],
)
def test_the_expected_count_is_read_from_custom_attributes(attributes, expected):
    assert expected_count(attributes) == expected


@pytest.mark.parametrize(
    "attributes",
    [
        "expected-count=",
        "expected-count=-1",
        "expected-count=3.0",
        "expected-count=three",
        "expected-count=1000000",
        "expected-count=3,expected-count=3",
        "3,4",
        "three",
        "expected-count=٣",
        "expected-count=3 4",
        "expected-count=3\r\nX-Evil: 1",
    ],
)
def test_a_bad_expected_count_is_422(attributes):
    with pytest.raises(Refusal) as caught:
        expected_count(attributes)
    assert (caught.value.status, caught.value.code) == (422, "bad_expected_count")
    assert "\n" not in caught.value.message


@given(st.text(max_size=1024))
def test_any_text_is_a_number_nothing_or_422(attributes):
    try:
        number = expected_count(attributes)
    except Refusal as refusal:
        assert refusal.status == 422
        assert len(refusal.message) < 500
    else:
        assert number is None or 0 <= number <= 999_999


@pytest.mark.parametrize("given_id", ["a", "order-17/bin.3", "A1:b_2@x+y=z", "x" * 64])
def test_a_safe_inference_id_is_the_request_s_id(given_id):
    assert request_id(given_id) == given_id


@pytest.mark.parametrize("given_id", [None, "", "x" * 65, "a b", "a\nb", '"', "é", "<script>"])
def test_any_other_gets_a_fresh_one(given_id):
    first, second = request_id(given_id), request_id(given_id)
    assert first != second
    assert set(first) <= set(string.hexdigits) and len(first) == 32
