"""Figures of an image's pixels as the network sees them: brightness, contrast, sharpness."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# ITU-R BT.601, as JPEG's own luma.
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelFigures:
    """`brightness` and `contrast`: mean and standard deviation of the luma, levels from 0 to 255.

    `sharpness`: standard deviation of its Laplacian (four neighbours), levels. A blurred lens lowers it
    (Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy", as the variance).
    """

    brightness: float
    contrast: float
    sharpness: float


def pixel_figures(pixels: NDArray[np.uint8]) -> PixelFigures:
    """Figures of uint8 `[height, width, 3]`, RGB; each side has at least 3 pixels."""
    luma = pixels.astype(np.float32) @ _LUMA
    inner = luma[1:-1, 1:-1]
    laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * inner
    return PixelFigures(
        brightness=float(luma.mean()), contrast=float(luma.std()), sharpness=float(laplacian.std())
    )
