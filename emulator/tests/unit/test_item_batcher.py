"""ItemBatcher groups items by number and by size, in order."""

import json

import pytest
from embedded_cloud.stepfunctions.limits import MAX_BYTES, check_size
from embedded_cloud.stepfunctions.maps.item_batcher import batches


def test_batches_hold_at_most_so_many_items_in_order():
    made = batches([1, 2, 3, 4, 5], most_items=2, most_bytes=None, batch_input=None)
    assert made == [{"Items": [1, 2]}, {"Items": [3, 4]}, {"Items": [5]}]


def test_every_batch_carries_the_batch_input():
    made = batches(["a", "b"], most_items=1, most_bytes=None, batch_input={"step": "arrange"})
    assert made == [{"BatchInput": {"step": "arrange"}, "Items": [item]} for item in ("a", "b")]


def test_a_batch_never_grows_beyond_its_bytes():
    made = batches(["x" * 100] * 50, most_items=None, most_bytes=1000, batch_input=None)
    assert [item for batch in made for item in batch["Items"]] == ["x" * 100] * 50
    assert all(len(json.dumps(batch, separators=(",", ":"))) <= 1000 for batch in made)
    assert len(made) == 6


def test_without_a_limit_a_batch_still_fits_a_state():
    made = batches(["x" * 1000] * 600, most_items=None, most_bytes=None, batch_input=None)
    assert all(len(json.dumps(batch)) <= MAX_BYTES for batch in made)
    assert len(made) == 3


def test_an_item_that_fits_no_batch_is_named():
    with pytest.raises(ValueError, match="item 1 has 202 bytes"):
        batches(["a", "x" * 200], most_items=2, most_bytes=100, batch_input=None)


def test_no_items_make_no_batches():
    assert batches([], most_items=2, most_bytes=None, batch_input=None) == []


class LimitExceeded(Exception):
    pass


def test_what_a_state_carries_is_limited_to_256_kib_of_utf8():
    check_size("x" * (MAX_BYTES - 2), what="output", fail=LimitExceeded)
    with pytest.raises(LimitExceeded) as caught:
        check_size("é" * (MAX_BYTES // 2), what="output", fail=LimitExceeded)
    assert caught.value.args[0] == "States.DataLimitExceeded"
