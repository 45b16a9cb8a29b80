"""The HTTPS API is asked with signed requests; a real server on this machine writes down what came."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bincount import BinCounter, BincountError, Refused

ANSWER = {
    "count": 3, "confidence": 0.71, "expected_value": 3.1, "interval": [2, 4], "probabilities": {"3": 0.71},
    "at_least": False, "review": False, "model": "m", "request_id": "r",
    "verification": {"expected": 3, "verdict": "match", "probability": 0.71},
}  # fmt: skip


class Api(ThreadingHTTPServer):
    """Answers each request with the next of `answers` (status, document); keeps what came in `requests`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, Any]] = []
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Api  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        status, document = self.server.answers.pop(0)
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if status == 503:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.fixture
def counter(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[BinCounter]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    with BinCounter(stage="dev", region="eu-central-1", api_url=api.url) as made:
        yield made


def test_the_image_goes_out_as_it_is_with_its_type_its_question_and_a_signature(
    api: Api, counter: BinCounter
) -> None:
    api.answers = [(200, ANSWER)]
    answer = counter.count(b"\x89PNG...", expected=3)
    path, headers, body = api.requests[0]
    assert (path, headers["content-type"], body) == ("/v1/count?expected=3", "image/png", b"\x89PNG...")
    scope = headers["authorization"].split(",")[0]
    assert scope.startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
    assert scope.endswith("/eu-central-1/execute-api/aws4_request")
    assert answer.verification is not None and answer.verification.verdict == "match"


def test_a_full_server_is_asked_again(api: Api, counter: BinCounter) -> None:
    full = {"error": {"code": "overloaded", "message": "full", "request_id": "r"}}
    api.answers = [(503, full), (503, full), (200, ANSWER)]
    assert counter.count(b"x").count == 3


def test_a_refusal_keeps_its_code(api: Api, counter: BinCounter) -> None:
    api.answers = [(400, {"error": {"code": "undecodable_image", "message": "no", "request_id": "r"}})]
    with pytest.raises(Refused) as refused:
        counter.count(b"x")
    assert (refused.value.code, refused.value.status) == ("undecodable_image", 400)


@pytest.mark.parametrize("document", [{"message": "hello"}, [], "text", {**ANSWER, "interval": [1]}])
def test_an_answer_of_another_form_is_a_refusal_and_no_crash(
    api: Api, counter: BinCounter, document: Any
) -> None:
    api.answers = [(200, document)]
    with pytest.raises(Refused) as refused:
        counter.count(b"x")
    assert refused.value.code == "bad_answer"


def test_who_may_not_call_it_is_told_which_right_is_missing(api: Api, counter: BinCounter) -> None:
    api.answers = [(403, {"message": "not authorized"})]
    with pytest.raises(BincountError, match="execute-api:Invoke"):
        counter.count(b"x")


@pytest.mark.parametrize("url", ["example.org", "ftp://example.org", "http://example.org"])
def test_an_address_that_would_not_be_safe_is_refused(url: str) -> None:
    with pytest.raises(BincountError):
        BinCounter(stage="dev", region="eu-central-1", api_url=url)
