"""Hyperparameters are drawn within their ranges, the same for the same seed."""

import math
import statistics
from typing import Any

import pytest
from embedded_cloud.errors import AwsError
from embedded_cloud.sagemaker.tuning.sampler import TuningSampler

RATE = {"Name": "learning-rate", "MinValue": "0.0001", "MaxValue": "0.1"}
EPOCHS = {"Name": "epochs", "MinValue": "2", "MaxValue": "4"}
BATCH = {"Name": "batch-size", "Values": ["32", "64"]}


def draws(
    count: int, *, strategy: str = "Random", seed: int = 7, **ranges: list[dict[str, object]]
) -> list[dict[str, str]]:
    sampler = TuningSampler(strategy=strategy, ranges=ranges, seed=seed)
    return [sampler.draw(index) for index in range(count)]


def test_the_same_seed_draws_the_same_and_another_seed_does_not():
    first, again, other = (draws(5, seed=seed, ContinuousParameterRanges=[RATE]) for seed in (1, 1, 2))
    assert first == again != other


def test_integers_reach_both_ends_of_their_range_and_nothing_beyond():
    values = {draw["epochs"] for draw in draws(200, IntegerParameterRanges=[EPOCHS])}
    assert values == {"2", "3", "4"}


def test_logarithmic_scaling_spreads_over_the_magnitudes():
    logarithmic = draws(400, ContinuousParameterRanges=[{**RATE, "ScalingType": "Logarithmic"}])
    values = [math.log10(float(draw["learning-rate"])) for draw in logarithmic]
    assert min(values) >= -4 and max(values) <= -1
    assert statistics.mean(values) == pytest.approx(-2.5, abs=0.15)


def test_reverse_logarithmic_scaling_crowds_near_one():
    momentum = {
        "Name": "momentum",
        "MinValue": "0.5",
        "MaxValue": "0.999",
        "ScalingType": "ReverseLogarithmic",
    }
    values = [float(draw["momentum"]) for draw in draws(400, ContinuousParameterRanges=[momentum])]
    assert min(values) >= 0.5 and max(values) <= 0.999
    assert statistics.median(values) > 0.95


def test_a_grid_walks_through_every_combination_once():
    shapes = {"Name": "arch", "Values": ["a", "b", "c"]}
    grid = draws(6, strategy="Grid", CategoricalParameterRanges=[BATCH, shapes])
    assert len({tuple(draw.items()) for draw in grid}) == 6


def test_a_start_is_drawn_first_and_the_others_lie_near_it():
    ranges: dict[str, list[dict[str, Any]]] = {
        "IntegerParameterRanges": [{"Name": "epochs", "MinValue": "8", "MaxValue": "24"}],
        "ContinuousParameterRanges": [{**RATE, "ScalingType": "Logarithmic"}],
        "CategoricalParameterRanges": [BATCH],
    }
    start = {"epochs": "20", "learning-rate": "0.01", "batch-size": "64", "arch": "resnet18"}
    sampler = TuningSampler(strategy="Bayesian", ranges=ranges, seed=5, start=start)
    first, *others = [sampler.draw(index) for index in range(60)]
    assert first == {"epochs": "20", "learning-rate": "0.01", "batch-size": "64"}
    assert {int(draw["epochs"]) for draw in others} <= set(range(16, 25))
    assert all(0.0075 <= float(draw["learning-rate"]) <= 0.0325 for draw in others)


def test_a_start_beyond_the_ranges_begins_at_their_end():
    start = {"epochs": "20", "learning-rate": "5", "batch-size": "4096"}
    ranges: dict[str, list[dict[str, Any]]] = {
        "IntegerParameterRanges": [EPOCHS],
        "ContinuousParameterRanges": [RATE],
        "CategoricalParameterRanges": [BATCH],
    }
    first = TuningSampler(strategy="Random", ranges=ranges, seed=5, start=start).draw(0)
    assert (first["epochs"], first["learning-rate"]) == ("4", "0.1")
    assert first["batch-size"] in BATCH["Values"]


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        ({"ContinuousParameterRanges": [{**RATE, "MinValue": "1"}]}, "ends at 0.1 before it starts at 1.0"),
        ({"ContinuousParameterRanges": [{**RATE, "MinValue": "low"}]}, "must be numbers"),
        (
            {"ContinuousParameterRanges": [{**RATE, "MinValue": "0", "ScalingType": "Logarithmic"}]},
            "needs a MinValue above 0",
        ),
    ],
)
def test_a_range_that_makes_no_sense_is_an_error(ranges: dict[str, list[dict[str, object]]], words: str):
    with pytest.raises(AwsError, match=words):
        draws(1, **ranges)


def test_a_grid_of_numbers_is_an_error_as_on_aws():
    with pytest.raises(AwsError, match="Grid"):
        draws(1, strategy="Grid", IntegerParameterRanges=[EPOCHS])
