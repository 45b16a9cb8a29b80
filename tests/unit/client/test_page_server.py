"""`bincount page`: what its server takes, what it refuses, and what it hands on."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.client.conftest import Api, Bincount
from tests.unit.client.page_process import KEYS, page_of
from tests.unit.inference.conftest import Running

Gray = Callable[..., bytes]
Schema = Callable[[str, object], None]
LABEL: dict[str, Any] = {"request_id": "r-1", "count": 4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def page(server: Running, folder: Path) -> Iterator[str]:
    """The page in front of a real inference server."""
    with page_of("--server", server.url, "--labels", folder / "labels", folder=folder) as address:
        yield address


def post(address: str, path: str, body: Any, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{address}{path}", content=body, headers=named, timeout=30)


def code_of(response: httpx.Response, schema: Schema) -> str:
    schema("error", response.json())
    assert "Traceback" not in response.text
    return response.json()["error"]["code"]


def test_an_image_is_counted_with_what_was_expected(page: str, gray: Gray, schema: Schema) -> None:
    answer = post(page, "count?expected=3", gray(120), content_type="image/jpeg").json()
    schema("answer", answer)
    assert (answer["count"], answer["verification"]["verdict"]) == (3, "match")
    assert "verification" not in post(page, "count", gray(80)).json()


def test_a_map_is_asked_for_as_at_the_api(page: str, gray: Gray, schema: Schema) -> None:
    answer = post(page, "count?expected=3%2Cexplain%3D1", gray(120)).json()
    schema("answer", answer)
    assert answer["verification"]["expected"] == answer["explanation"]["count"] == 3
    alone = post(page, "count?expected=explain%3D1", gray(120)).json()
    assert "verification" not in alone and "explanation" in alone
    assert "explanation" not in post(page, "count?expected=explain%3D0", gray(120)).json()


@pytest.mark.parametrize("asked", ["3,explain=2", "explain", "3,explain=1,explain=1", "explain=<script>"])
def test_a_bad_wish_for_a_map_is_rejected(page: str, gray: Gray, schema: Schema, asked: str) -> None:
    response = httpx.post(f"{page}count", params={"expected": asked}, content=gray(120), timeout=30)
    assert response.status_code == 422
    assert code_of(response, schema) in ("bad_explain", "bad_expected_count")


def test_an_error_of_the_server_comes_as_it_is(page: str, schema: Schema) -> None:
    response = post(page, "count", b"no image")
    assert (response.status_code, code_of(response, schema)) == (400, "undecodable_image")


def test_a_label_is_a_file_and_the_next_one_names_it(page: str, folder: Path, schema: Schema) -> None:
    first = post(
        page,
        "labels",
        json.dumps(LABEL | {"by": "Ana", "note": " two hidden "}),
        content_type="application/json",
    )
    said = {"previous": None, "labelled_at": first.json()["labelled_at"], "state": "pending"}
    assert first.json() == LABEL | said
    kept = json.loads((folder / "labels" / "r-1.json").read_text())
    schema("label", kept)
    ours = kept.pop("bincount")
    assert kept == {
        "groundTruthData": {"data": "4", "encoding": "CSV"},
        "eventMetadata": {"eventId": "r-1"},
        "eventVersion": "0",
    }
    assert (ours["by"], ours["note"], ours["labelled_at"]) == (
        "Ana", "two hidden", first.json()["labelled_at"],
    )  # fmt: skip
    second = post(
        page, "labels", json.dumps(LABEL | {"count": 5}), content_type="application/json; charset=utf-8"
    )
    assert (second.json()["count"], second.json()["previous"]) == (5, 4)
    ours = json.loads((folder / "labels" / "r-1.json").read_text())["bincount"]
    assert (ours["count"], ours["previous"]) == (5, 4)


def test_the_id_of_a_label_never_leads_out_of_its_folder(page: str, folder: Path) -> None:
    before = set(folder.iterdir())
    record = LABEL | {"request_id": "../../etc/x"}
    assert post(page, "labels", json.dumps(record), content_type="application/json").status_code == 200
    assert set(folder.iterdir()) == before
    assert (folder / "labels" / "..%2F..%2Fetc%2Fx.json").is_file()


@pytest.mark.parametrize(
    "record",
    [
        b"", b"x", b"[]", b"3", b"[" * 5000, {}, {"count": 4}, {"request_id": "r"},
        LABEL | {"count": -1}, LABEL | {"count": 1_000_000}, LABEL | {"count": 4.0}, LABEL | {"count": True},
        LABEL | {"count": "4"}, LABEL | {"request_id": ""}, LABEL | {"request_id": "a b"},
        LABEL | {"request_id": "x" * 65}, LABEL | {"note": 7},
        LABEL | {"note": "x" * 501}, LABEL | {"by": "x" * 101}, LABEL | {"request_id": 7},
        LABEL | {"wrong": 1},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_label_is_rejected(page: str, schema: Schema, record: Any) -> None:
    body = record if isinstance(record, bytes) else json.dumps(record)
    response = post(page, "labels", body, content_type="application/json")
    expected = (422, "bad_label") if body else (400, "empty_body")
    assert (response.status_code, code_of(response, schema)) == expected


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"}, {"host": "127.0.0.1"}, {"host": "127.0.0.1:1"},
        {"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://127.0.0.1"},
        {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"},
    ],
    ids=str,
)  # fmt: skip
def test_a_foreign_page_or_name_reaches_nothing(
    page: str, folder: Path, schema: Schema, gray: Gray, headers: dict[str, str]
) -> None:
    label = json.dumps(LABEL | {"request_id": "foreign"})
    for path, body in (("labels", label), ("count", gray(120))):
        response = post(page, path, body, content_type="application/json", **headers)
        assert (response.status_code, code_of(response, schema)) == (403, "forbidden")
    assert not (folder / "labels" / "foreign.json").exists()
    if "sec_fetch_site" not in headers:  # a link on another page may lead here
        assert httpx.get(page, headers=headers).status_code == 403


def test_the_page_itself_may_ask(page: str, gray: Gray) -> None:
    for host in (page[7:-1], page[7:-1].replace("127.0.0.1", "localhost")):
        response = post(
            page, "count", gray(120), host=host, origin=f"http://{host}", sec_fetch_site="same-origin"
        )
        assert response.status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "code"),
    [
        ("count", b"x" * 6_291_457, {}, 413, "body_too_large"),
        ("labels", b"x" * 8_193, {"content_type": "application/json"}, 413, "body_too_large"),
        ("labels", json.dumps(LABEL), {"content_type": "text/plain"}, 415, "unsupported_media_type"),
        ("count", b"", {}, 400, "empty_body"),
        ("count?expected=x", b"x", {}, 422, "bad_expected_count"),
        ("count?expected=1&expected=2", b"x", {}, 422, "bad_expected_count"),
        ("count?expected=1000000", b"x", {}, 422, "bad_expected_count"),
        ("count?expected=%D9%A3", b"x", {}, 422, "bad_expected_count"),
        ("page.json", b"x", {}, 405, "method_not_allowed"),
        ("nothing", b"x", {}, 405, "method_not_allowed"),
    ],
)
def test_a_bad_request_has_an_error_of_the_apis_form(
    page: str, schema: Schema, path: str, body: Any, headers: dict[str, str], status: int, code: str
) -> None:
    response = post(page, path, body, **headers)
    assert (response.status_code, code_of(response, schema)) == (status, code)


def test_a_body_without_a_length_is_bounded_too(page: str, schema: Schema) -> None:
    response = post(page, "count", (b"x" * 65_536 for _ in range(200)))
    assert (response.status_code, code_of(response, schema)) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("", 200), ("page.js", 200), ("style.css", 200), ("texts/de.json", 200), ("page.json", 200),
        ("nothing", 404),
        ("%2e%2e/client/pyproject.toml", 404), ("texts/..%2f..%2fREADME.md", 404),
    ],
)  # fmt: skip
def test_every_answer_binds_the_browser_to_the_pages_own_files(page: str, path: str, status: int) -> None:
    response = httpx.get(f"{page}{path}")
    assert response.status_code == status
    policy = response.headers["content-security-policy"]
    assert (
        policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        and "unsafe" not in policy
    )
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"


def test_where_nobody_answers_behind_it_the_page_says_so(tmp_path: Path, gray: Gray, schema: Schema) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with page_of("--server", f"http://127.0.0.1:{port}", folder=tmp_path) as address:
        response = post(address, "count", gray(120))
    assert (response.status_code, code_of(response, schema)) == (502, "upstream_failed")
    assert str(port) not in response.text


def test_a_stage_is_asked_with_the_callers_signature(api: Api, tmp_path: Path, gray: Gray) -> None:
    with page_of("--api-url", api.url, folder=tmp_path, **KEYS) as address:
        answer = post(address, "count?expected=3", gray(120)).json()
        api.first = [(200, {**LABEL, "previous": None, "labelled_at": "2026-11-28T12:00:00Z"})]
        said = post(address, "labels", json.dumps(LABEL), content_type="application/json").json()
        assert httpx.get(f"{address}page.json").json() == {"stage": "dev", "queue": True}
    assert (answer["verification"]["verdict"], said["count"]) == ("match", 4)
    (path, headers, body), (label_path, label_headers, label) = api.requests
    assert (path, body, headers["content-type"]) == ("/v1/count?expected=3", gray(120), "image/jpeg")
    assert (label_path, json.loads(label), label_headers["content-type"]) == (
        "/v1/labels",
        LABEL,
        "application/json",
    )
    for signed in (headers, label_headers):
        assert signed["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
    assert not list(tmp_path.iterdir())


def test_without_credentials_the_page_says_what_to_do(
    api: Api, tmp_path: Path, gray: Gray, schema: Schema
) -> None:
    with page_of("--api-url", api.url, folder=tmp_path) as address:
        response = post(address, "count", gray(120))
    assert (response.status_code, code_of(response, schema)) == (403, "forbidden")
    assert "aws sso login" in response.json()["error"]["message"]
    assert not api.requests


def test_a_redirect_is_neither_followed_nor_handed_on(api: Api, tmp_path: Path, gray: Gray) -> None:
    with page_of("--api-url", api.url, folder=tmp_path, **KEYS) as address:
        api.first = [(302, {})]
        assert post(address, "count", gray(120)).status_code == 502
    assert len(api.requests) == 1


def test_a_call_that_cannot_be_served_ends_with_one_line(bincount: Bincount) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = bincount("page", "--server", "http://127.0.0.1:1", "--port", port, check=1)
    assert port in done.stderr and done.stderr.count("\n") == 1
    for arguments in (("--server", "x"), ("--api-url", "http://example.org")):
        assert bincount("page", *arguments, check=1).stderr.startswith("error: ")
