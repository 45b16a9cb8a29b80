"""Connections to a model server are kept and used again."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from embedded_cloud.hosting.connections import Connections, ServerGone, ServerTimeout
from embedded_cloud.hosting.deployment import repository_of
from embedded_cloud.hosting.model_server import free_port


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("000000000000.dkr.ecr.us-east-1.amazonaws.com/toy-server:1", "toy-server"),
        ("000000000000.dkr.ecr.us-east-1.amazonaws.com/toy-server@sha256:ab", "toy-server"),
        ("localhost:5000/team/bins:1", "team/bins"),
        ("toy-server", "toy-server"),
        ("team/bins:2", "team/bins"),
    ],
)
def test_the_repository_is_the_name_without_registry_tag_and_digest(image: str, repository: str):
    assert repository_of(image) == repository


class Echo(BaseHTTPRequestHandler):
    """Answers with the caller's own port; `/slow` hangs, `/drop` closes the connection behind the answer."""

    protocol_version = "HTTP/1.1"
    release = threading.Event()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/slow":
            self.release.wait(10)
        body = str(self.client_address[1]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        # Closes without saying so, as a server does whose keep-alive time is over.
        self.close_connection = self.path == "/drop"

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def port() -> Iterator[int]:
    Echo.release.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1]
    Echo.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


def post(connections: Connections, path: str) -> bytes:
    return connections.request(method="POST", path=path, headers={}, body=b"x")[2]


def test_one_connection_serves_requests_one_after_another(port: int):
    connections = Connections(port=port, timeout=5)
    assert post(connections, "/") == post(connections, "/")
    connections.close()


def test_a_connection_that_the_server_closed_is_replaced(port: int):
    connections = Connections(port=port, timeout=5)
    first = post(connections, "/drop")
    assert post(connections, "/") != first
    connections.close()


def test_a_server_that_does_not_answer_is_a_timeout(port: int):
    with pytest.raises(ServerTimeout, match="no answer"):
        post(Connections(port=port, timeout=0.1), "/slow")


def test_a_server_that_is_not_there_is_gone():
    with pytest.raises(ServerGone):
        post(Connections(port=free_port(), timeout=1), "/")
