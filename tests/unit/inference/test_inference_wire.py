"""What goes over the wire: errors before a body, offers of other protocols, and what headers say."""

import json
import socket
import struct
from collections.abc import Iterator

import httpx
import pytest

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
SETTINGS = b"AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA"


def head(*lines: bytes, path: bytes = b"/invocations") -> bytes:
    named = {line.split(b":")[0].lower() for line in lines}
    content_type = () if b"content-type" in named else (b"Content-Type: image/jpeg",)
    return b"\r\n".join([b"POST " + path + b" HTTP/1.1", b"Host: x", *content_type, *lines, b"", b""])


@pytest.fixture
def connection(server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as opened:
        yield opened


class Reader:
    """Reads answers from a connection, one after the other."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._data = b""

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers with lower-case names, and body."""
        while b"\r\n\r\n" not in self._data:
            self._data += self._more()
        top, _, self._data = self._data.partition(b"\r\n\r\n")
        status, *lines = top.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = int(headers.get("content-length", 0))
        while len(self._data) < length:
            self._data += self._more()
        body, self._data = self._data[:length], self._data[length:]
        return int(status.split()[1]), headers, body

    def _more(self) -> bytes:
        piece = self._connection.recv(65_536)
        assert piece, "the server closed the connection in the middle of an answer"
        return piece


ERRORS_BY_HEADERS = [
    (406, "not_acceptable", b"/invocations", b"Accept: text/html"),
    (415, "unsupported_media_type", b"/invocations", b"Content-Type: text/plain"),
    (422, "bad_expected_count", b"/invocations", b"%s: expected-count=many" % ATTRIBUTES.encode()),
    (422, "bad_expected_count", b"/invocations?expected=3", b"X-Other: 1"),
    (413, "body_too_large", b"/invocations", b"Content-Length: 6291457"),
]


@pytest.mark.parametrize("expecting", [False, True], ids=["", "Expect: 100-continue"])
@pytest.mark.parametrize(("status", "code", "path", "line"), ERRORS_BY_HEADERS)
def test_headers_that_suffice_to_reject_are_answered_before_a_body(
    connection, schema, status, code, path, line, expecting
):
    """Of the body that is promised nothing is ever sent; nor is it asked for by 100 Continue."""
    length = () if line.startswith(b"Content-Length") else (b"Content-Length: 900000",)
    expect = (b"Expect: 100-continue",) if expecting else ()
    connection.sendall(head(line, *length, *expect, path=path))
    found, _, body = Reader(connection).answer()
    schema("error", json.loads(body))
    assert (found, json.loads(body)["error"]["code"]) == (status, code)


def test_100_continue_is_sent_only_where_the_body_is_wanted(connection, gray):
    body = gray(120)
    connection.sendall(head(b"Content-Length: %d" % len(body), b"Expect: 100-continue"))
    reader = Reader(connection)
    assert reader.answer()[0] == 100
    connection.sendall(body)
    status, _, answer = reader.answer()
    assert (status, json.loads(answer)["count"]) == (200, 3)


def test_an_unread_body_does_not_disturb_the_next_request(connection, gray):
    rejected, body = bytes(50_000), gray(120)
    reader = Reader(connection)
    connection.sendall(head(b"Accept: text/html", b"Content-Length: %d" % len(rejected)) + rejected)
    assert reader.answer()[0] == 406
    connection.sendall(head(b"Content-Length: %d" % len(body)) + body)
    status, _, answer = reader.answer()
    assert (status, json.loads(answer)["count"]) == (200, 3)


def offer(*lines: bytes) -> bytes:
    """The head of a request as Java's HttpClient sends it over plain HTTP."""
    return head(
        b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: " + SETTINGS,
        b"User-Agent: Java-http-client/21.0.2", *lines,
    )  # fmt: skip


def chunked(body: bytes) -> bytes:
    pieces = [body[start : start + 300] for start in range(0, len(body), 300)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize("form", ["length", "chunked"])
@pytest.mark.parametrize("packet", [1_000_000, 700, 41])
def test_an_offer_of_http2_is_passed_over_and_the_body_is_read(connection, gray, form, packet):
    """Twice on one connection, however the bytes are cut into packets."""
    reader = Reader(connection)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for level, count in ((120, 3), (200, 5)):
        body = gray(level)
        request = (
            offer(b"Content-Length: %d" % len(body)) + body
            if form == "length"
            else offer(b"Transfer-Encoding: chunked") + chunked(body)
        )
        for start in range(0, len(request), packet):
            connection.sendall(request[start : start + packet])
        status, headers, answer = reader.answer()
        assert (status, json.loads(answer)["count"]) == (200, count)
        assert "upgrade" not in headers


def test_offers_that_are_sent_without_waiting_are_answered_in_turn(connection, gray):
    bodies = [gray(level) for level in (40, 80, 120)]
    connection.sendall(b"".join(offer(b"Content-Length: %d" % len(body)) + body for body in bodies))
    reader = Reader(connection)
    assert [json.loads(reader.answer()[2])["count"] for _ in bodies] == [1, 2, 3]


def test_an_offer_keeps_what_else_its_headers_say(connection, gray):
    body = gray(120)
    lines = (b"%s: expected-count=3" % ATTRIBUTES.encode(), b"X-Amzn-SageMaker-Inference-Id: java-1")
    request = offer(*lines, b"Content-Length: %d" % len(body), b"Expect: 100-continue")
    connection.sendall(request.replace(b"Connection: Upgrade,", b"Connection: close, Upgrade,"))
    reader = Reader(connection)
    assert reader.answer()[0] == 100
    connection.sendall(body)
    status, headers, answer = reader.answer()
    found = json.loads(answer)
    assert (status, found["request_id"], found["verification"]["verdict"]) == (200, "java-1", "match")
    assert headers["connection"] == "close"


def test_an_offer_of_a_web_socket_is_passed_over_too(connection):
    lines = [b"GET /ping HTTP/1.1", b"Host: x", b"Connection: Upgrade", b"Upgrade: websocket", b"", b""]
    connection.sendall(b"\r\n".join(lines))
    assert Reader(connection).answer()[0] == 200


@pytest.mark.parametrize(
    "data",
    [
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + struct.pack(">I", 0),
        offer(b"Content-Length: 5", b"Transfer-Encoding: chunked") + b"5\r\nabcde\r\n0\r\n\r\n",
        offer(b"Transfer-Encoding: chunked") + b"zz\r\n",
    ],
    ids=["a tunnel", "HTTP/2 at once", "a length and chunks", "chunks that are none"],
)
def test_what_is_no_request_for_this_server_is_400(connection, server, gray, schema, data):
    connection.sendall(data)
    status, _, body = Reader(connection).answer()
    schema("error", json.loads(body))
    assert status == 400
    assert server.post(gray(120)).json()["count"] == 3


@pytest.mark.parametrize("accept", ["text/plain", "application/json"])
@pytest.mark.parametrize(
    ("level", "asked", "said"),
    [
        (120, {}, "review=false,at-least=false"),
        (100, {}, "review=true,at-least=false"),
        (120, {ATTRIBUTES: "3"}, "review=false,at-least=false,verdict=match"),
        (120, {ATTRIBUTES: "9"}, "review=false,at-least=false,verdict=uncertain"),
    ],
)
def test_a_header_says_what_a_bare_number_does_not(server, gray, accept, level, asked, said):
    """At brightness 100 the probabilities of 2 and 3 are equal. SageMaker passes this one header on."""
    response = server.post(gray(level), Accept=accept, **asked)
    assert response.status_code == 200
    assert response.headers[ATTRIBUTES] == said


def test_a_number_that_the_model_cannot_say_is_uncertain_with_the_reason(server, gray, schema):
    answer = server.post(gray(120), **{ATTRIBUTES: "expected-count=6"}).json()
    schema("answer", answer)
    assert answer["verification"] == {
        "expected": 6, "verdict": "uncertain", "probability": 0.0, "reason": "this model counts 0 to 5",
    }  # fmt: skip


def test_another_system_s_trace_id_is_left_to_it(server, gray):
    answer = server.post(gray(120), **{ATTRIBUTES: "c000b4f9-df62-4c85"}).json()
    assert (answer["count"], "verification" in answer) == (3, False)


def test_headers_on_several_lines_are_one_list(server, gray):
    headers = [
        ("Content-Type", "image/jpg"), ("Accept", "text/html"), ("Accept", "*; q=.2"),
        (ATTRIBUTES, "c000b4f9-df62-4c85"), (ATTRIBUTES, "expected-count=3"),
    ]  # fmt: skip
    response = httpx.post(f"{server.url}/invocations", content=gray(120), headers=headers)
    assert response.json()["verification"]["verdict"] == "match"


def test_an_expected_count_in_the_query_is_rejected_not_ignored(server, gray, schema):
    headers = {"Content-Type": "image/jpeg"}
    response = httpx.post(f"{server.url}/invocations?expect=3", content=gray(120), headers=headers)
    schema("error", response.json())
    assert (response.status_code, response.json()["error"]["code"]) == (422, "bad_expected_count")
