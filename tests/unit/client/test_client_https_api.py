"""The HTTPS API is asked with signed requests; behind a stand-in for API Gateway the real server answers."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bincount import BinCounter, BincountError, Count, Explanation, Refused
from tests.unit.client.conftest import Api, Bincount

Gray = Callable[..., bytes]


@pytest.fixture
def counter(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[BinCounter]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    with BinCounter(stage="dev", region="eu-central-1", api_url=api.url) as made:
        yield made


def test_a_request_has_the_image_its_type_the_question_and_a_signature(
    api: Api, counter: BinCounter, gray: Gray
) -> None:
    image = gray(120, format="PNG")
    answer = counter.count(image, expected=3)
    path, headers, body = api.requests[0]
    assert (path, headers["content-type"], body) == ("/v1/count?expected=3", "image/png", image)
    scope = headers["authorization"].split(",")[0]
    assert scope.startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
    assert scope.endswith("/eu-central-1/execute-api/aws4_request")
    assert answer.verification is not None
    assert (answer.count, answer.verification.verdict, answer.verification.reason) == (3, "match", None)


def test_the_answer_goes_on_to_programs_as_it_came(api: Api, counter: BinCounter, gray: Gray) -> None:
    for expected in (3, 40):
        answer = counter.count(gray(120), expected=expected).to_json()
        raw = counter._transport.ask(gray(120), expected=expected)  # pyright: ignore[reportPrivateUsage]
        assert {**raw, "request_id": answer["request_id"]} == answer


def test_a_map_is_asked_for_and_comes_with_the_answer(api: Api, counter: BinCounter, gray: Gray) -> None:
    answers = [counter.count(gray(120), expected=3, explain=True), counter.count(gray(120), explain=True)]
    paths = [path for path, _, _ in api.requests]
    assert paths == ["/v1/count?expected=3%2Cexplain%3D1", "/v1/count?expected=explain%3D1"]
    for answer in answers:
        assert answer.explanation is not None and answer.explanation.map == ()
        assert "no exact map" in (answer.explanation.reason or "")
        assert Count.from_json(answer.to_json()) == answer


def test_a_map_keeps_its_numbers_on_the_way() -> None:
    members = {"count": 3, "map": [[0.5, -1.25], [2, 0]], "bias": -9.0}
    explanation = Explanation.from_json(members)
    assert explanation.map == ((0.5, -1.25), (2.0, 0.0))
    assert explanation.to_json() == members


def test_an_uncertain_verdict_has_its_reason(
    bincount: Bincount, api: Api, gray: Gray, tmp_path: Path
) -> None:
    (tmp_path / "bin.jpg").write_bytes(gray(120))
    done = bincount("count", "bin.jpg", "--expect", "9", "--api-url", api.url, check=4)
    assert "bin.jpg: 9 was expected: this model counts 0 to 5" in done.stdout
    done = bincount("count", "bin.jpg", "--expect", "3", "--api-url", api.url, check=0)
    assert "this model counts" not in done.stdout


def test_a_full_server_is_asked_again(api: Api, counter: BinCounter, gray: Gray) -> None:
    full = {"error": {"code": "overloaded", "message": "full", "request_id": "r"}}
    api.first = [(503, full), (503, full)]
    assert counter.count(gray(120)).count == 3


def test_an_error_response_keeps_its_code(counter: BinCounter) -> None:
    with pytest.raises(Refused) as caught:
        counter.count(b"x")
    assert (caught.value.code, caught.value.status) == ("undecodable_image", 400)


@pytest.mark.parametrize("document", [{"message": "hello"}, [], "text", {"count": 3, "interval": [1]}])
def test_an_answer_of_another_form_is_an_error_and_no_crash(
    api: Api, counter: BinCounter, document: Any
) -> None:
    api.first = [(200, document)]
    with pytest.raises(Refused) as caught:
        counter.count(b"x")
    assert caught.value.code == "bad_answer"


def test_a_caller_without_the_right_reads_which_one_is_missing(api: Api, counter: BinCounter) -> None:
    from infra.api.error_responses import GATEWAY_ERRORS

    forbidden = next(each for each in GATEWAY_ERRORS if each.code == "forbidden")
    error = {"code": "forbidden", "message": forbidden.message, "request_id": "r"}
    api.first = [(403, {"error": error})]
    with pytest.raises(BincountError, match="execute-api:Invoke") as raised:
        counter.count(b"x")
    assert forbidden.message in str(raised.value), "whole, not cut in a word"


@pytest.mark.parametrize("words", ["word " * 200, "x" * 3000])
def test_a_long_text_of_others_is_not_cut_in_a_word(api: Api, counter: BinCounter, words: str) -> None:
    api.first = [(418, {"message": words})]
    with pytest.raises(Refused) as caught:
        counter.count(b"x")
    text = str(caught.value)
    assert len(text) < 300
    assert text.endswith("…") and "wor …" not in text


@pytest.mark.parametrize("url", ["example.org", "ftp://example.org", "http://example.org"])
def test_an_address_that_would_not_be_safe_is_rejected(url: str) -> None:
    with pytest.raises(BincountError):
        BinCounter(stage="dev", region="eu-central-1", api_url=url)
