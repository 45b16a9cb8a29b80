"""What expressions were given and gave is written down where somebody asked for it."""

import json
from pathlib import Path

from embedded_cloud.ministack_hooks.parts import sfn
from embedded_cloud.stepfunctions.evaluations import Evaluations

CONTEXT = {
    "QueryLanguage": "JSONata",
    "StateMachine": {"Name": "team-dev-release"},
    "State": {"Name": "Journal"},
    "variables": {"version": 2},
}


def test_an_evaluation_can_be_made_again_from_its_line(tmp_path: Path) -> None:
    evaluate = Evaluations(sfn._evaluate_jsonata, target=tmp_path)
    assert evaluate("$version + $states.input.n", {"n": 1}, CONTEXT) == 3
    (written,) = map(json.loads, next(tmp_path.iterdir()).read_text().splitlines())
    assert (written["machine"], written["state"], written["value"]) == ("team-dev-release", "Journal", 3)
    again = {**written["context"], "variables": written["variables"]}
    assert sfn._evaluate_jsonata(written["expression"], written["input"], again) == written["value"]


def test_a_map_of_many_items_fills_no_disk(tmp_path: Path) -> None:
    evaluate = Evaluations(sfn._evaluate_jsonata, target=tmp_path)
    for number in range(100):
        assert evaluate("$states.input", number, CONTEXT) == number
    assert len(next(tmp_path.iterdir()).read_text().splitlines()) < 5
