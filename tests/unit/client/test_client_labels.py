"""`bincount label` and Labeller: the real function of POST /labels behind a stand-in for API Gateway."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bincount import BincountError, Labeller, Refused
from bincount.labels.table import read_labels
from monitoring.labels.handler import handler
from tests.unit.client.conftest import Bincount
from tests.unit.monitoring.conftest import objects, s3, s3_environment

__all__ = ["objects", "s3", "s3_environment"]
Objects = Callable[[str], dict[str, Any]]


class Gateway(ThreadingHTTPServer):
    """Invokes the function for each POST; answers what is in `first` before that."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.first: list[tuple[int, Any]] = []
        self.requests: list[tuple[str, str]] = []
        """Path and signature."""

    @property
    def url(self) -> str:
        """What ApiUrl would be."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Gateway  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        gateway = self.server
        gateway.requests.append((self.path, self.headers["Authorization"]))
        if gateway.first:
            status, document = gateway.first.pop(0)
            text = json.dumps(document)
        else:
            call = f"call-{len(gateway.requests)}"
            answer = handler({"body": body, "requestContext": {"requestId": call}}, None)
            status, text = answer["statusCode"], answer["body"]
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        if status == 503:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def gateway(s3: Any) -> Iterator[Gateway]:  # noqa: F811
    """The stand-in, with an empty bucket behind it."""
    with Gateway() as started:
        thread = threading.Thread(target=started.serve_forever, daemon=True)
        thread.start()
        yield started
        started.shutdown()


@pytest.fixture
def labeller(gateway: Gateway) -> Labeller:
    return Labeller(stage="dev", region="eu-central-1", api_url=gateway.url)


def counts(records: dict[str, Any]) -> dict[str, list[int]]:
    """{request id: its counts in order}"""
    found: dict[str, list[int]] = {}
    for record in records.values():
        found.setdefault(record["eventMetadata"]["eventId"], []).append(record["bincount"]["count"])
    return found


def test_a_label_is_sent_signed_and_its_answer_is_typed(
    gateway: Gateway,
    labeller: Labeller,
    objects: Objects,  # noqa: F811
) -> None:
    first = labeller.label("a-1", 4, note="two behind the box", by="Ann")
    assert (first.request_id, first.count, first.previous, first.state) == ("a-1", 4, None, "pending")
    assert labeller.label("a-1", 5).previous == 4
    assert all(path == "/v1/labels" for path, _ in gateway.requests)
    assert all("/eu-central-1/execute-api/aws4_request" in signature for _, signature in gateway.requests)
    ours = next(iter(objects("labels/").values()))["bincount"]
    assert (ours["note"], ours["by"]) == ("two behind the box", "Ann")


@pytest.mark.parametrize(
    ("request_id", "count", "note"), [("", 1, None), ("a b", 1, None), ("a", -1, None), ("a", 1, "x" * 501)]
)
def test_a_wrong_label_is_not_sent(
    gateway: Gateway, labeller: Labeller, request_id: str, count: int, note: str | None
) -> None:
    with pytest.raises(BincountError):
        labeller.label(request_id, count, note=note)
    assert not gateway.requests


def test_an_api_that_is_busy_is_asked_again(gateway: Gateway, labeller: Labeller) -> None:
    busy = {"error": {"code": "upstream_failed", "message": "again", "request_id": "r"}}
    gateway.first = [(503, busy), (503, busy)]
    assert labeller.label("a-1", 4).count == 4


def test_an_older_api_without_labels_is_an_error_and_no_crash(gateway: Gateway, labeller: Labeller) -> None:
    gateway.first = [(200, {"message": "hello"})]
    with pytest.raises(Refused) as caught:
        labeller.label("a-1", 4)
    assert caught.value.code == "bad_answer"


def test_the_command_labels_one_answer_and_again(
    bincount: Bincount,
    gateway: Gateway,
    objects: Objects,  # noqa: F811
) -> None:
    where = ("--api-url", gateway.url)
    assert "labelled a-1: 4" in bincount("label", "a-1", "4", "--note", "x", *where, check=0).stdout
    assert "before: 4" in bincount("label", "a-1", "5", *where, check=0).stdout
    document = json.loads(bincount("label", "a-1", "5", "--json", *where, check=0).stdout)
    assert (document["count"], document["previous"]) == (5, 4)
    assert counts(objects("label-history/")) == {"a-1": [4, 5]}


CSV = 'request_id;count;note;bin\na-1;4;;7\na-2;3,0;"two; behind";8\n\n'


def test_a_csv_is_sent_whole_and_again_without_harm(
    bincount: Bincount,
    gateway: Gateway,
    objects: Objects,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "recount.csv").write_text(CSV, encoding="utf-8-sig")
    for _ in range(2):
        done = bincount("label", "--csv", "recount.csv", "--by", "Ann", "--api-url", gateway.url, check=0)
        assert "2 of 2 labels are stored" in done.stderr and "left out: bin" in done.stderr
    records = objects("labels/")
    assert counts(records) == {"a-1": [4], "a-2": [3]}
    assert {record["bincount"]["by"] for record in records.values()} == {"Ann"}


WRONG = "request_id,count\na-1,4\n,5\na b,5\na-2,four\na-1,5\na-3,1000000\n"


def test_of_a_csv_with_wrong_rows_each_is_named_and_none_sent(
    bincount: Bincount, gateway: Gateway, tmp_path: Path
) -> None:
    (tmp_path / "recount.csv").write_text(WRONG)
    done = bincount("label", "--csv", "recount.csv", "--api-url", gateway.url, check=1)
    assert not gateway.requests
    assert [n for n in range(2, 8) if f"line {n}: " in done.stderr] == [3, 4, 5, 6, 7]
    assert "--skip-wrong" in done.stderr


def test_with_skip_wrong_the_other_rows_are_sent(
    bincount: Bincount,
    gateway: Gateway,
    objects: Objects,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "recount.csv").write_text(WRONG)
    done = bincount("label", "--csv", "recount.csv", "--skip-wrong", "--api-url", gateway.url, check=1)
    assert "1 of 6 labels are stored" in done.stderr
    assert counts(objects("labels/")) == {"a-1": [4]}


@pytest.mark.parametrize("arguments", [[], ["a"], ["a", "4", "--csv", "f"], ["a", "4", "--skip-wrong"]])
def test_a_wrong_command_line_is_named(bincount: Bincount, arguments: list[str]) -> None:
    assert "label" in bincount("label", *arguments, check=2).stderr


@pytest.mark.parametrize("data", [b"", b"id,count\n1,2\n", b"PK\x03\x04", b"\xff\xfea"])
def test_a_file_that_is_no_such_csv_is_an_error(data: bytes) -> None:
    with pytest.raises(BincountError, match="recount.csv"):
        read_labels(data, name="recount.csv")
