"""Requests: every fault in one message, each with how to correct it; the id follows from the request."""

from typing import Any

import pytest

from data_prep.errors import BadRequest
from data_prep.request import dataset_id, parse_request

GOOD = {
    "source": {"bucket": "aft-vbi-pds", "prefix": ""},
    "file_list": "s3://lists/list.json",
    "validation_share": 0.2,
}


def fault_of(value: Any, **options: Any) -> str:
    with pytest.raises(BadRequest) as error:
        parse_request(value, **options)
    assert str(error.value).startswith("BadRequest: ")
    return str(error.value)


def test_the_contracts_request_is_taken() -> None:
    request = parse_request(GOOD)
    assert (request.source.bucket, request.source.unsigned, request.layout) == (
        "aft-vbi-pds",
        False,
        "folders",
    )


def test_all_faults_are_reported_at_once_with_their_corrections() -> None:
    message = fault_of(
        {
            "source": {"bucket": "No Such Name!", "prefix": "/x"},
            "counts": [1, -5],
            "validation_share": 0.9,
            "limit_per_class": 0,
            "layout": "cubes",
            "stored": {"short_side": 1, "quality": 101, "square": "round"},
            "colour": "red",
        }
    )
    assert "10 fault(s)" in message
    for words in (
        "source.bucket: ",
        "give a bucket's bare name",
        "source.prefix: ",
        'end it with "/"',
        "counts.1: ",
        "such as [1, 5]",
        "validation_share: ",
        "up to 0.5",
        "limit_per_class: ",
        "layout: ",
        "give folders, shards or both",
        "stored.short_side: ",
        "32 to 4096 pixels",
        "stored.quality: ",
        "stored.square: ",
        "keep each image's shape",
        "colour: there is no such field",
    ):
        assert words in message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"file_list": None}, "either file_list or counts"),
        ({"counts": [1, 5]}, "either file_list or counts"),
        ({"file_list": None, "counts": [5, 1]}, "min <= max, not [5, 1]"),
        ({"file_list": "list.json"}, "must be an s3://bucket/key address, not 'list.json'"),
        ({"source": {}}, "name either a bucket or"),
        ({"source": {"bucket": "abc", "directory": "/x"}}, "name either a bucket or"),
        ({"source": None}, 'give {"bucket":'),
        ({"validation_share": 0}, "above 0 and up to 0.5"),
    ],
)
def test_what_does_not_fit_together_is_reported(change: dict[str, Any], message: str) -> None:
    assert message in fault_of(GOOD | change)


@pytest.mark.parametrize("value", [None, [], "request", {}])
def test_something_that_is_no_request_is_reported(value: Any) -> None:
    assert "fault(s)" in fault_of(value)


def test_a_directory_is_for_the_command_line_only() -> None:
    request = {"source": {"directory": "/bins"}, "counts": [1, 5]}
    assert "name a bucket" in fault_of(request)
    assert parse_request(request, directories=True).source.directory == "/bins"


def test_the_id_depends_on_all_of_the_request_and_on_nothing_else() -> None:
    plain = dataset_id(parse_request(GOOD), file_list_sha256="aa")
    spelled_out = GOOD | {"layout": "folders", "stored": None, "counts": None}
    assert dataset_id(parse_request(dict(reversed(spelled_out.items()))), file_list_sha256="aa") == plain
    others = [
        dataset_id(parse_request(GOOD | {"validation_share": 0.1}), file_list_sha256="aa"),
        dataset_id(parse_request(GOOD | {"stored": {"short_side": 256}}), file_list_sha256="aa"),
        dataset_id(
            parse_request(GOOD | {"stored": {"short_side": 256, "square": True}}), file_list_sha256="aa"
        ),
        dataset_id(parse_request(GOOD), file_list_sha256="bb"),
    ]
    assert len({plain, *others}) == 5
    assert len(plain) == len("bins-") + 12


def test_an_id_that_was_once_given_stays() -> None:
    assert dataset_id(parse_request(GOOD), file_list_sha256="aa") == "bins-32c2e0196b16"
