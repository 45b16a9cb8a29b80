"""How numbers and conclusions are worded for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bintrain.evaluation.calibration import MIN_AUTOMATED


def percent(share: float | None, *, digits: int = 1) -> str:
    """A share of 1 as a percentage; `none` without one."""
    return "none" if share is None else f"{100 * share:.{digits}f} %"


def objects(number: float) -> str:
    """A number of objects with three decimals."""
    return f"{number:.3f}"


def no_threshold(rule: Mapping[str, Any], *, validation: Mapping[str, Any]) -> str:
    """Why every answer asks for review, from model.json's `review` and the figures of `validation`."""
    return (
        f"No {MIN_AUTOMATED} or more of the most confident answers on validation ({validation['images']:,} "
        f"images, {percent(validation['accuracy'])} counted right) were "
        f"{percent(rule['target_accuracy'])} right, so every answer asks for review. More images, a better "
        "model or a lower target bring a threshold."
    )


def int8_trial(trial: Mapping[str, Any] | None) -> str:
    """What INT8 was worth, from model.json's `int8`, as a sentence."""
    if trial is None:
        return "INT8 was not tried."
    one, other = trial["validation"]["INT8"], trial["validation"]["FP32"]
    verdict = "within the limits, so INT8 ships" if trial["shipped"] else "beyond the limits, so FP16 ships"
    return (
        f"On validation INT8 has an accuracy of {percent(one['accuracy'])} and an RMSE of "
        f"{objects(one['rmse'])}, FP32 {percent(other['accuracy'])} and {objects(other['rmse'])}: {verdict}."
    )


RULES = {
    "most_probable": "the most probable count",
    "median": "the median of its probabilities, the smallest count at which they add up to one half",
}


def answer_rule(model: Mapping[str, Any]) -> str:
    """Which count the model's probabilities give, from model.json's content, as a sentence."""
    return f"It answers with {RULES[model['calibration']['answer']]}."


def shown_class(count: int, *, classes: Mapping[str, Any]) -> str:
    """A count as a class of model.json's `classes`: the open top class N reads `N or more`."""
    is_open = classes["open_top"] and count == classes["counts"][-1]
    return f"{count} or more" if is_open else str(count)
