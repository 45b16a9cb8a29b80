"""docs/cost.md: every sum is right, and what it reckons with is what the settings and the code say."""

import json
import re
from pathlib import Path

import pytest

from infra.settings.instances import INSTANCES
from tests.infra.conftest import as_it_stands

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "cost.md").read_text()
STAGES = json.loads((ROOT / "cdk.json").read_text())["context"]["stages"]
NUMBER = r"\d[\d,]*(?:\.\d+)?"
SUMS = re.findall(rf"(?<![\w.,])({NUMBER}(?: [x+/] {NUMBER})+) = ({NUMBER})", PAGE)


def row(start: str) -> list[str]:
    """The cells after the first of the table row that begins so."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {start}")]
    return [cell.strip() for cell in line.split("|")[2:-1]]


@pytest.mark.parametrize(("sum", "result"), SUMS, ids=[f"{sum} = {result}" for sum, result in SUMS])
def test_a_sum_is_right(sum: str, result: str) -> None:
    value = eval(sum.replace(",", "").replace("x", "*"))  # digits and + * / alone, by the pattern above
    digits = len(result.partition(".")[2])
    assert f"{value:,.{digits}f}" == result


def test_there_are_sums_to_look_at() -> None:
    assert len(SUMS) > 15


@pytest.mark.parametrize(("stage", "column"), [("dev", 0), ("prod", 1)])
def test_a_stage_is_reckoned_as_it_is_set(stage: str, column: int) -> None:
    serving, training = STAGES[stage]["serving"], STAGES[stage]["training"]
    price = INSTANCES[serving["instance_type"]].usd_per_hour
    endpoint = f"{serving.get('min_instances', 1)} x {price} x 730 = "
    assert row("endpoint: instances")[column].startswith(endpoint)
    hour = INSTANCES[training["instance_type"]].usd_per_hour
    assert row("tuning, at most")[column].startswith(f"{training['max_jobs']} x 6 x {hour} = ")


@pytest.mark.parametrize(
    ("first", "last", "column"),
    [
        ("endpoint: instances", "**sum**", 0),
        ("endpoint: instances", "**sum**", 1),
        ("HTTPS API", "**sum**", 0),
        ("data preparation |", "**at most**", 0),
        ("data preparation |", "**at most**", 1),
    ],
)
def test_a_column_adds_up(first: str, last: str, column: int) -> None:
    lines = PAGE.splitlines()
    begin = next(n for n, line in enumerate(lines) if line.startswith(f"| {first}"))
    end = next(n for n in range(begin, len(lines)) if lines[n].startswith(f"| {last}"))
    cells = [
        line.split("|")[2 + column].strip().strip("*").split(" = ")[-1] for line in lines[begin : end + 1]
    ]
    *parts, total = [0.0 if cell == "none" else float(cell) for cell in cells]
    assert round(sum(parts), 2) == total


def test_the_alarms_are_counted_as_there_are() -> None:
    (found,) = re.findall(r"^\| alarms, .*$", PAGE, re.M)
    counted = [
        sum(len(part.find_resources("AWS::CloudWatch::Alarm")) for part in as_it_stands(stage).values())
        for stage in ("dev", "prod")
    ]
    assert re.findall(r"(\d+) x 0\.10", found) == [str(count) for count in counted]
