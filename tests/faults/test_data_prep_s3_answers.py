"""What S3 may answer that the embedded one does not: other regions, denied heads, errors as status 200."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from data_prep.errors import TransferFailed
from data_prep.storage import s3_store
from data_prep.storage.s3_store import S3Store
from data_prep.storage.store import Changed, Info, Missing

Answer = tuple[int, dict[str, str], bytes]
Scripted = Callable[[Callable[[str, str], Answer]], list[tuple[str, str, dict[str, str]]]]

HEAD = (200, {"x-amz-bucket-region": "us-east-1"}, b"")
COPIED = b"<CopyObjectResult><ETag>x</ETag></CopyObjectResult>"


@pytest.fixture
def s3_that(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """`s3_that(answer)` starts a server that answers with `answer(verb, path)`; gives the requests it got."""
    started: list[ThreadingHTTPServer] = []

    def start(answer: Callable[[str, str], Answer]) -> list[tuple[str, str, dict[str, str]]]:
        seen: list[tuple[str, str, dict[str, str]]] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
                status, headers, body = answer(self.command, self.path)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"" if self.command == "HEAD" else body)

            do_GET = do_PUT = do_HEAD = _serve

            def log_message(self, format: str, *args: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started.append(server)
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_address[1]}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "2",
        }.items():
            monkeypatch.setenv(name, value)
        s3_store.forget_clients()
        return seen

    yield start
    for server in started:
        server.shutdown()
        server.server_close()
    s3_store.forget_clients()


def test_a_bucket_of_another_region_is_signed_for_it_without_its_head(
    s3_that: Scripted,
) -> None:
    head = (403, {"x-amz-bucket-region": "eu-central-1"}, b"")
    seen = s3_that(lambda verb, path: head if verb == "HEAD" else (200, {"ETag": '"e"'}, b"bytes"))
    assert S3Store(bucket="elsewhere").read("a b/ü+~.jpg") == b"bytes"
    (_, path, headers) = seen[-1]
    assert path == "/elsewhere/a%20b/%C3%BC%2B~.jpg"
    assert "/eu-central-1/s3/aws4_request" in headers["authorization"]


def test_an_unsigned_store_sends_no_credentials(s3_that: Scripted) -> None:
    seen = s3_that(lambda verb, path: HEAD if verb == "HEAD" else (200, {"ETag": '"e"'}, b"bytes"))
    S3Store(bucket="public", unsigned=True).read("x")
    assert not any("authorization" in headers for _, _, headers in seen)


def test_a_bucket_that_does_not_exist_is_no_missing_image(s3_that: Scripted) -> None:
    s3_that(lambda verb, path: (404, {}, b""))
    with pytest.raises(TransferFailed, match="s3://nowhere.*check the bucket's name"):
        S3Store(bucket="nowhere").read("x")


def test_a_copy_that_fails_under_status_200_is_made_again(s3_that: Scripted) -> None:
    error = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code></Error>'
    bodies = iter([error, COPIED])
    seen = s3_that(lambda verb, path: HEAD if verb == "HEAD" else (200, {}, next(bodies)))
    store = S3Store(bucket="stage")
    store.begin_take("y.jpg", source=S3Store(bucket="other"), source_info=Info("x.jpg", "e", 1), data=b"x")()
    copies = [headers for verb, _, headers in seen if verb == "PUT"]
    assert [copy["x-amz-copy-source"] for copy in copies] == ["other/x.jpg"] * 2


@pytest.mark.parametrize(
    ("status", "body", "raised"),
    [
        (404, b"<Error><Code>NoSuchKey</Code><Message>m</Message></Error>", Missing),
        (412, b"<Error><Code>PreconditionFailed</Code></Error>", Changed),
        (403, b"<Error><Code>AccessDenied</Code><Message>m</Message></Error>", TransferFailed),
        (404, b"<Error><Code>NoSuchBucket</Code></Error>", TransferFailed),
        (500, b"", TransferFailed),
        (400, b"<html>\xff a proxy's page", TransferFailed),
    ],
)
def test_each_error_answer_has_its_exception(
    status: int, body: bytes, raised: type[Exception], s3_that: Scripted
) -> None:
    s3_that(lambda verb, path: HEAD if verb == "HEAD" else (status, {}, body))
    with pytest.raises(raised) as caught:
        S3Store(bucket="stage").read("x")
    assert not isinstance(caught.value, TransferFailed) or "GetObject of s3://stage/x" in str(caught.value)


def test_what_is_put_carries_its_checksum(s3_that: Scripted) -> None:
    seen: list[Any] = s3_that(lambda verb, path: HEAD if verb == "HEAD" else (200, {}, b""))
    S3Store(bucket="stage").write("x", b"123456789", content_type="text/plain")
    assert seen[-1][2]["x-amz-checksum-crc32"] == "y/Q5Jg=="  # CRC-32's check value, cbf43926
    assert seen[-1][2]["content-length"] == "9"
