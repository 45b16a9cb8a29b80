"""HTTPS_PROXY and NO_PROXY are obeyed: a real CONNECT proxy, a real TLS server behind it."""

import base64
import datetime
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.unit.client.conftest import Api, Bincount
from tests.unit.inference.conftest import Running

HOST = "api.bins.example"  # no such name exists: only the proxy knows where it is
Gray = Callable[..., bytes]


class Proxy(ThreadingHTTPServer):
    """Tunnels every CONNECT to `target`, whatever name is asked for; keeps what was asked."""

    def __init__(self, target: int) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.target = target
        self.asked: list[tuple[str, str | None]] = []


class _Tunnel(BaseHTTPRequestHandler):
    server: Proxy  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_CONNECT(self) -> None:
        self.server.asked.append((self.path, self.headers["Proxy-Authorization"]))
        with socket.create_connection(("127.0.0.1", self.server.target)) as upstream:
            self.send_response(200)
            self.end_headers()
            ends = [self.connection, upstream]
            while True:
                for ready in select.select(ends, [], [], 30)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    ends[1 - ends.index(ready)].sendall(data)

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of HOST in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "host.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def proxy(server: Running, certificate: Path) -> Iterator[Proxy]:
    with Api(server.url) as api:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        api.socket = context.wrap_socket(api.socket, server_side=True)
        with Proxy(api.server_address[1]) as started:
            for each in (api, started):
                threading.Thread(target=each.serve_forever, daemon=True).start()
            yield started
            for each in (api, started):
                each.shutdown()


@pytest.fixture
def count(bincount: Bincount, gray: Gray, tmp_path: Path, certificate: Path) -> Callable[..., str]:
    (tmp_path / "bin.jpg").write_bytes(gray(120))

    def run(*, check: int, **variables: str) -> str:
        given = {"AWS_CA_BUNDLE": str(certificate), **variables}
        url = f"https://{HOST}/v1"
        done = bincount("count", "bin.jpg", "--expect", "3", "--json", "--api-url", url, check=check, **given)
        return done.stdout + done.stderr

    return run


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_the_api_is_asked_through_the_proxy(proxy: Proxy, count: Callable[..., str], scheme: str) -> None:
    said = count(check=0, HTTPS_PROXY=f"{scheme}127.0.0.1:{proxy.server_address[1]}")
    assert '"verdict": "match"' in said
    assert proxy.asked == [(f"{HOST}:443", None)]


def test_the_proxy_gets_name_and_password(proxy: Proxy, count: Callable[..., str]) -> None:
    count(check=0, HTTPS_PROXY=f"http://user:p%40ss@127.0.0.1:{proxy.server_address[1]}")
    expected = f"Basic {base64.b64encode(b'user:p@ss').decode()}"
    assert proxy.asked == [(f"{HOST}:443", expected)]


@pytest.mark.parametrize("exempt", [HOST, ".example", "*"])
def test_no_proxy_is_obeyed(proxy: Proxy, count: Callable[..., str], exempt: str) -> None:
    address = f"http://127.0.0.1:{proxy.server_address[1]}"
    said = count(check=1, HTTPS_PROXY=address, NO_PROXY=exempt)
    assert proxy.asked == []
    assert f"https://{HOST}" in said, "the name is known to the proxy alone"


def test_a_proxy_that_is_down_is_named_without_its_password(count: Callable[..., str]) -> None:
    said = count(check=1, HTTPS_PROXY="http://user:secret@127.0.0.1:9")
    assert "http://127.0.0.1:9" in said and "secret" not in said


def test_a_proxy_of_another_kind_is_reported(count: Callable[..., str]) -> None:
    said = count(check=1, HTTPS_PROXY="socks5://127.0.0.1:9")
    assert said.startswith("error: ") and "socks5://127.0.0.1:9" in said


@pytest.mark.parametrize("address", ["127.0.0.1:port", "user:se/cret@127.0.0.1:9", "[::1", ""])
def test_a_proxy_that_is_no_address_is_reported_without_its_password(
    count: Callable[..., str], address: str
) -> None:
    said = count(check=1, HTTPS_PROXY=f"http://{address}")
    assert said.startswith("error: ") and "HTTPS_PROXY or HTTP_PROXY" in said
    assert "user" not in said and "Traceback" not in said
