"""A frozen backbone's features: computed once, and the same to the head as whole images are."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bintrain.data.classes import Classes
from bintrain.data.dataset import read_dataset
from bintrain.data.images import Images
from bintrain.engine.distributed import ALONE
from bintrain.engine.features import extractor, head_of
from bintrain.engine.feeds import FeatureFeed, ImageFeed, Source, choose_feed
from bintrain.engine.network import BinCounter, build_network
from bintrain.engine.trainer import Trainer
from bintrain.settings import Machine, Settings

CLASSES = Classes(counts=(1, 4), open_top=False)
FROZEN = Settings(
    arch="resnet18", image_size=32, pretrained="none", freeze_backbone=True, frozen_views=3, epochs=4,
    batch_size=8, learning_rate=0.01,
)  # fmt: skip


def _network(settings: Settings = FROZEN) -> BinCounter:
    torch.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    return build_network(settings=settings, classes=2, weights=None)


@pytest.fixture(scope="module")
def images(forty_bins: Path) -> dict[str, Images]:
    dataset = read_dataset(forty_bins)
    return {
        name: Images(dataset.split(name), classes=CLASSES, size=32, keep=True)
        for name in ("train", "validation")
    }


def _source(images: dict[str, Images], settings: Settings = FROZEN, **machine: Any) -> Source:
    return Source(**images, batch=8, settings=settings, machine=Machine(**machine), processes=ALONE)


def _trainer(
    network: BinCounter, images: dict[str, Images], *, checkpoints: Path | None = None, **machine: Any
) -> Trainer:
    return Trainer(
        network=network, classes=CLASSES, settings=FROZEN, machine=Machine(amp="none", **machine),
        processes=ALONE, **images, checkpoints=checkpoints, identity={},
    )  # fmt: skip


@pytest.mark.parametrize("arch", ["resnet18", "efficientnet_lite0", "mobilenet_v3_small", "convnext_tiny"])
def test_a_head_counts_from_features_as_its_network_from_images(arch: str) -> None:
    settings = FROZEN.model_copy(update={"arch": arch, "head": "corn"})
    network, pixels = _network(settings), torch.rand(3, 3, 32, 32)

    found = head_of(network, size=32)
    assert found is not None
    head, width = found
    torch.nn.init.normal_(next(iter(head.parameters())))
    with extractor(network, size=32) as extract:
        features = extract(pixels)

    assert features.shape == (3, width)
    with torch.inference_mode():
        assert torch.allclose(head.eval()(features), network.eval()(pixels), rtol=1e-3, atol=1e-3)


def test_a_network_that_goes_on_behind_its_head_is_trained_on_images(
    images: dict[str, Images], capsys: pytest.CaptureFixture[str]
) -> None:
    network = _network(settings := FROZEN.model_copy(update={"arch": "squeezenet1_1"}))
    trained, feed = choose_feed(_source(images, settings), network=network)

    assert trained is network and isinstance(feed, ImageFeed)
    assert "squeezenet1_1 does not end with one layer" in capsys.readouterr().out


def test_features_that_do_not_fit_in_memory_are_not_kept(
    images: dict[str, Images], capsys: pytest.CaptureFixture[str]
) -> None:
    many = FROZEN.model_copy(update={"frozen_views": 64})
    trained, feed = choose_feed(_source(images, many, cache_mib=2), network=_network(many))

    assert isinstance(trained, BinCounter) and isinstance(feed, ImageFeed)
    assert "features of 3 MiB exceed --cache-mib" in capsys.readouterr().out


def test_an_epoch_shows_each_image_once_in_one_of_its_views(images: dict[str, Images]) -> None:
    network = _network()
    _, feed = choose_feed(_source(images), network=network)
    assert isinstance(feed, FeatureFeed)
    pixels = images["train"].kept
    assert pixels is not None
    floats = pixels.permute(0, 3, 1, 2).float() / 255
    with extractor(network, size=32) as extract:
        plain, mirrored = extract(floats), extract(floats.flip(3))

    steps = list(feed.training(epoch=1, first=0))
    shown, labels = torch.cat([fed.inputs for fed in steps]), torch.cat([fed.labels for fed in steps])
    as_is = torch.stack([torch.isclose(plain, row, atol=1e-3).all(1).any() for row in shown])
    flipped = torch.stack([torch.isclose(mirrored, row, atol=1e-3).all(1).any() for row in shown])

    assert torch.equal(labels.sort().values, torch.tensor(images["train"].labels).sort().values)
    assert as_is.any() and flipped.any() and not (as_is | flipped).all()
    rest = [fed.inputs for fed in feed.training(epoch=1, first=2)]
    assert torch.equal(rest[0], shown[16:24])


def test_features_weigh_in_the_loss_what_their_images_do(forty_bins: Path, images: dict[str, Images]) -> None:
    listed = read_dataset(forty_bins).split("train")
    people = [replace(image, weight=3.0 if image.count == 4 else 1.0) for image in listed]
    weighted = images | {"train": Images(people, classes=CLASSES, size=32, keep=True)}
    _, feed = choose_feed(_source(weighted), network=_network())

    for fed in feed.training(epoch=1, first=0):
        assert fed.weights is not None
        assert fed.weights.tolist() == [1.5 if label else 0.5 for label in fed.labels.tolist()]


def test_the_head_alone_learns_and_its_figures_are_the_networks(images: dict[str, Images]) -> None:
    network = _network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    progress = _trainer(network, images).run()

    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"backbone.fc.1.weight", "backbone.fc.1.bias"}
    pixels = images["validation"].kept
    assert pixels is not None
    with torch.inference_mode():
        logits = network.eval()(pixels.permute(0, 3, 1, 2).float() / 255)
    best = progress.history[progress.best_epoch - 1]
    targets = torch.tensor(images["validation"].labels)
    hard = torch.nn.functional.cross_entropy(logits, targets).item()
    # The labels of 1 and 4 objects lie too far apart for their soft forms to differ from hard ones.
    assert hard == pytest.approx(best["validation:loss"], abs=1e-3)


def test_a_killed_training_of_a_head_ends_where_an_unbroken_one_does(
    images: dict[str, Images], tmp_path: Path
) -> None:
    whole = _trainer(_network(), images).run()
    # A checkpoint after each step; what the process did after the last one is lost.
    _trainer(_network(), images, checkpoints=tmp_path, checkpoint_minutes=1e-9).train_epoch(1)
    again = _trainer(_network(), images, checkpoints=tmp_path).run()

    for epoch in (*whole.history, *again.history):
        del epoch["train:images_per_second"]
    assert again.history == whole.history
    for name, value in whole.best_weights.items():
        assert torch.equal(again.best_weights[name], value), name
    assert "head.1.weight" in whole.best_weights
