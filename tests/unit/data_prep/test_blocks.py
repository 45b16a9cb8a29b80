"""The split: fixed by the block's number, whatever else is requested."""

import hashlib

import pytest

from data_prep.select.blocks import block_of, split_of


def test_the_rule_is_the_contracts() -> None:
    for identity in ("00900", "1013", "01013", "536434"):
        digest = hashlib.sha256(f"bincount-split-v1:{int(identity) // 100}".encode()).digest()
        u = int.from_bytes(digest[:8], "big") / 2**64
        expected = "train" if u >= 0.2 else "validation" if u < 0.1 else "test"
        assert split_of(identity, validation_share=0.2) == expected


def test_splits_that_were_once_given_stay() -> None:
    blocks: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    for block in range(40):
        blocks[split_of(f"{block}00", validation_share=0.2)].append(block)
    assert blocks["validation"] == [11, 39]
    assert blocks["test"] == [4, 13, 21, 32]


@pytest.mark.parametrize("block", [0, 7, 5364])
def test_neighbours_of_a_block_stay_together(block: int) -> None:
    splits = {split_of(str(block * 100 + place), validation_share=0.2) for place in range(100)}
    assert len(splits) == 1


def test_padded_and_plain_ids_are_two_images_of_one_block() -> None:
    assert block_of("01013") == block_of("1013") == 10
    assert split_of("01013", validation_share=0.2) == split_of("1013", validation_share=0.2)


def test_a_larger_share_only_moves_blocks_out_of_train() -> None:
    for block in range(500):
        if split_of(f"{block}00", validation_share=0.1) != "train":
            assert split_of(f"{block}00", validation_share=0.3) != "train"


def test_the_shares_are_those_asked_for() -> None:
    splits = [split_of(f"{block}00", validation_share=0.2) for block in range(5000)]
    assert sum(split != "train" for split in splits) / 5000 == pytest.approx(0.2, abs=0.02)
    assert splits.count("validation") / 5000 == pytest.approx(0.1, abs=0.02)
