"""Odd layouts, names, rows and images of a user's own: what each is, for the tests and for their page.

.venv/bin/python -m tests.unit.core.odd_sources prints what each gives (docs/inside/odd-sources.md).
"""

import base64
import io
import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from bincount_core.image import ImageFault
from bincount_sources.class_folders import read_class_folders
from bincount_sources.found import BadLabels, Found
from bincount_sources.image import check_image
from bincount_sources.read import read_labels

REF = "s3://hall/photos/a.jpg"
_PARQUET = base64.b64decode(
    "UEFSMRUAFSIVJiwVAhUAFQYVBgAAEUACAAAAAgEHAAAAYS8xLmpwZxUAFRwVICwVAhUAFQYVBgAADjQCAAAAAgEDAAAAAAAA"
    "ABkSAhkYB2EvMS5qcGcZGAdhLzEuanBnFQIZFgApJgACABkSAhkYCAMAAAAAAAAAGRgIAwAAAAAAAAAVAhkWACkmAAIAGRwW"
    "CBVIFgAAGRYOABkcFlAVQhYAAAAVAhk8SAxhcnJvd19zY2hlbWEVBAAVDCUCGAVpbWFnZSUATBwAAAAVBCUCGAVjb3VudAAW"
    "AhkcGSwmABwVDBklAAYZGAVpbWFnZRUCFgIWRBZIJgg8NgAoB2EvMS5qcGcYB2EvMS5qcGcREQAZHBUAFQAVAgA8Fg4pJgAC"
    "AAAWmgIVGhaSARVCACYAHBUEGSUABhkYBWNvdW50FQIWAhY+FkImUDwYCAMAAAAAAAAAGAgDAAAAAAAAABYAKAgDAAAAAAAA"
    "ABgIAwAAAAAAAAAREQAZHBUAFQAVAgA8OSYAAgAAFrQCFRQW1AEVRgAWggEWAiYIFooBFAAAKAF4GSwcAAAcAAAABgEAAFBB"
    "UjE="
)
"""Snappy, a text and an int64; tests/unit/core/parquet_files.py writes any."""
TABLES: dict[str, str | bytes] = {
    "plain": "image,count\na/1.jpg,3\n",
    "byte order mark": "\ufeffimage,count\na/1.jpg,3\n",
    "semicolons, Windows's line ends": "image;count\r\na/1.jpg;3\r\n",
    "tabs, no last line end": "image\tcount\na/1.jpg\t3",
    "empty lines, another order, capitals": "\n\nCount , IMAGE \n3,a/1.jpg\n\n",
    "quotes": 'image,count\n"a/1.jpg","3"\n',
    "3.0, as spreadsheets write": "image,count\na/1.jpg,3.0\n",
    "./ and blanks": "image,count\n./a/1.jpg, 3 \n",
    "backslashes": "image,count\na\\1.jpg,3\n",
    "an S3 address": "image,count\ns3://hall/photos/a/1.jpg,3\n",
    "optional cells empty": "image,count,group,taken_at\na/1.jpg,3,,\n",
    "optional cells left out": "image,count,group\na/1.jpg,3\n",
    "empty cells too many": "image,count\na/1.jpg,3,,\n",
    "UTF-16, as spreadsheets write": "image,count\na/1.jpg,3\n".encode("utf-16"),
    "Parquet": _PARQUET,
}
"""One table, saved in many ways: the image a/1.jpg with count 3."""
UNREADABLE_TABLES = {
    "empty file": (b"", "no column image and count"),
    "other columns": (b"file,number\na.jpg,3\n", "the first line has 'file', 'number'"),
    "no header": (b"a.jpg,3\nb.jpg,4\n", "no column image and count"),
    "a column twice": (b"image,count,count\n", "count is there twice"),
    "Latin-1": (b"image,count\n\xfc.jpg,3\n", "save the table as CSV UTF-8"),
    "an open quote": (b'image,count\n"a.jpg,3\nb.jpg,4\n', "is a quote open there?"),
    "Parquet, cut short": (_PARQUET[:-9], "cut short"),
    "Parquet with another tail": (_PARQUET[:4] + bytes(len(_PARQUET) - 8) + b"PAR1", "damaged"),
}
"""What it is: (its bytes, a part of what is said)."""
NAMES = (
    "ü ß/日本.jpg", "a+b%20c#1?.PNG", "a, b.webp", "no suffix", "x" * 1024, "a;b.jpg", "'=1.jpg", "😀.jpg",
)  # fmt: skip
ROWS = (
    (",3", "bad_name"),
    ("/etc/passwd,3", "bad_name"),
    ("a/../../b.jpg,3", "bad_name"),
    ("a//b.jpg,3", "bad_name"),
    ("a/,3", "bad_name"),
    ("a\x07.jpg,3", "bad_name"),
    (f"{'x' * 1025},3", "bad_name"),
    ("s3://,3", "bad_name"),
    ("s3://other/photos/a.jpg,3", "other_place"),
    ("s3://hall/films/a.jpg,3", "other_place"),
    ("a.jpg,three", "bad_count"),
    ("a.jpg,2.5", "bad_count"),
    ('a.jpg,"1,000"', "bad_count"),
    ("a.jpg,-1", "bad_count"),
    ("a.jpg,10001", "bad_count"),
    ("a.jpg,", "bad_count"),
    ("a.jpg,NaN", "bad_count"),
    ("a.jpg,³", "bad_count"),
    ("a.jpg,3,,yesterday", "bad_time"),
    ("a.jpg,3,bin 7,31.12.2026", "bad_time"),
    ("a.jpg", "bad_row"),
    ("a.jpg,3,g,2026-01-01,more", "bad_row"),
)
"""(A row below image,count,group,taken_at; why it is rejected.)"""
CLASS_FILES = (
    ("3/a.jpg", 3),
    ("0/A B.JPEG", 0),
    ("12/ü/日本.png", 12),
    ("03/x.webp", 3),
    ("7/a/b/c/d.jpg", 7),
    ("5/.hidden.jpg", 5),
)
OTHER_FILES = (
    ("a.jpg", "bad_class"),
    ("three/a.jpg", "bad_class"),
    ("3 objects/a.jpg", "bad_class"),
    ("-1/a.jpg", "bad_class"),
    ("10001/a.jpg", "bad_class"),
    ("³/a.jpg", "bad_class"),
    ("train/3/a.jpg", "bad_class"),
    ("3/a.heic", "not_image"),
    ("3/notes.txt", "not_image"),
    ("labels.csv", "not_image"),
    ("3/a\n.jpg", "bad_name"),
    ("3//a.jpg", "bad_name"),
)
LITTER = ("3/", "3/.DS_Store", "__MACOSX/3/a.jpg", "3/._a.jpg", "Thumbs.db", "3/desktop.ini")


def classified(name: Any) -> dict[str, Any]:
    """A line of an image classification job whose class has that name."""
    metadata = {"type": "groundtruth/image-classification", "class-name": name, "confidence": 0.9}
    return {"source-ref": REF, "bins": 0, "bins-metadata": metadata}


def boxes(number: int) -> dict[str, Any]:
    """A line of an object detection job with that many boxes."""
    box = {"class_id": 0, "left": 1, "top": 1, "width": 9, "height": 9}
    return {
        "source-ref": REF,
        "boxes": {"image_size": [{"width": 9, "height": 9, "depth": 3}], "annotations": [box] * number},
        "boxes-metadata": {"type": "groundtruth/object-detection", "class-map": {"0": "thing"}},
    }


MANIFEST_LINES: dict[str, tuple[dict[str, Any], int]] = {
    "a class": (classified("3"), 3),
    "a class of two digits": (classified("12"), 12),
    "four boxes": (boxes(4), 4),
    "no boxes": (boxes(0), 0),
    "a custom job's number": ({"source-ref": REF, "n": 5, "n-metadata": {"type": "groundtruth/custom"}}, 5),
    "a number as text": ({"source-ref": REF, "n": "5", "n-metadata": {}}, 5),
    "5.0": ({"source-ref": REF, "n": 5.0, "n-metadata": {}}, 5),
}
WRONG_LINES: dict[str, tuple[Any, str]] = {
    "half an object": ("{", "bad_row"),
    "a list": ("[1]", "bad_row"),
    "100,000 brackets": ("[" * 100_000, "bad_row"),
    "no source-ref": ({"bins": 1, "bins-metadata": {}}, "bad_name"),
    "a number as source-ref": ({"source-ref": 7, "bins": 1}, "bad_name"),
    "another bucket": ({"source-ref": "s3://other/a.jpg", "bins": 1}, "other_place"),
    "no label": ({"source-ref": REF}, "unlabelled"),
    "a failed label": ({"source-ref": REF, "bins-metadata": {"failure-reason": "no worker"}}, "unlabelled"),
    "a class in words": (classified("three"), "bad_count"),
    "a class without a name": (classified(None), "bad_count"),
    "true": ({"source-ref": REF, "bins": True}, "bad_count"),
    "an object as label": ({"source-ref": REF, "bins": {"x": 1}}, "bad_count"),
    "detection without boxes": (
        {"source-ref": REF, "bins": {}, "bins-metadata": {"type": "x/object-detection"}}, "bad_count"
    ),
    "a number as time": ({"source-ref": REF, "bins": 1, "taken_at": 17}, "bad_time"),
}  # fmt: skip


def image(seed: int, *, form: str = "JPEG", size: tuple[int, int] = (96, 80), **options: Any) -> bytes:
    """An image that no other seed gives: areas of random colours. `mode` is Pillow's, default RGB."""
    areas = np.random.default_rng(seed).integers(0, 255, (16, 20, 3), dtype=np.uint8)
    data, mode = io.BytesIO(), options.pop("mode", "RGB")
    Image.fromarray(areas).resize(size, Image.Resampling.BICUBIC).convert(mode).save(data, form, **options)
    return data.getvalue()


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif.tobytes()


def _sixteen_bits(data: bytes) -> bytes:
    gray, again = np.asarray(Image.open(io.BytesIO(data)).convert("L")), io.BytesIO()
    Image.fromarray(gray.astype(np.uint16) * 257).save(again, "PNG")
    return again.getvalue()


def _sized(jpeg: bytes, width: int, height: int) -> bytes:
    """The JPEG with another size in its header."""
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + jpeg[at + 4 :]


ODD_IMAGES: dict[str, tuple[bytes, str | None]] = {
    "nothing": (b"", "empty"),
    "text": (b"not an image", "undecodable"),
    "cut JPEG": (image(1_001)[:900], "undecodable"),
    "cut PNG": (image(1_002, form="PNG")[:900], "undecodable"),
    "cut WebP": (image(1_003, form="WEBP")[:300], "undecodable"),
    "GIF": (image(1_004, form="GIF"), "undecodable"),
    "TIFF": (image(1_005, form="TIFF"), "undecodable"),
    "HEIC": (b"\0\0\0\x18ftypheic" + bytes(100), "undecodable"),
    "PNG named .jpg": (image(1_006, form="PNG"), None),
    "gray": (image(1_007, form="PNG", mode="L"), None),
    "one pixel": (image(1_008, size=(1, 1)), None),
    "progressive JPEG": (image(1_009, progressive=True), None),
    "gray JPEG": (image(1_010, mode="L"), None),
    "CMYK JPEG": (image(1_011, mode="CMYK"), None),
    "JPEG turned by EXIF": (image(1_012, exif=_turned()), None),
    "transparent PNG": (image(1_013, form="PNG", mode="RGBA"), None),
    "PNG with a palette": (image(1_014, form="PNG", mode="P"), None),
    "PNG of 16 bits": (_sixteen_bits(image(1_015)), None),
    "lossless WebP": (image(1_016, form="WEBP", lossless=True), None),
    "61 megapixels": (_sized(image(1_017), 10_000, 6_100), "too_large"),
}  # fmt: skip
"""What it is: (its bytes, why it is rejected; None: it is taken)."""


def read_csv(text: str | bytes, *, bucket: str | None = "hall", prefix: str = "photos/") -> Found:
    """A table beside s3://hall/photos/."""
    data = text if isinstance(text, bytes) else text.encode()
    return read_labels(data, kind="table", attribute=None, bucket=bucket, prefix=prefix)


def read_manifest(*lines: Any, attribute: str | None = None) -> Found:
    """Ground Truth's manifest of these lines; text is taken as it is."""
    data = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    return read_labels(
        data.encode(), kind="ground-truth", attribute=attribute, bucket="hall", prefix="photos/"
    )


def page() -> str:
    """What each gives, by the readers themselves."""
    row = "image,count,group,taken_at\n{}\n".format
    parts = (
        ("Tables, saved in different ways", [(name, _of(read_csv, text)) for name, text in TABLES.items()]),
        (
            "Tables that cannot be read",
            [(name, _of(read_csv, data)) for name, (data, _) in UNREADABLE_TABLES.items()],
        ),
        ("Names of images in a table", [(n, _of(read_csv, f'image,count\n"{n}",1\n')) for n in NAMES]),
        ("Rows of a table", [(text, _of(read_csv, row(text))) for text, _ in ROWS]),
        (
            "Files in class folders",
            [(n, _of(read_class_folders, [n])) for n in (*dict(CLASS_FILES), *dict(OTHER_FILES), *LITTER)],
        ),
        (
            "Lines of Ground Truth's manifest",
            [(name, _of(read_manifest, line)) for name, (line, _) in MANIFEST_LINES.items()]
            + [(name, _of(_beside_a_good_one, line)) for name, (line, _) in WRONG_LINES.items()],
        ),
        ("Images", [(name, _of_image(data)) for name, (data, _) in ODD_IMAGES.items()]),
    )  # fmt: skip
    every = [given for _, rows in parts for _, given in rows]
    taken = sum(given.startswith("taken") for given in every)
    lines = [f"{len(every)} were tried: {taken} are taken, {len(every) - taken} are not, each with a reason."]
    for title, rows in parts:
        lines += ["", f"## {title}", "", "| tried | gives |", "|---|---|"]
        lines += [f"| {_shown(name)} | {_cell(given)} |" for name, given in rows]
    return "\n".join(lines)


def _beside_a_good_one(line: Any) -> Found:
    good = classified("2") | {"source-ref": "s3://hall/photos/good.jpg"}
    return read_manifest(line, good, attribute="bins")


def _of(read: Callable[[Any], Found], given: Any) -> str:
    try:
        found = read(given)
    except BadLabels as error:
        return f"error: {error}"
    if found.rejected:
        rejected = found.rejected[0]
        return f"{rejected.reason}: {re.sub(r'^(row|line) [0-9]+: ', '', rejected.detail)}"
    return f"taken, count {found.rows[0].count}" if found.rows else "passed over"


def _of_image(data: bytes) -> str:
    try:
        found = check_image(data)
    except ImageFault as fault:
        return f"{fault.reason}: {fault}"
    return f"taken, {found.width} x {found.height} pixels"


def _shown(name: str) -> str:
    short = name if len(name) <= 40 else f"{name[:12]}… ({len(name.partition(',')[0])} characters)"
    return f"`{_cell(repr(short)[1:-1])}`" if short else "(nothing)"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(page())
