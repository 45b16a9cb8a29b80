"""The queue of the page in a real browser: kept images on a real S3, labels to the real function."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bincount.stage.stage import Stage
from tests.browser.look import HAND, Played, play
from tests.unit.client.page_process import page_of
from tests.unit.client.test_client_labels import Gateway, counts
from tests.unit.client.test_page_in_browser import VIEWS, clean
from tests.unit.data_prep.conftest import s3_environment
from tests.unit.inference.conftest import gray
from tests.unit.monitoring.conftest import calls, objects, s3
from tests.unit.monitoring.test_kept_images import sort, stage
from tests.unit.monitoring.test_proposals import captured

__all__ = ["calls", "gray", "objects", "s3", "s3_environment", "sort", "stage"]
Sort = Callable[..., dict[str, int]]
Objects = Callable[[str], dict[str, Any]]
SHOWN = {"see": ["#place", "Image 1 of 3"]}
NEXT = "ArrowRight"


@pytest.fixture
def page(
    stage: Stage,  # noqa: F811
    sort: Sort,  # noqa: F811
    s3_environment: dict[str, str],  # noqa: F811
    tmp_path: Path,
) -> Iterator[tuple[str, Gateway]]:
    """The page before a stage that keeps three images: `a`, of which it is least sure, `b`, and `c`."""
    shares = {"a": (0.3, 0.4, 0.3), "b": (0.02, 0.48, 0.5), "c": (0.05, 0.9, 0.05)}
    sort(*(captured(name, *each, seed=place) for place, (name, each) in enumerate(shares.items())))
    with Gateway() as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        cloud = s3_environment | {"AWS_REGION": "us-east-1"}
        with page_of("--api-url", api.url, folder=tmp_path, **cloud) as address:
            yield f"{address}queue.html", api
        api.shutdown()


def used(
    page: tuple[str, Gateway], out: Path, *steps: dict[str, Any], lost: int = 0, **options: str
) -> Played:
    """The queue was used so; nothing that clean() looks for was found."""
    address, _ = page
    seen = play(address, out, *steps, **options)
    clean(seen, address.removesuffix("queue.html"), lost=lost)
    return seen


@pytest.mark.parametrize("view", VIEWS)
def test_the_queue_is_gone_through_and_each_number_is_a_label(
    page: tuple[str, Gateway],
    objects: Objects,  # noqa: F811
    tmp_path: Path,
    view: str,
) -> None:
    seen = used(
        page, tmp_path, SHOWN, {"read": "#place"}, {"read": "#main"}, {"axe": True}, {"measure": True},
        {"shot": "first"},
        {"fill": ["#by", "Ana"]}, {"click": "[data-number='2']"}, {"see": ["#place", "Image 2 of 3"]},
        {"see": ["#given", "Saved: 2. Thank you. The model counted 1."]}, {"axe": True}, {"measure": True},
        {"shot": "second"},
        {"fill": ["#other", "14"]}, {"click": "#give"},
        {"see": ["#given", "Saved: 14. Thank you. The model counted 2."]},
        {"click": "#back"}, {"see": ["#place", "Image 2 of 3"]}, {"click": "[data-number='4']"},
        {"see": ["#given", "Saved: 4 in place of 14"]},
        {"click": "#skip"}, {"see": ["#end-title", "That was the last"]},
        {"axe": True}, {"measure": True}, {"shot": "end"},
        {"click": "#more"}, {"see": ["#end-title", "No image waits"]},
        view=view,
    )  # fmt: skip
    place, all_of_it = seen.read
    assert place == "Image 1 of 3. Waiting: 3"
    assert "The model counted" not in all_of_it
    records = objects("labels/")
    assert counts(records) == {"a": [2], "b": [14, 4]}
    assert {record["bincount"]["by"] for record in records.values()} == {"Ana"}
    if view.startswith("hand"):
        assert {found["width"] for found in seen.measured} == {HAND}


def test_the_keyboard_alone_does_it(
    page: tuple[str, Gateway],
    objects: Objects,  # noqa: F811
    tmp_path: Path,
) -> None:
    used(
        page, tmp_path, SHOWN, {"press": "3"}, {"see": ["#place", "Image 2"]}, {"press": "ArrowLeft"},
        {"see": ["#place", "Image 1"]}, {"press": "1"}, {"see": ["#given", "Saved: 1 in place of 3"]},
        {"press": "s"}, {"see": ["#place", "Image 3"]}, {"press": "o"},
        *[{"press": key} for key in ("1", "2", "Enter")],
        {"see": ["#given", "Saved: 12"]}, {"see": ["#end-title", "last"]},
    )  # fmt: skip
    assert counts(objects("label-history/")) == {"a": [3, 1], "c": [12]}


def test_numbers_given_without_a_network_are_sent_once_later(
    page: tuple[str, Gateway],
    objects: Objects,  # noqa: F811
    tmp_path: Path,
) -> None:
    used(
        page, tmp_path, SHOWN, {"press": "2"}, {"see": ["#given", "Saved: 2"]}, {"offline": True},
        {"press": "3"}, {"see": ["#given", "kept on this device"]}, {"see": ["#kept", "1 number is kept"]},
        {"press": "4"}, {"see": ["#kept", "2 numbers are kept"]}, {"axe": True}, {"shot": "offline"},
        {"offline": False}, {"see": ["#given", "Saved: 4"]}, {"reopen": True},
        {"see": ["#end-title", "No image waits"]},
        lost=9,
    )  # fmt: skip
    assert counts(objects("labels/")) == {"a": [2], "b": [3], "c": [4]}


def test_only_what_was_proposed_is_shown_and_to_this_page_alone(page: tuple[str, Gateway]) -> None:
    address = page[0].removesuffix("queue.html")
    image = f"{address}queue/image"
    assert httpx.get(image, params={"id": "a"}).status_code == 404
    found = httpx.get(f"{address}queue").json()
    assert [item["request_id"] for item in found["items"]] == ["a", "b", "c"] and found["waiting"] == 3
    got = httpx.get(image, params={"id": "a"})
    assert got.headers["content-type"] == "image/jpeg" and got.content.startswith(b"\xff\xd8")
    assert got.headers["cross-origin-resource-policy"] == "same-origin"
    for request_id in ("../labels", "", "d"):
        assert httpx.get(image, params={"id": request_id}).status_code == 404
    assert httpx.get(f"{address}queue", headers={"Origin": "http://example.org"}).status_code == 403


def test_a_page_without_kept_images_says_so(tmp_path: Path) -> None:
    with page_of("--server", "http://127.0.0.1:1", folder=tmp_path) as address:
        seen = play(
            f"{address}queue.html", tmp_path, {"see": ["#end-title", "no kept images"]}, {"axe": True},
            {"select": ["#language", "de"]}, {"see": ["#end-title", "keine aufbewahrten Bilder"]},
        )  # fmt: skip
    clean(seen, address, lost=1)
