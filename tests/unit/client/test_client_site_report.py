"""The rows of a site, what they add up to, and the files that are written."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bincount.counting.answer import Verdict
from bincount.site.report import SiteReport
from bincount.site.row import COLUMNS, Row
from bincount.site.summary import WORST, Summary


def row(
    id: str,
    *,
    verdict: Verdict | None = "match",
    probability: float = 0.8,
    count: int = 3,
    review: bool = False,
) -> Row:
    expected = None if verdict is None else count if verdict == "match" else count + 1
    return Row(
        id=id, image=None, count=count, confidence=0.8, low=2, high=4, review=review,
        expected=expected, verdict=verdict, probability=None if verdict is None else probability,
    )  # fmt: skip


def failed(id: str, *, message: str = "no image") -> Row:
    return Row.of_error("undecodable_image", message, id=id, image=None, expected=2)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_every_bin_is_counted_in_exactly_one_group() -> None:
    summary = Summary()
    rows = [row("a"), row("b", verdict="mismatch"), row("c", verdict="uncertain"), row("d", verdict=None)]
    for each in [*rows, row("e", verdict=None, review=True), failed("f")]:
        summary.add(each)
    assert summary.to_json() == {
        "bins": 6, "matched": 1, "mismatched": 1, "uncertain": 2, "counted": 1, "failed": 1,
        "errors": {"undecodable_image": 1}, "objects": 15, "settled": 3,
    }  # fmt: skip


def test_the_worst_mismatches_are_those_with_the_least_probable_number() -> None:
    summary = Summary()
    for number in range(3 * WORST):
        probability = ((number * 37) % (3 * WORST)) / 10_000
        summary.add(row(str(number), verdict="mismatch", probability=probability))
    kept = [each.probability for each in summary.worst()]
    assert kept == [n / 10_000 for n in range(WORST)]


def test_the_csv_holds_every_row_in_its_order(tmp_path: Path) -> None:
    with SiteReport(tmp_path) as report:
        report.add(row("aisle 1/ü, 7"))
        report.add(failed("b", message="two\nlines"))
        files = report.finish(title="t", facts={}, image_of=lambda _: None)
    found = read_csv(files["csv"])
    assert list(found[0]) == list(COLUMNS)
    assert [each["id"] for each in found] == ["aisle 1/ü, 7", "b"]
    assert (found[0]["verdict"], found[0]["confidence"], found[0]["review"]) == ("match", "0.8000", "false")
    assert (found[1]["error"], found[1]["message"], found[1]["count"]) == (
        "undecodable_image",
        "two lines",
        "",
    )
    assert json.loads(files["figures"].read_text())["bins"] == 2


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)"])
def test_a_spreadsheet_takes_no_id_for_a_formula(tmp_path: Path, name: str) -> None:
    with SiteReport(tmp_path) as report:
        report.add(row(name))
        files = report.finish(title="t", facts={}, image_of=lambda _: None)
    assert read_csv(files["csv"])[0]["id"] == f"'{name}"


def test_a_negative_number_of_the_manifest_stays_one(tmp_path: Path) -> None:
    with SiteReport(tmp_path, columns=("balance", "note")) as report:
        report.add(replace(row("a"), others=("-12.50", "-1+2")))
        report.add(row("b"))
        files = report.finish(title="t", facts={}, image_of=lambda _: None)
    found = [(each["balance"], each["note"]) for each in read_csv(files["csv"])]
    assert found == [("-12.50", "'-1+2"), ("", "")]


def test_a_run_that_breaks_off_leaves_no_csv_and_keeps_the_former_one(tmp_path: Path) -> None:
    with SiteReport(tmp_path) as report:
        report.add(row("first"))
        report.finish(title="t", facts={}, image_of=lambda _: None)
    with pytest.raises(KeyboardInterrupt), SiteReport(tmp_path) as report:
        report.add(row("second"))
        raise KeyboardInterrupt
    assert [each["id"] for each in read_csv(tmp_path / "recount.csv")] == ["first"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["recount.csv", "summary.html", "summary.json"]


def test_a_file_name_that_is_no_utf_8_is_spelt_out(tmp_path: Path) -> None:
    with SiteReport(tmp_path) as report:
        report.add(row(b"caf\xe9".decode("utf-8", errors="surrogateescape"), verdict="mismatch"))
        files = report.finish(title="t", facts={}, image_of=lambda _: None)
    assert read_csv(files["csv"])[0]["id"] == r"caf\udce9"
    assert r"caf\udce9" in files["page"].read_text(encoding="utf-8")
