"""A model that counts brightness (40 steps an object), and images of which the count is known."""

import io
import json
import tarfile
import tempfile
from pathlib import Path

import openvino as ov
from PIL import Image

from tests.unit.inference.conftest import MODEL_JSON, brightness_network


def model_archive() -> bytes:
    """A model.tar.gz as training writes it, made in a moment."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        network = brightness_network(classes=len(MODEL_JSON["classes"]["counts"]))
        ov.save_model(network, folder / "model.xml", compress_to_fp16=False)
        (folder / "model.json").write_text(json.dumps(MODEL_JSON))
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            for path in sorted(folder.iterdir()):
                tar.add(path, arcname=path.name)
    return archive.getvalue()


def bin_image(count: int, *, format: str = "JPEG") -> bytes:
    """An image that shows `count` objects to the model above."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (count * 40,) * 3).save(buffer, format)
    return buffer.getvalue()
