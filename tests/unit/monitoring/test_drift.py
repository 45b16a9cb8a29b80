"""What drift finds, and how seldom it finds something where nothing changed."""

import re
from typing import Any

import numpy as np
import pytest

from monitoring.drift.compare import FEWEST_NIGHT, Baseline
from monitoring.drift.measures import binned
from monitoring.drift.observation import ObservationFault, Observations
from monitoring.drift.permutation import divisions_for, test_together
from monitoring.drift.words import WORDS, changed
from tests.unit.monitoring.drift_kit import answers_of, hall, lines, packed

test_together.__test__ = False  # pyright: ignore[reportFunctionMemberAccess]
NIGHT = 120


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return Baseline(hall(700, seed=1), sizes=True)


def found(baseline: Baseline, night: Observations, *, nights_per_alarm: int = 100) -> list[str]:
    families = baseline.compare(
        day="2026-11-27", answers=answers_of(night), images=night, nights_per_alarm=nights_per_alarm
    )
    return [tested.name for family in families for tested in family.found]


@pytest.mark.parametrize(
    ("figures", "measure"),
    [
        ({"light": 0.85}, "brightness"),
        ({"sharp": 0.8}, "sharpness"),
        ({"width": 800}, "width"),
        ({"more": 1.0}, "count"),
    ],
)
def test_a_change_is_found_and_named(baseline: Baseline, figures: dict[str, Any], measure: str) -> None:
    assert measure in found(baseline, hall(NIGHT, seed=2, **figures))


def test_the_same_hall_rings_as_seldom_as_was_asked() -> None:
    """30 nights at one false alarm in 10: three are expected, more than nine have a chance of 0.1 %."""
    rang = 0
    for number in range(3):
        baseline = Baseline(hall(400, seed=100 + number), sizes=True)
        for night in range(10):
            rows = hall(60, seed=1000 + 10 * number + night)
            rang += bool(found(baseline, rows, nights_per_alarm=10))
    assert rang <= 9


def test_the_same_night_gives_the_same_result(baseline: Baseline) -> None:
    night = hall(NIGHT, seed=3)
    results = [
        baseline.compare(day="2026-11-27", answers=answers_of(night), images=night, nights_per_alarm=100)
        for _ in range(2)
    ]
    assert results[0] == results[1]


def test_found_is_what_exceeds_its_limit(baseline: Baseline) -> None:
    for figures in ({}, {"light": 0.85}, {"more": 0.5}):
        night = hall(NIGHT, seed=4, **figures)
        families = baseline.compare(day="d", answers=answers_of(night), images=night, nights_per_alarm=50)
        for family in families:
            for tested in family.tested:
                assert (tested.p <= family.level) == (tested.distance > tested.limit), tested


def test_one_image_of_another_size_is_no_other_camera(baseline: Baseline) -> None:
    same = hall(NIGHT - 1, seed=5)
    odd = hall(1, seed=6, width=801)
    columns = {name: np.append(column, odd.columns[name]) for name, column in same.columns.items()}
    night = Observations(columns=columns, features=np.concatenate([same.features, odd.features]))
    assert "width" not in found(baseline, night)


def test_too_few_rows_are_not_tested(baseline: Baseline) -> None:
    few = hall(FEWEST_NIGHT - 1, seed=7)
    enough = hall(NIGHT, seed=8)
    answers, images = baseline.compare(day="d", answers=answers_of(enough), images=few, nights_per_alarm=100)
    assert answers.tested and not images.tested and "at least 30" in images.why
    small = Baseline(hall(99, seed=9), sizes=True)
    (alone,) = small.compare(day="d", answers=answers_of(enough), images=None, nights_per_alarm=100)
    assert not alone.tested and "99 images in the baseline" in alone.why


def test_stored_images_have_no_size_to_compare() -> None:
    baseline = Baseline(hall(400, seed=1), sizes=False)
    assert not {"width", "height"} & {measure.name for measure in baseline.measures["images"]}


def test_networks_without_features_are_compared_by_the_rest() -> None:
    rows = [{**line, "features": ""} for line in lines(400, seed=1)]
    baseline = Baseline(Observations.of_file(packed(rows)), sizes=True)
    night = Observations.of_file(packed([{**line, "features": ""} for line in lines(60, seed=2, light=0.8)]))
    names = found(baseline, night)
    assert "brightness" in names and "features" not in names


def test_a_shared_value_has_a_bin_of_its_own() -> None:
    cuts = binned("width", np.full(50, 640.0)).cuts
    places = np.searchsorted(cuts, [639.0, 640.0, 641.0], side="left")
    assert len(set(places.tolist())) == 3


def test_more_divisions_for_rarer_alarms() -> None:
    assert divisions_for(0.05) < divisions_for(0.001) < divisions_for(0.0001) == 40_000


@pytest.mark.parametrize(
    "data",
    [b"no gzip", packed([{"id": "a"}]), packed(lines(2, seed=1))[:-9]],
    ids=["no gzip", "a member is missing", "cut"],
)
def test_a_damaged_file_is_named_as_one(data: bytes) -> None:
    with pytest.raises(ObservationFault, match=re.escape("observation.schema.json")):
        Observations.of_file(data)


def test_every_measure_has_words_for_both_ways(baseline: Baseline) -> None:
    measures = {m.name for each in baseline.measures.values() for m in each}
    assert measures == set(WORDS)
    dark, bright = hall(50, seed=1, light=0.8), hall(50, seed=1)
    assert "darker" in changed("brightness", night=dark, reference=bright)
    assert "brighter" in changed("brightness", night=bright, reference=dark)
