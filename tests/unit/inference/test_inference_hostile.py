"""Everything that should not be sent, sent to one real server: each has its status, nothing stays behind."""

import io
import socket
import zlib
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
# A second pass over the corpus may need this much more than the first, for the allocator's own reasons.
NOISE_MB = 24
MOST_RESIDENT_MB = 350


@pytest.fixture(scope="module")
def hostile_server(start_server, model_dir):
    with start_server(model_dir) as running:
        yield running


def saved(image: Image.Image, format: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png_of_claimed_size(width: int, height: int) -> bytes:
    """A PNG whose header claims a size and that holds one pixel."""
    data = bytearray(saved(Image.new("L", (1, 1)), "PNG"))
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


def text_bomb() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("bomb", "x" * 100_000_000, zip=True)
    return saved(Image.new("RGB", (4, 4)), "PNG", pnginfo=info)


def corpus() -> dict[str, tuple[bytes, int]]:
    """Name: body and the status it gets. Gray 120 shows 3 objects."""
    gray = Image.new("RGB", (64, 48), (120, 120, 120))
    rng = np.random.default_rng(0)
    upside = Image.Exif()
    upside[0x0112] = 6
    frames = [gray, Image.new("RGB", (64, 48), "black")]
    noise = saved(Image.fromarray(rng.integers(0, 255, (480, 640, 3), dtype=np.uint8)), "JPEG")
    return {
        "zero bytes": (bytes(1000), 400),
        "random bytes": (rng.bytes(50_000), 400),
        "a JPEG's first half": (noise[: len(noise) // 2], 400),
        "a JPEG head before random bytes": (noise[:700] + rng.bytes(50_000), 400),
        "25 MB": (bytes(25_000_000), 413),
        "a PNG that claims 3,600 million pixels": (png_of_claimed_size(60_000, 60_000), 413),
        "a PNG of 24 million equal pixels in some KB": (saved(Image.new("RGB", (6000, 4000)), "PNG"), 200),
        "a PNG whose text unpacks to 100 MB": (text_bomb(), 400),
        "a JPEG 60,000 pixels wide": (saved(Image.new("RGB", (60_000, 8), (120,) * 3), "JPEG"), 200),
        "a CMYK JPEG": (saved(gray.convert("CMYK"), "JPEG"), 200),
        "a grayscale JPEG": (saved(gray.convert("L"), "JPEG"), 200),
        "a 16-bit PNG": (saved(Image.fromarray(np.full((48, 64), 0x7800, dtype=np.uint16)), "PNG"), 200),
        "a palette PNG": (saved(gray.convert("P"), "PNG"), 200),
        "a PNG with alpha": (saved(gray.convert("RGBA"), "PNG"), 200),
        "an animated WebP": (saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]), 200),
        "a JPEG that lies on its side": (saved(gray, "JPEG", exif=upside), 200),
        "a GIF": (saved(gray, "GIF"), 400),
        "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 400),
    }


def resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def test_the_whole_corpus_twice_then_a_good_image_and_the_memory_is_back(hostile_server, gray, schema):
    bodies = corpus()
    after = []
    for _ in range(2):
        for name, (body, status) in bodies.items():
            response = hostile_server.post(body)
            assert response.status_code == status, f"{name}: {response.text}"
            schema("answer" if status == 200 else "error", response.json())
            assert "Traceback" not in response.text
        after.append(resident_mb(hostile_server.process.pid))
    assert after[1] < after[0] + NOISE_MB, after
    assert after[1] < MOST_RESIDENT_MB, after
    assert hostile_server.post(gray(120)).json()["count"] == 3


def exchange(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        pieces = []
        while piece := connection.recv(65_536):
            pieces.append(piece)
        return b"".join(pieces)


def request(body: bytes, *headers: bytes) -> bytes:
    lines = [b"POST /invocations HTTP/1.1", b"Host: x", b"Content-Type: image/jpeg", *headers]
    return b"\r\n".join([*lines, b"Connection: close", b"", body])


@pytest.mark.parametrize(
    "header",
    [
        b"X-Amzn-SageMaker-Custom-Attributes: 3\x00",
        b"X-Amzn-SageMaker-Custom-Attributes 3",
        b"X Evil: 1",
    ],
)
def test_headers_that_are_none_are_400(hostile_server, gray, header):
    body = gray(120)
    answer = exchange(hostile_server.port, request(body, header, b"Content-Length: %d" % len(body)))
    assert answer.startswith(b"HTTP/1.1 400 "), answer[:200]


@pytest.mark.parametrize("value", ["3%0d%0aX-Evil: 1", "3\tX-Evil: 1", "expected-count=3\\r\\nX-Evil: 1"])
def test_nothing_of_custom_attributes_becomes_a_header_of_the_answer(hostile_server, gray, schema, value):
    response = hostile_server.post(gray(120), **{ATTRIBUTES: value})
    schema("error", response.json())
    assert response.status_code == 422
    assert "x-evil" not in response.headers


def test_an_id_with_a_header_in_it_is_not_taken(hostile_server, gray):
    response = hostile_server.post(gray(120), X_Amzn_SageMaker_Inference_Id="a\tX-Evil: 1")
    assert response.status_code == 200
    assert "Evil" not in response.text
    assert "x-evil" not in response.headers


@pytest.mark.parametrize(
    "chunks", [b"zz\r\nabc\r\n0\r\n\r\n", b"-1\r\nabc\r\n0\r\n\r\n", b"fffffffffffffffff\r\nabc"]
)
def test_chunks_that_are_none_are_400_or_cut_off(hostile_server, gray, chunks):
    answer = exchange(hostile_server.port, request(chunks, b"Transfer-Encoding: chunked"))
    assert answer.startswith(b"HTTP/1.1 400 ") or answer == b"", answer[:200]
    assert hostile_server.post(gray(120)).json()["count"] == 3


def test_a_length_and_chunks_at_once_are_rejected(hostile_server, gray):
    """Two readings of where a request ends are what request smuggling is made of (RFC 9112, 6.1)."""
    smuggled = b"0\r\n\r\nGET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
    headers = (b"Content-Length: %d" % len(smuggled), b"Transfer-Encoding: chunked")
    answer = exchange(hostile_server.port, request(smuggled, *headers))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"200 OK" not in answer
    assert httpx.get(f"{hostile_server.url}/ping").status_code == 200
