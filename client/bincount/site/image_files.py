"""What a file is by its name: an image that is counted, an image in another format, or something else."""

import re
from dataclasses import dataclass, field

from bincount.counting.image import SUFFIXES
from bincount.texts import composed, listed

OTHER_FORMATS = {
    ".heic": "HEIC, the iPhone's format",
    ".heif": "HEIF, a phone's format",
    ".avif": "AVIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".dng": "a raw image",
    ".jxl": "JPEG XL",
    ".jfif": "JPEG under another suffix",
    ".jpe": "JPEG under another suffix",
}
"""Suffixes of images that are not counted, and what they are."""
# What macOS and Windows leave in a folder or an archive beside the images.
_SYSTEM = re.compile(r"(^|.*/)(\._[^/]*|__MACOSX/.*|\.DS_Store|Thumbs\.db|desktop\.ini)", re.IGNORECASE)
_SHOWN = 20


def image_id(name: str) -> str:
    """The id of a file name, a relative key or a manifest's entry.

    Without the suffix of an image, in Unicode's composed form (NFC), with slashes only.
    """
    name = composed(name).replace("\\", "/").removeprefix("./")
    for suffix in (*SUFFIXES, *OTHER_FORMATS):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def is_image(name: str) -> bool:
    """Whether it is counted, by its suffix."""
    return name.lower().endswith(SUFFIXES) and not is_of_the_system(name)


def is_of_the_system(name: str) -> bool:
    """Whether an operating system wrote it for itself, such as macOS's `._00901.jpg` (AppleDouble)."""
    return _SYSTEM.fullmatch(name) is not None


def other_format(name: str) -> str | None:
    """What an image is that is not counted, and what to do; None for any other file."""
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    kind = OTHER_FORMATS.get(suffix)
    if kind is None:
        return None
    return f"{kind}: {'rename it to .jpg' if kind.startswith('JPEG under') else 'save it as JPEG'}"


@dataclass
class LeftAlone:
    """The files that are not images: how many, and the names of the first."""

    number: int = 0
    names: list[str] = field(default_factory=list[str])

    def add(self, name: str) -> None:
        """Counts a file; the names of the first few are kept."""
        self.number += 1
        if len(self.names) < _SHOWN:
            self.names.append(name)

    def facts(self) -> dict[str, str]:
        """A line for people (name, value); none where there are no such files."""
        if not self.number:
            return {}
        return {
            "other files, left alone": f"{self.number:,}: {listed(self.names, most=_SHOWN, of=self.number)}"
        }
