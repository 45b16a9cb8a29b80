"""Rewrites a JPEG without what lies beside its image data, where decoders would stumble on it.

libjpeg warns of a fault beside the image data as it warns of cut data, and gives its first warning only. So
what lies beside is put right here, and then the data must decode without a warning (jpeg.py, decision 34).
"""

import re
from typing import NamedTuple

import simplejpeg

MOST_SEGMENTS = 1_000
"""More are not looked through: camera files have some tens."""
MOST_RESTARTS = 65_536
"""Of more restart markers the rest is taken as it is."""
MOST_INTERVALS = 8_192
"""Images of more restart intervals are not looked through one by one; one a row of blocks is usual."""
MOST_BYTES_OF_HEADS = 64_000_000
"""Each interval is decoded behind a copy of the image's head: 8,192 heads of 5 MB took a minute."""
MOST_STRAY_BYTES_IN_INTERVAL = 16
"""Logitech's cameras leave 1 to 12 before restart markers. Damage ends at a restart, so more is accepted."""

_SOI, _EOI, _SOS, _DHT, _DQT, _DAC, _DRI = 0xD8, 0xD9, 0xDA, 0xC4, 0xDB, 0xCC, 0xDD
_APP0, _APP1, _APP14 = 0xE0, 0xE1, 0xEE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {_DHT, 0xC8, _DAC}
_SEQUENTIAL = (0xC0, 0xC1, 0xC9)
_KEPT = _FRAMES | {_DHT, _DQT, _DAC, _DRI, _APP1}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
_MARKER = re.compile(rb"\xff[^\x00\xff]")
_SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_RESTART = re.compile(rb"(\xff[\xd0-\xd7])")
_STRAY = re.compile(r"(\d+) extraneous bytes before marker 0xd0")
_DISTANCE = bytes(64)
_JFIF = b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
_WHOLE_SPECTRUM = b"\x00\x3f\x00"


def decode_least(data: bytes, colours: str) -> None:
    """Have all of the data read; the inverse DCT is spared by asking for the smallest scale."""
    simplejpeg.decode_jpeg(data, colours, fastdct=True, fastupsample=True, min_height=1, min_width=1)


def tidied(data: bytes, *, unpadded: bool = False) -> bytes:
    """The same image with nothing beside it that libjpeg or Pillow could stumble on.

    Kept: tables, frame, scans, EXIF, and what JFIF and Adobe say of colours. A sequential scan gets the
    parameters that it must have, the image an end marker. With `unpadded`, zeros before restart and end
    markers go too.
    Raises ValueError where there is no image data, or its end is missing.
    """
    segments: list[tuple[int, bytes]] = []
    scans = _Scans()
    at, ended = 2, False
    for _ in range(MOST_SEGMENTS):
        found = _MARKER.search(data, at)
        if found is None:
            break
        marker, at = data[found.end() - 1], found.end()
        if marker in _WITHOUT_LENGTH or (marker == _SOI and not segments):
            continue
        if marker == _EOI:
            ended = True
            break
        length = int.from_bytes(data[at : at + 2], "big")
        if marker == _SOI or length < 2 or at + length > len(data):
            raise ValueError(f"cut or damaged at byte {found.start()}, beside the image data")
        content, at = data[at + 2 : at + length], at + length
        if marker == _SOS:
            end = _SCAN_END.search(data, at)
            stop = len(data) if end is None else end.start()
            scan = _data(data[at:stop].rstrip(b"\xff"), unpadded=unpadded)
            segments += [(_SOS, scans.take(content)), (0, scan)]
            at = stop
        else:
            scans.frame(marker, content)
            segments.append((marker, content))
    if scans.count == 0:
        raise ValueError("there is no image data in it")
    if not ended and not scans.complete:
        raise ValueError("it is cut: a part of its data and its end are missing")
    return b"".join(
        [b"\xff\xd8", *(_written(*segment, scans.components) for segment in segments), b"\xff\xd9"]
    )


def without_strays(whole: bytes) -> bytes:
    """A tidied JPEG without the bytes that some cameras leave before restart markers.

    libjpeg reports the first warning alone, so each interval is decoded as an image of its own. Raises
    ValueError where one of them is damaged, or where the image is none of one sequential scan with restarts.
    """
    start = whole.index(b"\xff\xda")
    frame, found = _Frame.find(whole[:start]), whole.rfind(b"\xff\xdd\x00\x04", 0, start)
    interval = int.from_bytes(whole[found + 4 : found + 6], "big") if found >= 0 else 0
    data_at = start + 2 + int.from_bytes(whole[start + 2 : start + 4], "big")
    parts = _RESTART.split(whole[data_at:-2], maxsplit=MOST_INTERVALS)
    data, markers = parts[0::2], [*parts[1::2], b""]
    one_scan = _SCAN_END.search(whole, data_at) is not None and whole[start + 4] == frame.components
    if not interval or not one_scan or len(data) != -(-frame.units // interval):
        raise ValueError("its restart intervals are not those that its header says")
    if data_at * len(data) > MOST_BYTES_OF_HEADS:
        raise ValueError("it has too many restart intervals behind too long a head to look at each")
    lengths = [interval] * (len(data) - 1) + [frame.units - interval * (len(data) - 1)]
    cleaned = [
        _cleaned(part, head=frame.of_units(2 * length) + _restarts(length) + whole[start:data_at])
        for part, length in zip(data, lengths, strict=True)
    ]
    joined = (part + marker for part, marker in zip(cleaned, markers, strict=True))
    return b"".join([whole[:data_at], *joined, b"\xff\xd9"])


def _restarts(interval: int) -> bytes:
    return b"\xff\xdd\x00\x04" + interval.to_bytes(2, "big")


def _cleaned(part: bytes, *, head: bytes) -> bytes:
    """An interval's data without what is left over of it. Raises ValueError where it is cut or damaged.

    libjpeg counts what is left over before a restart marker, but not where it has read up to the marker
    already. So zeros keep the marker at a distance: as many of them are left over if the interval is whole.
    """
    try:
        decode_least(head + part + _DISTANCE + b"\xff\xd0\xff\xd9", "GRAY")
    except ValueError as fault:
        left_over = _STRAY.search(str(fault))
        if left_over is None:
            raise
        stray = int(left_over[1]) - len(_DISTANCE)
        if stray < 0 or (stray > MOST_STRAY_BYTES_IN_INTERVAL and part[-stray:].strip(b"\0")):
            raise
        return part[:-stray] if stray else part
    raise ValueError("one of its restart intervals is cut")


class _Frame(NamedTuple):
    """The frame header of a sequential JPEG (T.81, B.2.2) and what is around it before the scan."""

    before: bytes
    behind: bytes
    components: int
    units: int
    """MCUs in the image (T.81, A.2)."""
    unit: tuple[int, int]
    """Height and width of an MCU, pixels."""

    @classmethod
    def find(cls, head: bytes) -> "_Frame":
        """Raises ValueError where there is none, or a progressive one."""
        at = 2
        while at < len(head) and head[at + 1] not in _FRAMES:
            at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
        if at + 10 > len(head) or head[at + 1] not in _SEQUENTIAL:
            raise ValueError("it is not sequential")
        height, width = (int.from_bytes(head[place : place + 2], "big") for place in (at + 5, at + 7))
        factors = [(factor & 15, factor >> 4) for factor in head[at + 11 : at + 10 + 3 * head[at + 9] : 3]]
        # Where there is one component, a unit is one block, whatever its factors.
        high, wide = map(max, zip(*factors, strict=True)) if len(factors) > 1 else (1, 1)
        units = -(-height // (8 * high)) * -(-width // (8 * wide))
        return cls(head[: at + 5], head[at + 9 :], head[at + 9], units, (8 * high, 8 * wide))

    def of_units(self, number: int) -> bytes:
        """The head of an image of so many units in a row."""
        width = number * self.unit[1]
        if not 0 < width < 65_536:
            raise ValueError("its restart intervals are too long to be looked at one by one")
        return self.before + self.unit[0].to_bytes(2, "big") + width.to_bytes(2, "big") + self.behind


class _Scans:
    """What the scans so far have brought of the frame's components (T.81, B.2.2 and B.2.3)."""

    def __init__(self) -> None:
        self.count = 0
        self.components = 0
        self._sequential = False
        self._lacking: set[tuple[int, int]] = set()

    @property
    def complete(self) -> bool:
        """Whether every coefficient of every component has come with its last bit."""
        return self.components > 0 and not self._lacking

    def frame(self, marker: int, content: bytes) -> None:
        """See a segment; only a frame's header matters."""
        if marker in _FRAMES and len(content) >= 6:
            self.components = content[5]
            self._sequential = marker in _SEQUENTIAL
            self._lacking = {(component, k) for component in content[6::3] for k in range(64)}

    def take(self, content: bytes) -> bytes:
        """See a scan's header; answers how it should be."""
        self.count += 1
        if self._sequential:
            content = content[:-3] + _WHOLE_SPECTRUM
        first, last, bits = content[-3:] if len(content) >= 3 else b"\0\0\1"
        if bits & 0x0F == 0:
            self._lacking -= {(component, k) for component in content[1:-3:2] for k in range(first, last + 1)}
        return content


def _data(scan: bytes, *, unpadded: bool) -> bytes:
    if not unpadded:
        return scan
    parts = _RESTART.split(scan, maxsplit=MOST_RESTARTS)
    return b"".join(part if place % 2 else _unpadded(part) for place, part in enumerate(parts))


def _unpadded(part: bytes) -> bytes:
    bare = part.rstrip(b"\0")
    # FF 00 is a byte of the data (T.81, B.1.1.5).
    return bare + b"\0" if bare.endswith(b"\xff") else bare


def _written(marker: int, content: bytes, components: int) -> bytes:
    """A segment as it goes into the tidied file: nothing where it says nothing of the image."""
    if marker == 0:
        return content
    if marker == _APP0 and content[:5] == b"JFIF\0" and len(content) >= len(_JFIF):
        content = _JFIF
    elif marker == _APP14 and content[:5] == b"Adobe" and len(content) >= 12:
        content = content[:11] + _transform(content[11], components)
    elif marker not in _KEPT and marker != _SOS:
        return b""
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def _transform(code: int, components: int) -> bytes:
    """Adobe's colour transform; for one that there is not, the one that libjpeg assumes."""
    assumed = 2 if components == 4 else 1
    return bytes((code if code in (0, assumed) else assumed,))
