"""The bytes of an image, and how they are announced."""

from pathlib import Path

from bincount.errors import Refused
from bincount_core.limits import ENDPOINT_BYTES

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def read_image(image: Path | str | bytes) -> bytes:
    """The image's bytes. Raises Refused where there is no such file or it is too large to be sent."""
    if isinstance(image, bytes):
        data, name = image, "the image"
    else:
        data, name = _read(Path(image)), str(image)
    if len(data) > ENDPOINT_BYTES:
        raise Refused(
            "body_too_large",
            f"{name} has {len(data)} bytes, the endpoint takes at most {ENDPOINT_BYTES}: send it scaled down",
        )
    return data


def media_type(data: bytes) -> str:
    """The Content-Type by the first bytes; JPEG where they say nothing (the server looks for itself)."""
    if data.startswith(b"\x89PNG"):
        return "image/png"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else "image/jpeg"


def _read(path: Path) -> bytes:
    try:
        # A file that is too large is not read to the end: it could be any file of any size.
        with path.open("rb") as file:
            data = file.read(ENDPOINT_BYTES + 1)
    except FileNotFoundError as error:
        raise Refused("no_such_file", f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise Refused("unreadable_file", f"{path} is a folder: count it with `bincount site`") from error
    except OSError as error:
        raise Refused("unreadable_file", f"{path}: {error.strerror}") from error
    if len(data) > ENDPOINT_BYTES:
        raise Refused(
            "body_too_large",
            f"{path} has {path.stat().st_size} bytes, the endpoint takes at most {ENDPOINT_BYTES}: scale it "
            "down",
        )
    return data
