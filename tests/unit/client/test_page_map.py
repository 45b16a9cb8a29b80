"""Where the model looked, over the image, in a real browser before a server whose model has a map."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.look import play
from tests.unit.client.conftest import Api
from tests.unit.client.page_process import KEYS, page_of
from tests.unit.client.test_page_in_browser import READY, clean
from tests.unit.inference.conftest import ServerStarter
from tests.unit.inference.test_inference_explanation import left_bright_image, pooling_model

ANSWER: dict[str, Any] = {
    "count": 3, "confidence": 0.7, "expected_value": 3, "interval": [2, 4], "at_least": False,
    "probabilities": {"3": 0.7, "4": 0.3}, "review": False, "model": "m", "request_id": "r",
}  # fmt: skip
EVIL = "<img src=x onerror=document.title=1>"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("images") / "left.png"
    path.write_bytes(left_bright_image(size=640))
    return str(path)


@pytest.fixture(scope="module")
def page(start_server: ServerStarter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    with (
        start_server(pooling_model(tmp_path_factory.mktemp("pooling"))) as server,
        page_of("--server", server.url, "--labels", folder / "labels", folder=folder) as address,
    ):
        yield address


@pytest.mark.parametrize(
    ("view", "locale", "button", "words"),
    [
        ("desk", "en-GB", "Show where it looked", "spoke most for 3: top left, left, and bottom left."),
        (
            "hand-dark",
            "de-DE",
            "Zeigen, wohin es gesehen hat",
            "am meisten für 3 sprach: oben links, links und unten links.",
        ),
    ],
)
def test_a_tap_shows_where_the_model_looked_and_says_it(
    page: str, image: str, tmp_path: Path, view: str, locale: str, button: str, words: str
) -> None:
    seen = play(
        page, tmp_path,
        {"file": ["#file", image]}, {"see": ["#look", button]}, {"read": "#look-said"},
        {"click": "#look"}, {"see": ["#look[aria-pressed='true']", ""]}, {"see": ["#look-said", ""]},
        {"read": "#look-said"}, {"axe": True}, {"measure": True}, {"shot": "looked"},
        {"click": "#look"}, {"see": ["#look[aria-pressed='false']", ""]}, {"read": "#look-said"},
        view=view, locale=locale,
    )  # fmt: skip
    clean(seen, page)
    before, shown, after = seen.read
    assert (before, after) == ("", "")
    assert words in shown


def test_a_map_that_cannot_be_drawn_is_none_and_no_script_runs(api: Api, image: str, tmp_path: Path) -> None:
    bad: list[dict[str, Any]] = [
        {"count": 3, "map": [[EVIL, 1]], "bias": 0}, {"count": 3, "map": [[1, 2], [3]], "bias": 0},
        {"count": 3, "map": [[1, 2]] * 33, "bias": 0}, {"count": 3, "map": EVIL}, {"count": 3, "map": [[]]},
        {"count": 3, "reason": EVIL},
    ]  # fmt: skip
    with page_of("--api-url", api.url, folder=tmp_path, **KEYS) as address:
        api.first = [
            (200, {**ANSWER, "request_id": f"r{n}", "explanation": each}) for n, each in enumerate(bad)
        ]
        steps: list[dict[str, Any]] = []
        for number, each in enumerate(bad, start=1):
            place = "#look-said" if "reason" in each else "figure:has(#looked[hidden])"
            steps += [{"file": ["#file", image]}, {"see": ["#sum", f"Counted: {number}."]}]
            steps += [{"see": [place, ""]}]
        seen = play(address, tmp_path, READY, *steps, {"read": "#look-said"}, {"read": "title"})
    clean(seen, address)
    assert seen.read == ["This model cannot show where it looked.", "bincount"]
