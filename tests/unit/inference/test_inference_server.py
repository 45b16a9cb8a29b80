"""The server as a real process over real HTTP."""

import contextlib
import json
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import httpx
import pytest

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"


def code_of(response: httpx.Response) -> str:
    return response.json()["error"]["code"]


def test_ping_names_the_model(server):
    response = httpx.get(f"{server.url}/ping")
    assert (response.status_code, response.json()) == (200, {"status": "ready", "model": "brightness-1"})


def test_an_image_is_counted(server, gray, schema):
    """At brightness 116 the probabilities of 2, 3 and 4 are 0.156, 0.773 and 0.070."""
    response = server.post(gray(116), X_Amzn_SageMaker_Inference_Id="order-17")
    answer = response.json()
    schema("answer", answer)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert (answer["count"], answer["interval"], answer["review"]) == (3, [2, 3], False)
    assert answer["request_id"] == "order-17"


@pytest.mark.parametrize(
    ("attributes", "verdict"),
    [("expected-count=3", "match"), ("3", "match"), ("expected-count=5", "mismatch"), ("2", "uncertain")],
)
def test_an_expected_count_is_verified(server, gray, schema, attributes, verdict):
    """At brightness 120 the probabilities of 3 and 2 are 0.787 and 0.107."""
    answer = server.post(gray(120), **{ATTRIBUTES: attributes}).json()
    schema("answer", answer)
    assert answer["verification"]["verdict"] == verdict


def test_text_plain_is_the_bare_integer(server, gray):
    response = server.post(gray(160), Accept="text/plain, application/json;q=0.5")
    assert (response.status_code, response.text) == (200, "4")
    assert response.headers["content-type"].startswith("text/plain")


def test_a_chunked_body_is_read_whole(server, gray):
    body = gray(80)

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), 100):
            yield body[start : start + 100]

    assert server.post(pieces()).json()["count"] == 2


@pytest.mark.parametrize(
    ("status", "code", "body", "headers"),
    [
        (400, "undecodable_image", b"hello", {}),
        (400, "empty_body", b"", {}),
        (406, "not_acceptable", b"x", {"Accept": "text/html"}),
        (415, "unsupported_media_type", b"x", {"Content-Type": "text/plain"}),
        (415, "unsupported_media_type", b"x", {"Content-Type": ""}),
        (422, "bad_expected_count", b"x", {ATTRIBUTES: "expected-count=many"}),
        (413, "body_too_large", bytes(6_291_457), {}),
        (413, "body_too_large", bytes(25_000_000), {}),
    ],
)
def test_error_responses_are_json_with_the_right_status(server, schema, status, code, body, headers):
    response = server.post(body, **headers)
    schema("error", response.json())
    assert (response.status_code, code_of(response)) == (status, code)
    assert response.headers["content-type"] == "application/json"


def test_a_missing_content_type_is_415(server, gray):
    response = httpx.post(f"{server.url}/invocations", content=gray(0))
    assert (response.status_code, code_of(response)) == (415, "unsupported_media_type")


def test_a_chunked_body_above_the_limit_is_413(server, schema):
    response = server.post(bytes(65_536) for _ in range(120))
    schema("error", response.json())
    assert (response.status_code, code_of(response)) == (413, "body_too_large")


def test_a_body_at_the_limit_is_read(server):
    response = server.post(bytes(6_291_456))
    assert (response.status_code, code_of(response)) == (400, "undecodable_image")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/invocations/x", 404, "not_found"),
        ("POST", "/ping", 405, "method_not_allowed"),
        ("GET", "/invocations", 405, "method_not_allowed"),
    ],
)
def test_other_routes_and_methods_are_rejected_in_json(server, schema, method, path, status, code):
    response = httpx.request(method, server.url + path)
    schema("error", response.json())
    assert (response.status_code, code_of(response)) == (status, code)


def test_batch_transform_may_ask_for_its_limits(server):
    response = httpx.get(f"{server.url}/execution-parameters")
    limits = response.json()
    assert limits["BatchStrategy"] == "SINGLE_RECORD"
    assert limits["MaxPayloadInMB"] * limits["MaxConcurrentTransforms"] <= 100


def test_a_failing_network_is_a_500_and_the_next_image_is_counted(server, gray, schema):
    response = server.post(gray(255), X_Amzn_SageMaker_Inference_Id="white")
    schema("error", response.json())
    assert (response.status_code, code_of(response)) == (500, "internal_error")
    assert "Traceback" not in response.text
    assert (
        "finite logits"
        in server.log_line(event="log", level="ERROR", message="request white failed")["trace"]
    )
    assert server.post(gray(120)).json()["count"] == 3


def test_each_request_writes_one_line_that_is_a_metric_record(server, gray):
    body = gray(120)
    server.post(body, X_Amzn_SageMaker_Inference_Id="logged")
    line = server.log_line(event="request", request_id="logged")
    assert (line["status"], line["count"], line["review"], line["bytes"]) == (200, 3, 0, len(body))
    assert 0 < line["decode_ms"] + line["infer_ms"] <= line["total_ms"]
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "BinCount"
    assert line[directive["Dimensions"][0][0]] == "local"
    for metric in directive["Metrics"]:
        assert isinstance(line[metric["Name"]], int | float), "EMF drops a record whose metric has no number"


def test_an_error_s_log_line_has_its_code_and_no_answer_s_metric(server):
    server.post(b"hello", X_Amzn_SageMaker_Inference_Id="rejected")
    line = server.log_line(event="request", request_id="rejected")
    assert (line["status"], line["error"], line["caller_errors"]) == (400, "undecodable_image", 1)
    names = {metric["Name"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert names == {"requests", "rejected", "caller_errors", "server_errors", "total_ms"}


def test_in_batch_transform_a_bad_image_is_a_200_with_the_error(start_server, model_dir, gray, schema):
    with start_server(model_dir, SAGEMAKER_BATCH="true", BINCOUNT_MAX_PIXELS="10000") as batch:
        for body, code in [(b"hello", "undecodable_image"), (gray(0, size=(200, 200)), "image_too_large")]:
            response = batch.post(body)
            schema("error", response.json())
            assert (response.status_code, code_of(response)) == (200, code)
        assert batch.post(gray(120)).json()["count"] == 3
        assert batch.post(gray(120), Content_Type="text/csv").status_code == 415, (
            "the job is wrong, not an image"
        )


def test_in_batch_transform_an_answer_has_the_verdict_of_every_number(
    start_server, model_dir, server, gray, schema
):
    with start_server(model_dir, SAGEMAKER_BATCH="true") as batch:
        for level in (0, 90, 120, 230):
            answer = batch.post(gray(level)).json()
            schema("answer", answer)
            for expected in (0, 1, 2, 3, 4, 5, 6, 7, 999_999):
                asked = server.post(
                    gray(level), X_Amzn_SageMaker_Custom_Attributes=f"expected-count={expected}"
                )
                table = answer["verifications"]
                found = {**table[min(expected, len(table) - 1)], "expected": expected}
                assert found == asked.json()["verification"]


def test_an_ordinary_answer_brings_none(server, gray):
    assert "verifications" not in server.post(gray(120)).json()


@pytest.fixture(scope="module")
def slow_model(make_model):
    # Its every answer takes a good part of a second.
    return make_model(slow_layers=5)


def test_a_full_server_rejects_at_once_and_says_when_to_come_back(start_server, slow_model, gray, schema):
    environment = {"BINCOUNT_QUEUE_LIMIT": "1", "BINCOUNT_DEADLINE_SECONDS": "30", "BINCOUNT_CPUS": "1"}
    with start_server(slow_model, **environment) as server, ThreadPoolExecutor(8) as callers:
        responses = list(callers.map(server.post, [gray(120)] * 8))
    by_status = {status: [r for r in responses if r.status_code == status] for status in (200, 503)}
    assert len(by_status[200]) >= 2, "one is worked on, one waits"
    assert len(by_status[200]) + len(by_status[503]) == 8
    assert by_status[503]
    for response in by_status[503]:
        schema("error", response.json())
        assert code_of(response) == "overloaded"
        assert int(response.headers["retry-after"]) == response.json()["error"]["retry_after"] >= 1
    assert all(response.json()["count"] == 3 for response in by_status[200])


def test_sigterm_finishes_what_was_accepted_and_exits_with_0(start_server, slow_model, gray):
    environment = {"BINCOUNT_DEADLINE_SECONDS": "30", "BINCOUNT_CPUS": "1"}
    with start_server(slow_model, **environment) as server, ThreadPoolExecutor(4) as callers:
        futures = [callers.submit(server.post, gray(120)) for _ in range(4)]
        _wait_until_accepted(server, gray)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=25) == 0
        statuses = sorted(future.result().status_code for future in futures)
        assert 200 in statuses
        assert set(statuses) <= {200, 503}
        with pytest.raises(httpx.ConnectError):
            server.post(gray(120))


def _wait_until_accepted(server, gray) -> None:
    """The first of the answers is out, so the others are waiting in the server."""
    server.log_line(event="request", status=200)


def test_sigterm_under_a_full_queue_answers_all_that_was_accepted(start_server, slow_model, gray):
    """One is worked on and two wait; the other five were rejected before the signal."""
    environment = {"BINCOUNT_DEADLINE_SECONDS": "60", "BINCOUNT_CPUS": "1", "BINCOUNT_QUEUE_LIMIT": "2"}
    with start_server(slow_model, **environment) as server, ThreadPoolExecutor(8) as callers:
        futures = [callers.submit(server.post, gray(120)) for _ in range(8)]
        for number, future in enumerate(as_completed(futures), start=1):
            if number == 5:
                break
            assert future.result().status_code == 503
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=25) == 0
        assert sorted(future.result().status_code for future in futures) == [200] * 3 + [503] * 5


def test_ping_is_503_when_inference_hangs_and_sigterm_still_works(start_server, make_model, gray, schema):
    """The network computes on an image of brightness 5 for years, so its only worker never comes back."""
    environment = {"BINCOUNT_CPUS": "1", "BINCOUNT_QUEUE_LIMIT": "0", "BINCOUNT_DRAIN_SECONDS": "1"}
    with start_server(make_model(hangs=True), **environment) as server:
        assert server.post(gray(120)).json()["count"] == 3
        hang_the_only_worker(server, gray)
        server.log_line(event="unhealthy")
        response = httpx.get(f"{server.url}/ping")
        schema("error", response.json())
        assert (response.status_code, code_of(response)) == (503, "unhealthy")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=25) == 0


def test_sigterm_before_the_model_is_loaded_ends_the_process(start_server, slow_model):
    with start_server(slow_model, ready=False) as server:
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=25) == 0


def test_ping_is_503_until_the_model_has_answered(start_server, make_model, schema):
    """Each answer of this model takes seconds, so there is time to ask while the first is computed."""
    with start_server(make_model(slow_layers=60), ready=False) as server:
        response = httpx.get(f"{server.url}/ping", timeout=30)
        schema("error", response.json())
        assert (response.status_code, code_of(response)) == (503, "loading")


def test_a_body_slower_than_its_deadline_is_408(start_server, model_dir, gray):
    with start_server(model_dir, BINCOUNT_BODY_SECONDS="0.3", BINCOUNT_HEADER_SECONDS="1") as server:
        body = gray(120)
        answer = raw(server.port, head_of(len(body)) + body[:50])
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"body_timeout"' in answer
        assert server.post(body).json()["count"] == 3


def test_a_connection_that_never_sends_its_headers_is_closed(start_server, model_dir, gray):
    with start_server(model_dir, BINCOUNT_HEADER_SECONDS="0.3") as server:
        assert raw(server.port, b"") == b""
        assert raw(server.port, b"POST /invocations HTTP/1.1\r\nHost: x\r\n") == b""
        assert server.post(gray(120)).json()["count"] == 3


def test_a_second_request_s_headers_have_a_deadline_too(start_server, model_dir):
    with start_server(model_dir, BINCOUNT_HEADER_SECONDS="0.3") as server:
        answer = raw(server.port, b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\nGET /ping HT")
        assert answer.count(b"HTTP/1.1 200 OK") == 1


def test_endless_headers_are_431(server):
    answer = raw(server.port, b"GET /ping HTTP/1.1\r\n" + b"X-Filler: abcdefghijklmnop\r\n" * 2000)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b'"headers_too_large"' in answer


def test_what_is_no_http_is_400_in_json(server, schema):
    answer = raw(server.port, b"\x16\x03\x01 hello\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    schema("error", json.loads(body))


def test_a_full_server_rejects_before_the_body_has_come(start_server, make_model, gray):
    """The only worker hangs; the caller whose request is rejected has sent 50 of 900,000 bytes."""
    environment = {"BINCOUNT_QUEUE_LIMIT": "0", "BINCOUNT_CPUS": "1", "BINCOUNT_HEADER_SECONDS": "1"}
    with start_server(make_model(hangs=True), **environment) as server:
        hang_the_only_worker(server, gray)
        assert raw(server.port, head_of(900_000) + bytes(50)).startswith(b"HTTP/1.1 503 ")


def hang_the_only_worker(server, gray) -> None:
    """Send images that the network computes on for years, until one is rejected: another is at work then."""
    headers = {"Content-Type": "image/jpeg"}
    for _ in range(30):
        with contextlib.suppress(httpx.ReadTimeout):
            response = httpx.post(f"{server.url}/invocations", content=gray(5), headers=headers, timeout=1)
            assert response.status_code == 503
            return
    pytest.fail("no request was rejected: the network did not hang")


def test_bodies_held_in_memory_are_bounded(start_server, model_dir, gray):
    """Three callers that each hold back the end of 900,000 bytes; there is room for two of them."""
    limits = {"BINCOUNT_MAX_BODY_BYTES": "1000000", "BINCOUNT_BUFFERED_BYTES": "2000000"}
    with start_server(model_dir, **limits, BINCOUNT_BODY_SECONDS="2", BINCOUNT_HEADER_SECONDS="2") as server:
        with ThreadPoolExecutor(3) as callers:
            answers = list(
                callers.map(lambda _: raw(server.port, head_of(999_999) + bytes(900_000)), range(3))
            )
        assert sum(answer.startswith(b"HTTP/1.1 503 ") for answer in answers) == 1
        assert sum(answer.startswith(b"HTTP/1.1 408 ") for answer in answers) == 2
        assert server.post(gray(120)).json()["count"] == 3


def test_the_server_bears_a_thousand_half_open_connections(server, gray):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4096), most))
    half_open = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(1000)]
    try:
        for connection in half_open:
            connection.sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Le")
        assert server.post(gray(120)).json()["count"] == 3
    finally:
        for connection in half_open:
            connection.close()


def head_of(length: int) -> bytes:
    lines = ("POST /invocations HTTP/1.1", "Host: x", "Content-Type: image/jpeg", f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode()


def raw(port: int, data: bytes) -> bytes:
    """Send bytes, keep the connection open, and return what the server sends until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(data)
        pieces = []
        while piece := connection.recv(65_536):
            pieces.append(piece)
        return b"".join(pieces)


def run_program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end; it must end by itself."""
    command = [sys.executable, "-m", "inference", *arguments]
    environment["PYTHONPATH"] = str(Path(__file__).parents[3] / "core")
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda d: d.update(schema_version=2), "schema_version is 2, this server reads 1"),
        (lambda d: d["classes"].update(counts=[0, 1]), "expected an output of float32 [1,2]"),
    ],
)
def test_a_model_that_cannot_be_served_stops_the_start_with_one_line(make_model, change, fault):
    folder = make_model(change, classes=6)
    ended = run_program("--model-dir", str(folder), "--port", "0")
    assert ended.returncode == 1
    assert ended.stderr.startswith("bincount: ") and fault in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_bad_settings_stop_the_start_with_one_line(model_dir):
    ended = run_program("--model-dir", str(model_dir), BINCOUNT_CPUS="many")
    assert ended.returncode == 1
    assert ended.stderr == "bincount: BINCOUNT_CPUS: expected a whole number from 0 to 1024, got 'many'\n"


def test_a_port_in_use_stops_the_start_with_one_line(server, model_dir):
    ended = run_program("--model-dir", str(model_dir), "--port", str(server.port))
    assert ended.returncode == 1
    assert "Address already in use" in ended.stderr and ended.stderr.count("\n") == 1
