"""The evaluation's page: one file that shows every figure and every chart."""

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bintrain.data.classes import Classes
from bintrain.engine.network import BinCounter, build_network
from bintrain.engine.trainer import Progress
from bintrain.evaluation.evaluation import Evaluated, Evaluation, evaluate
from bintrain.export.model_json import describe_model
from bintrain.export.precision import Export
from bintrain.reports.chart_files import (
    CONFUSION,
    LEARNING,
    MISTAKES,
    RELIABILITY,
    RISK_COVERAGE,
    write_charts,
)
from bintrain.reports.html import write_report
from bintrain.reports.mistakes import draw_contact_sheet
from bintrain.reports.model_card import write_model_card
from bintrain.settings import Settings

SETTINGS = Settings(epochs=4, learning_rate=0.00123456789)
CLASSES = Classes(counts=(1, 2, 6), open_top=True)
EXPORT = Export(
    path=Path("model.xml"), precision="FP16", validation=np.zeros((1, 3)),
    int8={
        "shipped": False, "calibration_images": 300,
        "limits": {"accuracy_loss": 0.005, "rmse_growth": 0.02},
        "validation": {"FP32": {"accuracy": 0.5, "rmse": 1.0}, "INT8": {"accuracy": 0.4512, "rmse": 1.234}},
    },
)  # fmt: skip
PICTURES = [CONFUSION, RELIABILITY, RISK_COVERAGE, MISTAKES, LEARNING]
"""As they are on the page."""


class Page(HTMLParser):
    """The rows of a page's tables, its charts, and what it would fetch or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.charts: list[str] = []
        self.foreign: list[str] = []
        self._cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "img":
            self.charts.append(given["src"] or "")
            assert given["alt"]
        if tag in ("script", "link", "iframe") or "href" in given:
            self.foreign.append(tag)
        self._cell = tag in ("td", "th")

    def handle_endtag(self, tag: str) -> None:
        self._cell = False

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.rows[-1][-1] += data


def evaluated(*, images: int, seed: int) -> Evaluated:
    random = np.random.default_rng(seed)
    true = random.integers(0, 3, images)
    return Evaluated(logits=random.normal(size=(images, 3)) + 3 * np.eye(3)[true], true=true)


def _network() -> BinCounter:
    small = Settings(arch="resnet18", image_size=32, pretrained="none")
    return build_network(settings=small, classes=len(CLASSES.counts), weights=None)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Evaluation, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("output")
    evaluation = evaluate(
        validation=evaluated(images=300, seed=1), test=evaluated(images=400, seed=2),
        train=np.array([0, 1, 1]), classes=CLASSES, settings=SETTINGS,
    )  # fmt: skip
    model = describe_model(
        network=_network(), settings=SETTINGS, classes=CLASSES, evaluation=evaluation, export=EXPORT,
        dataset_id="bins-<1>",
        env={"TRAINING_JOB_NAME": "job & co", "SOURCE_REVISION": "abc123"},
    )  # fmt: skip
    epoch = {"train:loss": 1.0, **{f"validation:{name}": 0.5 for name in ("loss", *evaluation.validation)}}
    progress = Progress(epoch=2, best_epoch=1, history=[{"epoch": n, **epoch} for n in (1, 2)])
    write_charts(evaluation, classes=CLASSES, progress=progress, target_accuracy=0.9, folder=folder)
    draw_contact_sheet([], empty="none", path=folder / "evaluation" / MISTAKES)
    counts = {"train": {1: 900, 2: 1000, 9: 3}, "validation": {1: 300}, "test": {1: 390, 7: 10}}
    write_report(
        evaluation, model=model, settings=SETTINGS.model_dump(), counts=counts, epochs=(1, 2), folder=folder
    )
    return folder / "evaluation", evaluation, model


@pytest.fixture(scope="module")
def text(written: tuple[Path, Evaluation, dict[str, Any]]) -> str:
    return (written[0] / "report.html").read_text(encoding="utf-8")


def test_the_page_needs_no_other_file_and_no_network(text: str) -> None:
    page = Page(text)

    assert page.foreign == []
    assert all(source.startswith("data:image/") for source in page.charts)
    assert "url(" not in text and "@import" not in text


def test_the_charts_on_the_page_are_those_beside_it(
    written: tuple[Path, Evaluation, dict[str, Any]], text: str
) -> None:
    shown = [base64.b64decode(source.split("base64,")[1]) for source in Page(text).charts]

    assert shown == [(written[0] / name).read_bytes() for name in PICTURES]


def test_the_headline_figures_are_the_model_s_on_both_splits(
    written: tuple[Path, Evaluation, dict[str, Any]], text: str
) -> None:
    validation, test = written[1].validation, written[1].test
    rows = Page(text).rows

    assert ["accuracy", f"{100 * validation['accuracy']:.1f} %", f"{100 * test['accuracy']:.1f} %"] in rows
    low, high = (f"{100 * bound:.1f} %" for bound in written[1].details["accuracy_range"])
    assert ["accuracy, 95 % confidence range", "", f"{low} to {high}"] in rows
    assert ["RMSE, objects", f"{validation['rmse']:.3f}", f"{test['rmse']:.3f}"] in rows
    assert ["images", "300", "400"] in rows


def test_every_count_has_its_accuracy_and_rmse(
    written: tuple[Path, Evaluation, dict[str, Any]], text: str
) -> None:
    last = written[1].details["per_count"][-1]
    row = next(row for row in Page(text).rows if row[0] == "6 or more")

    assert row == [
        "6 or more", str(last["images"]), f"{100 * last['accuracy']:.1f} %", f"{last['rmse']:.3f}",
        f"{100 * last['within_one']:.1f} %",
    ]  # fmt: skip


def test_what_is_promised_is_beside_what_was_measured(
    written: tuple[Path, Evaluation, dict[str, Any]], text: str
) -> None:
    details, rows = written[1].details, dict(row for row in Page(text).rows if len(row) == 2)
    below = written[2]["calibration"]["review"]["confidence_below"]

    assert rows["interval holds the true count: promised"] == "90.0 %"
    assert rows["interval holds the true count: measured"] == f"{100 * details['interval']['coverage']:.1f} %"
    assert rows["answers without review"] == f"confidence {below:.3f} or more"
    shares = details["review"]
    assert rows["bins answered without review: measured"] == f"{100 * shares['automated_share']:.1f} %"
    assert rows["accuracy of those: measured"] == f"{100 * shares['automated_accuracy']:.1f} %"
    error = details["calibration_error"]
    assert rows["calibration error before temperature scaling"] == f"{100 * error['before']:.1f} %"


def test_what_it_was_trained_on_and_how_is_reported(text: str) -> None:
    rows = Page(text).rows

    assert ["all", "1,903", "300", "400"] in rows
    assert ["9", "3", "0", "0"] in rows
    assert ["learning rate", "0.00123457"] in rows
    assert "Epoch 1 of 2 was kept" in text and "abc123" in text


def test_what_int8_was_worth_is_reported(text: str) -> None:
    assert "INT8 has an accuracy of 45.1 % and an RMSE of 1.234, FP32 50.0 % and 1.000" in text
    assert "beyond the limits, so FP16 ships" in text


def test_names_from_outside_are_text_and_never_markup(text: str) -> None:
    assert "bins-&lt;1&gt;" in text and "bins-<1>" not in text
    assert "job &amp; co" in text


def test_the_figures_can_be_written_as_strict_json(
    written: tuple[Path, Evaluation, dict[str, Any]],
) -> None:
    details = json.loads(json.dumps(written[1].details, allow_nan=False))

    assert sum(point["images"] for point in details["reliability"]["after"]) == 400
    assert details["risk_coverage"][-1]["coverage"] <= 1.0


def test_that_every_answer_is_reviewed_is_explained(
    written: tuple[Path, Evaluation, dict[str, Any]], tmp_path: Path
) -> None:
    # Fewer images than may vouch for a threshold.
    few = evaluated(images=12, seed=3)
    evaluation = evaluate(
        validation=few, test=few, train=np.array([0, 1]), classes=CLASSES, settings=SETTINGS
    )
    model = describe_model(
        network=_network(), settings=SETTINGS, classes=CLASSES, evaluation=evaluation, export=EXPORT,
        dataset_id="few", env={},
    )  # fmt: skip
    write_model_card(
        evaluation, model=model, images={"train": 2, "validation": 12, "test": 12}, folder=tmp_path
    )

    card = " ".join((tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8").split())
    assert model["calibration"]["review"]["confidence_below"] is None
    assert "No 20 or more of the most confident answers on validation (12 images" in card
    assert "every answer asks for review" in card


def test_the_card_has_the_form_of_the_documented_template(
    written: tuple[Path, Evaluation, dict[str, Any]], tmp_path: Path
) -> None:
    template = (Path(__file__).parents[3] / "docs" / "model_card.md").read_text().split("```")[1]
    images = {"train": 3, "validation": 300, "test": 400}
    write_model_card(written[1], model=written[2], images=images, folder=tmp_path)
    assert form((tmp_path / "MODEL_CARD.md").read_text()) == form(template)


def form(card: str) -> list[str]:
    """The headings without what is the job's own, the heads of its tables, and the names of its figures."""
    found: list[str] = []
    for line in card.splitlines():
        if line.startswith("#"):
            found.append(re.split(r":| \(", line)[0])
        elif line.startswith("| ") and not re.match(r"\| (\d|<|all )", line):
            cells = line.split(" | ")
            found.append(cells[0] if len(cells) == 2 else line)
    return found
