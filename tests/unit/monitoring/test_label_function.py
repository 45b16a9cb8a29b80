"""POST /labels on a real S3: what is stored, what comes twice, what comes late, what is wrong."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from referencing import Registry, Resource

from monitoring.labels import store
from monitoring.labels.body import MOST_BYTES, Label
from monitoring.labels.record import LabelEvent
from tests.unit.monitoring.conftest import BUCKET, Calls

SCHEMAS = Path(__file__).resolve().parents[3] / "docs" / "schemas"
ERROR = json.loads((SCHEMAS / "error.schema.json").read_text())
RECORD = json.loads((SCHEMAS / "label.schema.json").read_text())
Objects = Callable[[str], dict[str, Any]]


def valid(record: Any) -> Any:
    registry: Registry[Any] = Registry().with_resources(
        [("error.schema.json", Resource.from_contents(ERROR))]
    )
    jsonschema.Draft202012Validator(RECORD, registry=registry).validate(record)
    return record


def error_of(answer: tuple[int, Any]) -> tuple[int, str]:
    status, document = answer
    jsonschema.validate(document, ERROR)
    return status, document["error"]["code"]


def test_a_label_is_stored_as_ground_truth_writes_it(s3: Any, objects: Objects, calls: Calls) -> None:
    status, answer = calls.label("0f8b2c1e-11", 4, note="two behind the box", by="Ann")
    assert (status, answer["request_id"], answer["count"]) == (200, "0f8b2c1e-11", 4)
    assert (answer["previous"], answer["state"]) == (None, "pending")
    ((key, record),) = objects("labels/").items()
    assert valid(record)["groundTruthData"] == {"data": "4", "encoding": "CSV"}
    assert record["eventMetadata"] == {"eventId": "0f8b2c1e-11"} and record["eventVersion"] == "0"
    assert record["bincount"] == {
        "schema_version": 1,
        "count": 4,
        "previous": None,
        "labelled_at": answer["labelled_at"],
        "label_request_id": "call-1",
        "note": "two behind the box",
        "by": "Ann",
    }
    day = datetime.fromisoformat(answer["labelled_at"]).strftime("%Y/%m/%d")
    assert key.startswith(f"labels/{day}/")
    assert list(objects("label-history/0f8b2c1e-11/").values()) == [record]


def test_the_last_label_wins_and_every_one_is_kept(s3: Any, objects: Objects, calls: Calls) -> None:
    answers = [calls.label(count=count)[1] for count in (4, 5, 4)]
    assert [answer["previous"] for answer in answers] == [None, 4, 5]
    history = [valid(record)["bincount"]["count"] for record in objects("label-history/answer-1/").values()]
    assert history == [4, 5, 4]
    assert len(objects("labels/")) == 3
    times = [answer["labelled_at"] for answer in answers]
    assert times == sorted(set(times))


def test_a_label_that_comes_twice_is_one_with_one_answer(s3: Any, objects: Objects, calls: Calls) -> None:
    calls.label(count=2)
    first = calls.label(count=3, note="x")
    assert calls.label(count=3, note="x") == first
    assert len(objects("labels/")) == 2


def test_a_new_note_on_the_same_count_is_a_new_label(s3: Any, objects: Objects, calls: Calls) -> None:
    calls.label(count=3)
    assert calls.label(count=3, note="sure")[1]["previous"] == 3
    assert len(objects("labels/")) == 2


def test_a_clock_that_lags_does_not_let_the_older_label_win(s3: Any, objects: Objects, calls: Calls) -> None:
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)
    before = LabelEvent(
        label=Label(request_id="answer-1", count=9), previous=None, labelled_at=ahead, call="other"
    )
    store.store_of_environment().put(before)
    answer = calls.label(count=4)[1]
    assert datetime.fromisoformat(answer["labelled_at"]) == ahead + timedelta(milliseconds=1)
    assert calls.label(count=5)[1]["previous"] == 4


def test_killed_between_its_two_writes_a_label_is_sent_again(s3: Any, objects: Objects, calls: Calls) -> None:
    calls.label(count=4)
    (half,) = objects("label-history/")
    s3.delete_object(Bucket=BUCKET, Key=half)
    assert calls.label(count=4)[1]["previous"] is None
    assert [record["bincount"]["count"] for record in objects("labels/").values()] == [4, 4]


def test_labels_of_answers_with_like_ids_are_apart(s3: Any, objects: Objects, calls: Calls) -> None:
    for count, request_id in enumerate(["a", "a/b", "a%2Fb".replace("%", "-"), "ab", "a.b"]):
        assert calls.label(request_id, count)[1]["previous"] is None
    assert len(objects("label-history/")) == 5


BAD = [
    ("", "no JSON"),
    ("[]", "a list"),
    ("null", "null"),
    ('"text"', "a text"),
    ("{", "no JSON"),
    ("{}", "count is a whole number"),
    ('{"request_id": "a", "count": NaN}', "NaN"),
    ('{"request_id": "a", "count": Infinity}', "Infinity"),
    ('{"request_id": "a", "count": 1, "count": 2}', "twice"),
    ('{"request_id": "a", "count": 4, "Count": 4}', "'Count' is no member"),
    ('{"request_id": "a", "count": ' + "9" * 5000 + "}", "no JSON"),
    ("[" * 8000, "no JSON"),
    ('{"request_id": "a", "count": 4, "note": "\\ud800"}', "half a character"),
]


@pytest.mark.parametrize(("body", "words"), BAD)
def test_a_body_that_is_no_label_is_a_fault_with_its_name(
    s3: Any, objects: Objects, calls: Calls, body: str, words: str
) -> None:
    answer = calls.send(body)
    assert error_of(answer) == (422, "bad_label")
    assert words in answer[1]["error"]["message"]
    assert not objects("")


@pytest.mark.parametrize("count", [-1, 1_000_000, 4.0, 4.5, "4", True, None, [4], {"n": 4}, 1e400])
def test_a_count_out_of_range_or_of_another_type_is_a_fault(s3: Any, calls: Calls, count: Any) -> None:
    assert error_of(calls.label(count=count)) == (422, "bad_label")


@pytest.mark.parametrize("request_id", ["", " a", "a b", "é", "a\n", "x" * 65, "..", "./.", 7, None, ["a"]])
def test_a_malformed_request_id_is_a_fault(s3: Any, objects: Objects, calls: Calls, request_id: Any) -> None:
    assert error_of(calls.label(request_id)) == (422, "bad_label")
    assert not objects("")


def test_every_fault_of_a_label_is_named_at_once(s3: Any, calls: Calls) -> None:
    words = calls.label("", -1, note="x" * 501, by=7)[1]["error"]["message"]
    assert all(name in words for name in ("request_id is", "count is", "note has", "by is"))


@pytest.mark.parametrize("text", ["é" * 500, "\U0001f4e6" * 500, "\0" * 500, "<b>\n=1+1", "\\" * 500])
def test_the_longest_note_of_any_signs_comes_back_as_it_was(
    s3: Any, objects: Objects, calls: Calls, text: str
) -> None:
    assert calls.label(note=text)[0] == 200
    ((_, record),) = objects("labels/").items()
    assert valid(record)["bincount"]["note"] == text


def test_blank_texts_are_as_if_they_were_not_there(s3: Any, objects: Objects, calls: Calls) -> None:
    calls.label(note="  ", by=None)
    ((_, record),) = objects("labels/").items()
    assert not {"note", "by"} & valid(record)["bincount"].keys()


def test_a_body_that_is_too_large_is_not_read(s3: Any, calls: Calls) -> None:
    assert error_of(calls.send(" " * (MOST_BYTES + 1))) == (413, "body_too_large")


def test_a_body_in_base64_is_read_and_one_of_no_text_is_a_fault(s3: Any, calls: Calls) -> None:
    body = base64.b64encode(b'{"request_id": "a", "count": 4}').decode()
    assert calls.send(body, isBase64Encoded=True)[0] == 200
    for wrong in ("a", base64.b64encode(b"\xff\xd8\xff").decode()):
        assert error_of(calls.send(wrong, isBase64Encoded=True)) == (422, "bad_label")
    assert error_of(calls.send(None)) == (422, "bad_label")


def test_a_stage_that_keeps_no_answers_says_so(
    s3: Any, objects: Objects, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTURE_PERCENT", "0")
    assert error_of(calls.label()) == (404, "unknown_request")
    assert not objects("")


def test_storage_that_fails_says_send_it_again(
    s3: Any, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUCKET", "no-such-bucket-of-a-test")
    store.store_of_environment.cache_clear()
    answer = calls.label()
    assert error_of(answer) == (503, "upstream_failed")
    assert "no-such-bucket" not in json.dumps(answer[1])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["request_id", "count", "note", "by", "x"]), inner, max_size=5)
        ),
    )
)
def test_no_json_at_all_makes_the_function_fail(s3: Any, calls: Calls, document: Any) -> None:
    status, answer = calls.send(json.dumps(document))
    if status != 200:
        assert error_of((status, answer)) in ((422, "bad_label"), (413, "body_too_large"))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=200))
def test_no_text_at_all_makes_the_function_fail(s3: Any, calls: Calls, body: str) -> None:
    assert error_of(calls.send(body)) == (422, "bad_label")
