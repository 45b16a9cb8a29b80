"""Bins in two lights, and two models held against each other on them: what loop.py and loop_parts.py share.

The bins are those of `make demo`: 1 to 5 objects. The home is their own light; the field is a dim bluish lamp
at the left. Bins that are easier to count (`tidy`) will not do: in the dark they look so alike that data
preparation leaves nearly all of them out as near-duplicates.
"""

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / part) for part in ("core", "client", "emulator/src", "")]

from demo.source import COUNTS, Bin, make_bins, read_bin  # noqa: E402
from inference.evaluate.paired import chance_of_worse  # noqa: E402
from monitoring.live.proportion import clopper_pearson  # noqa: E402

HOME_SEED, FIELD_SEED, UNSEEN_HOME, UNSEEN_FIELD = 3, 11, 7, 13
UNSEEN = 600
ANSWERS_AN_HOUR = 5
COUNTS_ASKED = f"{COUNTS[0]}-{COUNTS[-1]}"
Errors = dict[str, NDArray[np.int64]]
"""By light (`home`, `field`): how many objects each unseen bin was miscounted by."""


def bins(folder: Path, *, dim: bool = False) -> list[Bin]:
    """Those of a folder, in the first light or in the other one."""
    found = [read_bin(folder, path.stem) for path in sorted(folder.glob("bin-images/*.jpg"))]
    return [Bin(id=each.id, count=each.count, jpeg=other_light(each.jpeg)) if dim else each for each in found]


def unseen(work: Path) -> dict[str, list[Bin]]:
    """Bins of both lights that no model learns from and no dataset has."""
    return {
        "home": bins(make_bins(work / "unseen-home", images=UNSEEN, seed=UNSEEN_HOME)),
        "field": bins(make_bins(work / "unseen-field", images=UNSEEN, seed=UNSEEN_FIELD), dim=True),
    }


def other_light(jpeg: bytes) -> bytes:
    """A dim bluish lamp at the left: a fifth of the light, at the right edge two thirds of that, noise."""
    pixels = np.asarray(Image.open(io.BytesIO(jpeg)), dtype=np.float32)
    fall = np.linspace(1.0, 0.65, pixels.shape[1], dtype=np.float32)[None, :, None]
    noise = np.random.default_rng(len(jpeg)).normal(0, 6, pixels.shape).astype(np.float32)
    dim = pixels * fall * np.array([0.14, 0.18, 0.3], dtype=np.float32) + 6 + noise
    out = io.BytesIO()
    Image.fromarray(np.clip(dim, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=85)
    return out.getvalue()


def answered_at(place: int) -> str:
    """The moment of the answer at that place, as if a camera gave a few an hour."""
    hour = place // ANSWERS_AN_HOUR
    return f"2026-11-{1 + hour // 24:02d}T{hour % 24:02d}:20:01Z"


def shares(errors: Errors) -> str:
    """Accuracy by light, in words."""
    return ", ".join(f"{light} {float((found == 0).mean()):.1%}" for light, found in errors.items())


def compared(before: NDArray[np.int64], after: NDArray[np.int64]) -> dict[str, Any]:
    """Accuracy of both with its exact 95 % interval, RMSE, the paired difference of accuracy with the range
    that holds 95 % of 10,000 bootstraps, and the gate's own probability of a loss (a gain) so large by noise.
    """
    gain = (after == 0).astype(np.int64) - (before == 0)
    again = np.random.default_rng(1).choice(gain, size=(10_000, len(gain))).mean(axis=1)
    return {
        "bins": len(gain),
        "accuracy": [round(float((errors == 0).mean()), 4) for errors in (before, after)],
        "interval": [_interval(errors) for errors in (before, after)],
        "rmse": [round(float(np.sqrt((errors**2).mean())), 3) for errors in (before, after)],
        "gain": round(float(gain.mean()), 4),
        "range": [round(float(bound), 4) for bound in np.quantile(again, [0.025, 0.975])],
        "p_worse": round(chance_of_worse(-gain), 4),
        "p_better": round(chance_of_worse(gain), 4),
    }


def _interval(errors: NDArray[np.int64]) -> list[float]:
    return [round(bound, 4) for bound in clopper_pearson(int((errors == 0).sum()), len(errors))]
