"""The generator of bins: the public bucket's layout, true counts, the same bytes for the same seed."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo.bins.bin_image import VISIBLE_SHARE, draw_bin, place, visible_shares
from demo.bins.generate import MAX_IMAGES, generate, identities

ROOT = Path(__file__).resolve().parents[3]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def bins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bins")
    generate(out=out, images=30, seed=3, counts=range(0, 6))
    return out


def test_the_layout_is_the_public_buckets(bins: Path) -> None:
    images = {path.stem for path in (bins / "bin-images").glob("*.jpg")}
    metadata = {path.stem for path in (bins / "metadata").glob("*.json")}
    listed = json.loads((bins / "file_list.json").read_text())
    assert len(images) == 30
    assert images == metadata == {Path(entry).stem for entries in listed.values() for entry in entries}
    assert all(entry.startswith("data/metadata/") for entries in listed.values() for entry in entries)
    assert all(len(identity) == 5 and identity.isdecimal() for identity in images)


def test_the_metadata_has_the_count_of_the_list_and_of_its_products(bins: Path) -> None:
    listed = json.loads((bins / "file_list.json").read_text())
    for count, entries in listed.items():
        for entry in entries:
            metadata = json.loads((bins / "metadata" / Path(entry).name).read_text())
            products = metadata["BIN_FCSKU_DATA"]
            assert (
                metadata["EXPECTED_QUANTITY"] == int(count) == sum(p["quantity"] for p in products.values())
            )
            assert all(asin == product["asin"] for asin, product in products.items())


def test_classes_are_balanced(bins: Path) -> None:
    listed = json.loads((bins / "file_list.json").read_text())
    assert {count: len(entries) for count, entries in listed.items()} == dict.fromkeys(map(str, range(6)), 5)


def test_the_same_seed_makes_the_same_bytes_more_images_extend_the_set(bins: Path, tmp_path: Path) -> None:
    generate(out=tmp_path, images=36, seed=3, counts=range(0, 6))
    fewer, more = files(bins), files(tmp_path)
    del fewer["file_list.json"]
    assert len(fewer) == 60
    assert fewer.items() < more.items()


def test_another_seed_makes_other_images(bins: Path, tmp_path: Path) -> None:
    generate(out=tmp_path, images=6, seed=4, counts=range(0, 6))
    assert not set(files(tmp_path).values()) & {
        data for name, data in files(bins).items() if name.endswith("jpg")
    }


def test_images_have_varying_sizes(bins: Path) -> None:
    sizes = set()
    for path in (bins / "bin-images").iterdir():
        with Image.open(path) as image:
            assert (image.format, image.mode) == ("JPEG", "RGB")
            assert np.asarray(image).std() > 10
            sizes.add(image.size)
    assert len(sizes) > 20
    assert all(320 <= width < 520 and 250 <= height < 400 for width, height in sizes)


@pytest.mark.parametrize("count", [0, 1, 3, 5, 8, 12])
def test_every_object_is_in_view_and_mostly_uncovered(count: int) -> None:
    for seed in range(10):
        things = place(count=count, width=420, height=320, rng=np.random.default_rng(seed))
        assert len(things) == count
        for thing in things:
            assert all(0 <= x <= 420 and 0 <= y <= 320 for x, y in thing.outline())
        assert all(share >= VISIBLE_SHARE for share in visible_shares(things=things, width=420, height=320))


def test_the_drawn_objects_are_those_that_are_counted() -> None:
    things, image, quality, _ = draw_bin(count=4, rng=np.random.default_rng(0))
    assert len(things) == 4
    assert image.mode == "RGB" and 78 <= quality <= 92


def test_ids_spread_over_many_blocks_with_neighbours_in_each() -> None:
    ids = identities(images=400, seed=0)
    assert len(set(ids)) == 400
    assert set(Counter(int(identity) // 100 for identity in ids).values()) == {4}
    assert len(set(identities(images=MAX_IMAGES, seed=0))) == MAX_IMAGES


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", "0"], "images must be 1 to"),
        (["--images", "5", "--counts", "9-99"], "counts must be a non-empty range within 0 to 12"),
        (["--images", "5", "--counts", "many"], "expected a range such as 1-5"),
        (["--images", "5", "--counts", "3-1"], "counts must be a non-empty range"),
    ],
)
def test_the_command_line_reports_faults_in_a_line(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    command = [sys.executable, "-m", "demo.bins.generate", "--out", str(tmp_path), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]


def test_the_command_line_makes_a_set(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "demo.bins.generate",
        "--out",
        str(tmp_path / "b"),
        "--images",
        "3",
        "--counts",
        "2",
    ]
    subprocess.run(command, cwd=ROOT, check=True)
    assert len(files(tmp_path / "b")) == 7
