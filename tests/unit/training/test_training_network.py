"""Where weights come from, and what happens to images on their way."""

from pathlib import Path

import pytest
import torch
import torchvision

from bintrain.data.augment import augment
from bintrain.engine.network import build_network
from bintrain.errors import TrainingError
from bintrain.settings import Settings

TUNED = Settings(arch="resnet18", image_size=32)


def test_the_weights_channel_gives_everything_but_the_head(tmp_path: Path) -> None:
    torch.manual_seed(1)
    learned = torchvision.models.resnet18(weights=None)
    torch.save(learned.state_dict(), tmp_path / "resnet18.pth")

    network = build_network(settings=TUNED, classes=4, weights=tmp_path)

    assert torch.equal(network.backbone.state_dict()["layer4.1.conv2.weight"], learned.layer4[1].conv2.weight)
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 4)


def test_weights_of_another_network_are_rejected(tmp_path: Path) -> None:
    torch.save(torchvision.models.resnet34(weights=None).state_dict(), tmp_path / "resnet18.pth")

    with pytest.raises(TrainingError, match="resnet18.pth is not the state dict of a resnet18"):
        build_network(settings=TUNED, classes=4, weights=tmp_path)


@pytest.mark.parametrize("content", [b"", b"junk", b"\x80\x02junk."])
def test_a_file_that_holds_no_weights_is_rejected(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "resnet18.pth").write_bytes(content)

    with pytest.raises(TrainingError, match="is not the state dict"):
        build_network(settings=TUNED, classes=4, weights=tmp_path)


def test_without_weights_and_network_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")

    with pytest.raises(
        TrainingError, match="resnet18.pth is missing .*train from scratch with --pretrained none"
    ):
        build_network(settings=TUNED, classes=4, weights=tmp_path)


def test_augmentation_keeps_shape_and_range_and_follows_its_generator() -> None:
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))

    first = augment(images, generator=torch.Generator().manual_seed(1))
    again = augment(images, generator=torch.Generator().manual_seed(1))
    other = augment(images, generator=torch.Generator().manual_seed(2))

    assert first.shape == images.shape
    assert first.min() >= 0 and first.max() <= 1
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_augmentation_moves_things_only_a_little() -> None:
    # A bright square in the middle: whatever is drawn, it stays near the middle and about as large.
    images = torch.zeros(64, 3, 64, 64)
    images[:, :, 24:40, 24:40] = 0.8

    moved = augment(images, generator=torch.Generator().manual_seed(0)).mean(1)

    bright = moved > 0.3
    area = bright.sum((1, 2)) / 256
    assert area.min() > 0.75 and area.max() < 1.35
    assert not bright[:, :16].any() and not bright[:, :, :16].any()
    assert not bright[:, 48:].any() and not bright[:, :, 48:].any()
