"""A small picture of a bin for the page."""

import base64
import io
import warnings

from PIL import Image, ImageOps

from bincount_core.limits import SERVED_PIXELS

SIDE = 320


def thumbnail(data: bytes) -> str | None:
    """A data: URI of an upright JPEG of at most SIDE pixels a side; None where the bytes are no image."""
    try:
        with (
            warnings.catch_warnings(),
            Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image,
        ):
            warnings.simplefilter("ignore")
            if image.width * image.height > SERVED_PIXELS:  # what the server refused is not decoded either
                return None
            image.draft("RGB", (SIDE, SIDE))
            upright = ImageOps.exif_transpose(image).convert("RGB")
            upright.thumbnail((SIDE, SIDE))
            out = io.BytesIO()
            upright.save(out, "JPEG", quality=80)
    # Hostile bytes make decoders raise anything; a page without this picture is still a page.
    except Exception:
        return None
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode('ascii')}"
