"""The charts are drawn from whatever figures an evaluation can hold."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from bintrain.reports.charts import draw_confusion, draw_learning, draw_reliability, draw_risk_coverage

EPOCH = {
    "train:loss": 1.5, "validation:loss": 1.6, "validation:accuracy": 0.3, "validation:within_one": 0.7,
    "validation:rmse": 1.2, "validation:mae": 0.9,
}  # fmt: skip
POINT = {"confidence": 0.7, "accuracy": 0.6, "images": 9}
ERRORS = {"before": 0.1, "after": 0.05}
DRAWN: dict[str, Callable[[Path], None]] = {
    "two classes": lambda path: draw_confusion([[3, 0], [1, 4]], names=["1", "4"], path=path),
    "a class without an image": lambda path: draw_confusion([[0, 0], [1, 4]], names=["1", "2+"], path=path),
    "one epoch": lambda path: draw_learning([{"epoch": 1, **EPOCH}], best_epoch=1, path=path),
    "one bin of confidence": lambda path: draw_reliability([POINT], [POINT], errors=ERRORS, path=path),
    "a threshold": lambda path: draw_risk_coverage(
        [{"coverage": 0.5, "risk": 0.1, "confidence": 0.8}, {"coverage": 1, "risk": 0.4, "confidence": 0.3}],
        target_accuracy=0.9, automated_share=0.5, risk=0.1, path=path,
    ),
    "nothing automatic": lambda path: draw_risk_coverage(
        [], target_accuracy=0.9, automated_share=0.0, risk=None, path=path
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.filterwarnings("error")
def test_a_chart_is_an_image_with_ink_on_it(name: str, tmp_path: Path) -> None:
    path = tmp_path / "evaluation" / "chart.png"

    DRAWN[name](path)

    with Image.open(path) as chart:
        assert chart.format == "PNG" and min(chart.size) >= 500
        assert chart.convert("L").getextrema() == (pytest.approx(30, abs=30), 255)
