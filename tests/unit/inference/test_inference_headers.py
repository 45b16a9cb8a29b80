"""What the headers of a request may say: Accept, CustomAttributes, Inference-Id."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.http.accept import JSON, TEXT, choose_media_type
from inference.http.attributes import Asked, read_attributes, reject_query, request_id
from inference.http.errors import RequestError


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
        # What Java's URLConnection sends by itself.
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", JSON),
        ("*", JSON),
        ("*;q=0.5, text/plain", TEXT),
        ("text/plain;q=.5, application/json;q=.4", TEXT),
        ("text/plain;q=1., application/json;q=0.9999", TEXT),
        # What browsers and libraries send by themselves.
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", JSON),
        ("text/html, image/gif, image/jpeg, */*; q=0.2", JSON),
        ("application/json, text/plain, */*", JSON),
        ("application/json;odata=verbose", JSON),
        ('text/plain; note="a,b;q=0", application/json;q=0.5', TEXT),
        ('text/plain; note="it \\" is, open', TEXT),
        ("nonsense, text/plain", TEXT),
        ("text/plain;q=high, application/json;q=0.1", JSON),
        ("application/json;q=7, text/plain;q=0.1", TEXT),
        (", ,*/*", JSON),
        ("\ttext/plain\t;\tq=1", TEXT),
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
        "*;q=0",
        "*;q=.0",
        "image/*, text/html",
        '"text/plain"',
    ],
)
def test_an_accept_that_allows_neither_is_406(accept):
    assert_not_acceptable(accept)


def assert_not_acceptable(accept: str) -> None:
    with pytest.raises(RequestError) as caught:
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
        # Other systems' trace ids, with or without a name.
        ("c000b4f9-df62-4c85", None),
        ("c000b4f9-df62-4c85-a0bf-7c525f9104a4", None),
        ("c000b4f9-df62-4c85;expected-count=4", 4),
        ("3, c000b4f9-df62-4c85", 3),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None),
        ("Root=1-67891233-abcdef012345678912345678", None),
        ("traceparent=3", None),
        ("deployment:blue-7", None),
        ("2026-11-27", None),
        ("expectations=high,counter=7,expiry=3", None),
        ("; ,,", None),
    ],
)
def test_the_expected_count_is_read_from_custom_attributes(attributes, expected):
    assert read_attributes(attributes).expected_count == expected


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
        # Nearly ours: left alone they would be answered without a verdict.
        "expected_count=3",
        "expectedCount=3",
        "Expected=3",
        "expect=3",
        "expected-quantity=3",
        "X-Expected-Count=3",
        "expected-count:3",
        "expected-count",
        "expected-count=3,expected=3",
        # Too short for an id, or a number that is none of ours: the API's ?expected= arrives so.
        "abc",
        "-1",
        "3.0",
        "3.",
        "+3",
        "12345678",
        "3 objects",
        "three objects",
    ],
)
def test_a_bad_expected_count_is_422(attributes):
    with pytest.raises(RequestError) as caught:
        read_attributes(attributes)
    assert (caught.value.status, caught.value.code) == (422, "bad_expected_count")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("attributes", "asked"),
    [
        ("explain=1", Asked(explain=True)),
        ("Explain = 1", Asked(explain=True)),
        ("explain=0", Asked()),
        ("3,explain=1", Asked(3, explain=True)),  # as the API's ?expected= passes it on
        ("trace=abc;explain=1;expected-count=4", Asked(4, explain=True)),
        ("c000b4f9-df62-4c85,explain=1", Asked(explain=True)),
        ("explanation-id=7,plain=1", Asked()),
        (None, Asked()),
    ],
)
def test_a_map_is_asked_for_by_explain(attributes, asked):
    assert read_attributes(attributes) == asked


@pytest.mark.parametrize(
    "attributes",
    [
        "explain",
        "explain=",
        "explain=true",
        "explain=2",
        "explain=01",
        "explain=１",
        "explain=1,explain=1",
        "explain=1,explain=0",
        "3,explain=yes",
        "explanation=1",
        "x-explain=1",
        "explain:1",
        "EXPLAIN_=1",
        "explain=" + "1" * 900,
        "explain=<script>alert(1)</script>",
    ],
)
def test_a_wish_that_is_not_plain_is_422(attributes):
    with pytest.raises(RequestError) as caught:
        read_attributes(attributes)
    assert (caught.value.status, caught.value.code) == (422, "bad_explain")
    assert "explain=1" in caught.value.message and len(caught.value.message) < 300


@pytest.mark.parametrize("query", [b"explain=1", b"a=1&explain", b"Explain=0", b"x-explain=1"])
def test_a_query_that_asks_for_a_map_is_422(query):
    with pytest.raises(RequestError) as caught:
        reject_query(query)
    assert (caught.value.status, caught.value.code) == (422, "bad_explain")


@pytest.mark.parametrize(
    "query", [b"expect=3", b"expected=", b"a=1&expected=3", b"expected-count=3", b"Expected"]
)
def test_a_query_that_names_an_expected_count_is_422(query):
    """SageMaker passes no query on: only a caller of the server itself can send one, and means it."""
    with pytest.raises(RequestError) as caught:
        reject_query(query)
    assert (caught.value.status, caught.value.code) == (422, "bad_expected_count")
    assert "X-Amzn-SageMaker-Custom-Attributes" in caught.value.message


@pytest.mark.parametrize("query", [b"", b"trace=1", b"%ff=%fe&&==", b"count=1"])
def test_any_other_query_is_left_alone(query):
    reject_query(query)


@given(st.text(max_size=1024))
def test_any_text_is_a_number_nothing_or_422(attributes):
    try:
        number = read_attributes(attributes).expected_count
    except RequestError as error:
        assert error.status == 422
        assert len(error.message) < 500
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
