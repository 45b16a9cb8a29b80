"""The file list: a wrong form is rejected as a whole, a wrong entry by itself."""

import json
from typing import Any

import pytest

from data_prep.errors import BadRequest
from data_prep.select.file_list import parse_file_list


def parse(value: Any) -> Any:
    return parse_file_list(json.dumps(value).encode(), address="s3://b/list.json")


def test_ids_stay_strings_and_are_sorted_as_strings() -> None:
    listed = parse(
        {"2": ["data/metadata/1013.json", "data/metadata/01013.json"], "1": ["data/metadata/10.json"]}
    )
    assert listed.entries == [("01013", 2), ("10", 1), ("1013", 2)]
    assert listed.rejected == []


@pytest.mark.parametrize(
    "entry",
    [
        "data/metadata/../../x.json",
        "../../1.json",
        "a/b",
        "",
        "data/metadata/.json",
        "data\\metadata\\..\\..\\x.json",
        "data/metadata/12a.json",
        "data/metadata/" + "1" * 300 + ".json",
        "data/metadata/१२.json",
        "data/metadata/1.json\n",
        "/etc/1.json",
        17,
        None,
        ["1"],
    ],
)
def test_an_entry_that_is_no_id_is_rejected_by_itself(entry: Any) -> None:
    listed = parse({"3": [entry, "data/metadata/5.json"]})
    assert listed.entries == [("5", 3)]
    assert [line["reason"] for line in listed.rejected] == ["bad_id"]
    assert len(listed.rejected[0]["id"]) <= 100


def test_an_id_again_is_rejected_within_a_class_and_across_classes() -> None:
    listed = parse({"3": ["m/5.json", "m/5.json"], "1": ["m/5.json"]})
    assert listed.entries == [("5", 1)]
    assert [(line["reason"], line["detail"]) for line in listed.rejected] == [
        ("listed_twice", "class 3: listed before under class 1"),
        ("listed_twice", "class 3: listed before under class 1"),
    ]


@pytest.mark.parametrize(
    "entry",
    [
        "data/metadata/00901.json",
        "data\\metadata\\00901.json",
        "00901.json",
        "aisle 1/Gänge/00901.json",
        "aisle 1/Ga\u0308nge/00901.json",
    ],
)
def test_an_id_counts_whatever_its_folders_and_slashes(entry: str) -> None:
    listed = parse({"3": [entry]})
    assert (listed.entries, listed.rejected) == ([("00901", 3)], [])


def test_what_file_managers_leave_behind_is_passed_over() -> None:
    litter = ["m/._00901.json", "__MACOSX/m/._1.json", "m/.DS_Store", "m\\Thumbs.db", "__MACOSX/m/1.json"]
    listed = parse({"3": [*litter, "m/00901.json"]})
    assert (listed.entries, listed.rejected) == ([("00901", 3)], [])


def test_a_class_that_is_there_twice_has_the_entries_of_both() -> None:
    listed = parse_file_list(b'{"1": ["m/1.json"], "2": ["m/2.json"], "1": ["m/3.json"]}', address="x")
    assert listed.entries == [("1", 1), ("2", 2), ("3", 1)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[" * 200_000, "nested too deeply"),
        (b'{"1":' * 200_000, "nested too deeply"),
        (b'{"1": ["m/1.json"], "1": 3}', "'1' is there twice"),
        (b"", "is not JSON"),
        (b"<html>", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[]", "holds a list"),
        (b"null", "holds a NoneType"),
        (b'{"many": []}', "1 class(es) that are not a count with a list: 'many'"),
        (b'{"-1": [], "1.5": [], "01": []}', "3 class(es)"),
        (b'{"1": "data/metadata/1.json"}', "'1'"),
    ],
)
def test_a_list_of_another_form_is_a_bad_request(data: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as error:
        parse_file_list(data, address="s3://b/list.json")
    assert message in str(error.value)
    assert "file_list s3://b/list.json" in str(error.value)
    assert "expected {" in str(error.value)
