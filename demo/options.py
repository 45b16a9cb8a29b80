"""What a run of the demo is asked for, read from the environment."""

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self


class DemoError(RuntimeError):
    """A step failed; the text says which and what to do next."""


ROOT = Path(__file__).resolve().parents[1]
WEIGHTS: dict[str, dict[str, str]] = json.loads((ROOT / "infra" / "training" / "weights.json").read_text())
"""The stage's table: where each network's first weights come from."""
ARCHITECTURES = (*WEIGHTS["packaged"], *WEIGHTS["torchvision"])
FEWEST_IMAGES = 100


@dataclass(frozen=True, kw_only=True)
class Options:
    """One run.

    bins: a directory in the public bucket's layout; None: generated bins.
    images: how many bins are generated.
    arch: a network of torchvision's, or efficientnet_lite0, 1, 2; None: the local stage's own.
    keep: leave the cloud up at the end, until Ctrl-C.
    port: TCP port of the embedded cloud; None: a free one.
    started: when the whole command began, seconds since the epoch (before installing).
    """

    bins: Path | None
    images: int
    arch: str | None
    keep: bool
    port: int | None
    started: float
    out: Path = ROOT / "build" / "demo"

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] = os.environ) -> Self:
        """BINS, IMAGES, ARCH, KEEP, PORT; raises DemoError with every fault."""
        faults: list[str] = []
        images = _number(variables, "IMAGES", 900, FEWEST_IMAGES, 20_000, faults)
        port = _number(variables, "PORT", 0, 1024, 65_535, faults)
        arch = variables.get("ARCH") or None
        if arch is not None and arch not in ARCHITECTURES:
            faults.append(f"ARCH={arch} is not known: use one of {', '.join(ARCHITECTURES)}")
        bins = Path(variables["BINS"]).resolve() if variables.get("BINS") else None
        if bins is not None:
            faults += _layout_faults(bins)
        if shutil.which("node") is None:
            faults.append("no 'node' on the PATH: install Node.js 22 or newer (20 still works)")
        if faults:
            raise DemoError("\n       ".join(faults))
        return cls(
            bins=bins,
            images=images,
            arch=arch,
            keep=variables.get("KEEP", "0") not in ("", "0"),
            port=port or None,
            started=float(variables.get("DEMO_STARTED", time.time())),
        )


def _number(
    variables: Mapping[str, str], name: str, default: int, low: int, high: int, faults: list[str]
) -> int:
    text = variables.get(name)
    if not text:
        return default
    if not text.isdecimal() or not low <= int(text) <= high:
        faults.append(f"{name}={text} must be a whole number from {low} to {high}")
        return default
    return int(text)


def _layout_faults(bins: Path) -> list[str]:
    parts: dict[str, Callable[[Path], bool]] = {
        "bin-images": Path.is_dir,
        "metadata": Path.is_dir,
        "file_list.json": Path.is_file,
    }
    if not bins.is_dir():
        return [f"BINS={bins} is not a directory: name one with {', '.join(parts)}"]
    missing = [name for name, is_there in parts.items() if not is_there(bins / name)]
    if missing:
        return [f"BINS={bins} has no {', '.join(missing)} (the public bucket's layout)"]
    return _list_faults(bins)


def _list_faults(bins: Path) -> list[str]:
    """Too few images would fail as well, but minutes later: nothing could be held out."""
    try:
        listed_paths: dict[str, list[str]] = json.loads((bins / "file_list.json").read_bytes())
        ids = [Path(path).stem for paths in listed_paths.values() for path in paths]
    except (ValueError, AttributeError, TypeError, RecursionError):
        form = '{"<count>": ["data/metadata/<id>.json", …], …}'
        return [f"BINS={bins}: file_list.json is not a list of images: JSON of the form {form} is expected"]
    there = sum(
        (bins / "bin-images" / f"{identity}.jpg").is_file()
        and (bins / "metadata" / f"{identity}.json").is_file()
        for identity in ids
    )
    if there < FEWEST_IMAGES:
        listed = f"{len(ids)} listed, {there} of them with image and metadata"
        return [f"BINS={bins}: {listed}; at least {FEWEST_IMAGES} are needed to train and to hold some out"]
    return []
