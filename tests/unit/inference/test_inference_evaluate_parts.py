"""The gate on a dataset with images of production: home and the field, each by itself."""

import math

import numpy as np
import pytest

from inference.evaluate.paired import chance_of_worse
from inference.evaluate.parts import bins_needed
from tests.browser.look import complaints, look
from tests.unit.inference.test_inference_evaluate import Case

NEEDED = 12
LOSS = 0.5
"""Of accuracy; twelve bins show it."""
TRADES = 52
"""Of brightness: such a model takes what shows 4 for 3, and counts 0 and 1 as the champion does."""


@pytest.fixture
def case(tmp_path) -> Case:
    return Case(tmp_path)


def models(case, make_model, *, step: int = 40) -> None:
    """A champion that sees a count in every 40 of brightness, a challenger that sees one in every `step`."""
    case.add_model("champion", make_model())
    case.add_model("challenger", make_model(step=step))


def bins(case, gray, *, home: list[int], field: list[int]) -> None:
    case.add_bins([*home, *field], gray)
    case.field = set([*case.counts][len(home) :])
    case.write_manifest()


def test_there_is_enough_to_find_the_loss_four_times_of_five() -> None:
    assert bins_needed(loss=0.1, level=0.05) == 184
    random = np.random.default_rng(1)
    lost = [
        chance_of_worse(random.choice([-1, 0, 1], size=184, p=[0.1, 0.7, 0.2])) < 0.05 for _ in range(300)
    ]
    assert sum(lost) / 300 == pytest.approx(0.8, abs=3 * math.sqrt(0.16 / 300))


def test_without_images_of_production_there_are_no_parts(case, make_model, gray) -> None:
    case.add_bins([0, 1, 2], gray)
    models(case, make_model)
    assert "parts" not in case.evaluate()


def test_a_part_without_a_test_image_wants_a_person(case, make_model, gray) -> None:
    """The one image of production fell into validation: nothing is known of the model there."""
    case.add_bins([0, 1, 2, 3] * 4, gray)
    case.field = {"unlisted"}
    case.write_manifest()
    models(case, make_model)
    verdict = case.evaluate(part_loss=LOSS)
    assert verdict["accepted"] and verdict["parts"]["field"]["images"] == 0
    (doubt,) = [doubt for doubt in verdict["needs_person"] if "production" in doubt]
    assert "label images of more hours" in doubt


def test_both_parts_have_their_own_figures(case, make_model, gray) -> None:
    bins(case, gray, home=[0, 1, 2, 3] * 4, field=[1, 2])
    models(case, make_model)
    parts = case.evaluate(part_loss=LOSS)["parts"]
    assert (parts["home"]["images"], parts["home"]["decides"]) == (16, True)
    assert (parts["field"]["images"], parts["field"]["decides"]) == (2, False)
    assert parts["needed"] == bins_needed(loss=LOSS, level=0.05) <= NEEDED
    assert parts["field"]["comparison"]["accuracy"] == {"challenger": 1.0, "champion": 1.0, "p": 1.0}


@pytest.mark.parametrize("part", ["home", "field"])
def test_worse_on_one_part_is_rejected_though_better_on_the_other(case, make_model, gray, part) -> None:
    lost, won = [4] * 12, [4] * 12
    bins(case, gray, home=lost, field=won)
    won_here = case.field if part == "home" else case.counts.keys() - case.field
    case.counts |= dict.fromkeys(won_here, 3)
    case.write_manifest()
    models(case, make_model, step=TRADES)
    verdict = case.evaluate(part_loss=LOSS)
    assert [reason.split(":")[0] for reason in verdict["reasons"]] == [f"on the {part} part"] * 2
    assert verdict["comparison"]["accuracy"]["p"] > 0.3


def test_a_part_with_too_few_bins_does_not_decide_but_is_named(case, make_model, gray) -> None:
    bins(case, gray, home=[4] * 20, field=[4] * 9)
    case.counts |= dict.fromkeys(case.counts.keys() - case.field, 3)
    case.write_manifest()
    models(case, make_model, step=TRADES)
    verdict = case.evaluate()
    assert verdict["accepted"]
    assert len(verdict["needs_person"]) == 2
    assert verdict["needs_person"][0].startswith("on the field part, too few to decide (184 are needed)")


def test_floors_hold_on_home(case, make_model, gray) -> None:
    """Nobody knows what can be reached in the field; there the champion is the measure."""
    bins(case, gray, home=[0, 1, 2], field=[0, 1, 2])
    case.counts |= dict.fromkeys(case.field, 5)
    case.write_manifest()
    case.add_model("challenger", make_model())
    verdict = case.evaluate(min_accuracy=1)
    assert verdict["accepted"] and verdict["challenger"]["metrics"]["accuracy"] == 0.5
    assert verdict["parts"]["field"]["challenger"]["accuracy"] == 0


def test_a_dataset_whose_test_has_none_of_production_says_so(case, make_model, gray) -> None:
    bins(case, gray, home=[0, 1, 2], field=[])
    case.field = {"unlisted"}
    case.write_manifest()
    case.add_model("challenger", make_model())
    field = case.evaluate()["parts"]["field"]
    assert field == {
        "images": 0, "decides": False, "challenger": None, "champion": None, "comparison": None
    }  # fmt: skip


def test_a_browser_shows_both_parts_and_what_is_too_small(case, make_model, gray, tmp_path) -> None:
    bins(case, gray, home=[0, 1, 2, 3] * 5, field=[1, 2])
    models(case, make_model)
    case.evaluate(part_loss=LOSS)
    page = case.folder / "output" / "report.html"
    views = look(page, tmp_path / "views")
    assert complaints(page, views) == []
    for view in views.values():
        for shown in ("home: 20 bins", "field: 2 bins, too few to decide", "on which the floors hold"):
            assert shown in view.text
