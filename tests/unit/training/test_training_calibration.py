"""Temperature, intervals and thresholds."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax

from bincount_core.answer import Rule
from bintrain.data.classes import Classes
from bintrain.evaluation.answers import Answers, answers, decide
from bintrain.evaluation.calibration import (
    MIN_AUTOMATED,
    calibrate,
    calibrated_answers,
    fit_temperature,
    mismatch_threshold,
    review_threshold,
)
from bintrain.evaluation.conformal import interval_holds, interval_widths, join_scores, score_quantile
from bintrain.settings import Settings

TWO = Classes(counts=(1, 2), open_top=False)
OPEN = Classes(counts=(1, 2), open_top=True)
FIVE = Classes(counts=(0, 1, 2, 3, 4), open_top=False)
RULES: tuple[Rule, ...] = ("most_probable", "median")


def likeliest(probabilities: NDArray[np.float64]) -> Answers:
    return decide(probabilities, by="most_probable")


def drawn(images: int, *, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits of 5 classes, and true classes drawn from exactly those probabilities."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1.5, (images, 5))
    lots = random.random((images, 1))
    return logits, (softmax(logits, axis=1).cumsum(axis=1) < lots).sum(axis=1).clip(max=4)


def by_hand(probabilities: list[float], *, answer: int) -> list[float]:
    """The contract's words, one class after the other."""
    low = high = answer
    scores, mass = {low: 0.0}, probabilities[low]
    while len(scores) < len(probabilities):
        below = probabilities[low - 1] if low > 0 else -1
        above = probabilities[high + 1] if high + 1 < len(probabilities) else -1
        joined = low - 1 if below >= above else high + 1
        low, high = min(low, joined), max(high, joined)
        scores[joined] = mass
        mass += probabilities[joined]
    return [scores[index] for index in range(len(probabilities))]


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_that_spoiled_the_logits_is_found_again(temperature: float) -> None:
    logits, true = drawn(20_000, seed=1)

    assert fit_temperature(logits * temperature, true) == pytest.approx(temperature, rel=0.05)


def test_scores_are_the_mass_of_the_range_before_a_class_joined() -> None:
    scores = join_scores(likeliest(np.array([[0.1, 0.5, 0.15, 0.25]])))

    assert scores[0].tolist() == pytest.approx([0.9, 0.0, 0.5, 0.65])


def test_of_equal_neighbours_the_lower_count_joins_first() -> None:
    assert join_scores(likeliest(np.array([[0.25, 0.5, 0.25]])))[0].tolist() == [0.5, 0.0, 0.75]


@pytest.mark.parametrize("by", RULES)
def test_scores_follow_the_contract_s_words_on_any_probabilities(by: Rule) -> None:
    found = decide(np.random.default_rng(2).dirichlet(np.ones(6), 200), by=by)
    rows = zip(found.probabilities.tolist(), found.predicted.tolist(), strict=True)

    assert join_scores(found) == pytest.approx(np.array([by_hand(row, answer=own) for row, own in rows]))


def test_the_quantile_is_the_split_conformal_one() -> None:
    scores = np.arange(1, 10) / 10

    assert score_quantile(scores, coverage=0.9) == 0.9
    assert score_quantile(scores, coverage=0.5) == 0.5
    assert score_quantile(scores[:8], coverage=0.9) == 1.0


@pytest.mark.parametrize("by", RULES)
@pytest.mark.parametrize("distortion", [0.3, 1.0, 3.0])
def test_intervals_hold_the_promised_share_whatever_the_probabilities(distortion: float, by: Rule) -> None:
    logits, true = drawn(6_000, seed=3)
    chosen, tested = (
        answers(part * distortion, temperature=1.0, by=by) for part in (logits[:3_000], logits[3_000:])
    )
    scores = join_scores(chosen)[np.arange(3_000), true[:3_000]]

    quantile = score_quantile(scores, coverage=0.9)

    covered = interval_holds(tested, true[3_000:], quantile=quantile).mean()
    assert covered >= 0.885
    assert 1 <= interval_widths(tested, quantile=quantile).mean() < 5


def test_the_review_threshold_is_the_lowest_that_keeps_the_target() -> None:
    # 30 sure and right, then 10 less sure of which 4 are wrong: 36/40 is 90 %, 39/44 is not.
    confidence = np.array([0.99] * 30 + [0.8] * 10 + [0.6] * 4)
    right = np.array([1] * 30 + [0] * 4 + [1] * 6 + [1] * 3 + [0])
    found = likeliest(np.stack([confidence, 1 - confidence], axis=1))

    assert review_threshold(found, 1 - right, classes=TWO, target=0.9) == 0.8
    assert review_threshold(found, 1 - right, classes=TWO, target=0.95) == 0.99
    assert review_threshold(found, 1 - right, classes=TWO, target=0.88) == 0.6


def test_too_few_answers_promise_nothing() -> None:
    few = np.tile([0.99, 0.01], (MIN_AUTOMATED - 1, 1))

    assert review_threshold(likeliest(few), np.zeros(len(few), dtype=int), classes=TWO, target=0.9) is None


def test_the_open_top_class_vouches_for_nothing() -> None:
    top = np.tile([0.01, 0.99], (100, 1))

    assert review_threshold(likeliest(top), np.ones(100, dtype=int), classes=TWO, target=0.9) == 0.99
    assert review_threshold(likeliest(top), np.ones(100, dtype=int), classes=OPEN, target=0.9) is None


def test_no_threshold_keeps_a_target_out_of_reach() -> None:
    found = likeliest(np.tile([0.7, 0.3], (100, 1)))

    assert review_threshold(found, np.arange(100) % 2, classes=TWO, target=0.9) is None


def test_few_right_consignments_fall_under_the_mismatch_threshold() -> None:
    logits, true = drawn(4_000, seed=4)
    probabilities = softmax(logits, axis=1)[np.arange(4_000), true]

    threshold = mismatch_threshold(probabilities[:2_000], rate=0.05)

    assert 0.03 < (probabilities[2_000:] < threshold).mean() < 0.07
    assert mismatch_threshold(probabilities[:10], rate=0.05) == 0.0


def test_the_threshold_vouches_for_the_answers_that_are_served() -> None:
    """A third of these bins has two peaks, between which the median lies: 0.38 is right, or 0.2."""
    random = np.random.default_rng(5)
    rows = np.array([[0.05, 0.05, 0.8, 0.05, 0.05], [0.38, 0.02, 0.2, 0.02, 0.38]])
    probabilities = rows[random.integers(0, 3, 3_000) // 2]
    true = (probabilities.cumsum(axis=1) < random.random((3_000, 1))).sum(axis=1).clip(max=4)

    def threshold(by: Rule) -> float | None:
        settings = Settings(target_accuracy=0.63, answer=by)
        return calibrate(np.log(probabilities), true, classes=FIVE, settings=settings).confidence_below

    # All of them: (2 * 0.8 + 0.38) / 3 = 0.66 by the most probable, (2 * 0.8 + 0.2) / 3 = 0.6 by the median.
    assert threshold("most_probable") == pytest.approx(0.38, abs=0.03)
    assert threshold("median") == pytest.approx(0.8, abs=0.03)


def test_a_median_is_that_of_calibrated_probabilities() -> None:
    """Logits that exaggerate say 0 more often than not; calibrated, less than half of the time."""
    random = np.random.default_rng(6)
    honest = np.tile(np.log([0.45, 0.35, 0.2]), (3_000, 1))
    true = random.choice(3, 3_000, p=[0.45, 0.35, 0.2])

    found = calibrated_answers(3 * honest, true, by="median")

    assert set(answers(3 * honest, temperature=1.0, by="median").predicted) == {0}
    assert set(found.predicted) == {1}
    assert found.confidence == pytest.approx(0.35, abs=0.03)
