"""Where the model looked: the map of a network that can be worked out by hand, and what has none."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops
from PIL import Image

from inference.inference import Model, input_fn, model_fn, output_fn, predict_fn
from inference.model.activation_map import MOST_SIDE, NoExactMap, add_map
from tests.unit.inference.conftest import MODEL_JSON, SIZE, Running, encode

STEP = 40
CLASSES = 6
PLACE = 8
"""Pixels of a place's side: four by four places."""


def pooling_network(*, size: int = SIZE, axes: tuple[int, ...] = (2, 3), hidden: bool = False) -> ov.Model:
    """Counts mean brightness in steps of 40, as a pooled map before a linear layer: logit k is 2 k x - k k.

    x is brightness / 40, so the logits are those of -(x - k) squared, less what is the same for all.
    """
    image = ops.parameter([-1, size, size, 3], ov.Type.u8, name="image")
    levels = ops.divide(ops.convert(ops.transpose(image, np.array([0, 3, 1, 2])), "f32"), np.float32(STEP))
    places = ops.avg_pool(levels, [PLACE, PLACE], [0, 0], [0, 0], [PLACE, PLACE], False)
    pooled = ops.reduce_mean(places, np.array(axes), keep_dims=True)
    features: Any = ops.reshape(pooled, np.array([0, -1]), special_zero=True)
    if hidden:
        features = ops.relu(features)
    numbers = np.arange(CLASSES, dtype=np.float32)
    width = {(2, 3): 3, (2,): 3 * size // PLACE, (1, 2, 3): 1}[axes]
    weights = np.repeat(2 * numbers[:, None] / width, width, axis=1)
    logits = ops.add(ops.matmul(features, weights, False, True), -(numbers**2)[None])
    logits.output(0).set_names({"logits"})
    return ov.Model([logits], [image], "pooling")


def pooling_model(folder: Path) -> Path:
    """The folder of a model that has a map."""
    ov.save_model(pooling_network(), folder / "model.xml", compress_to_fp16=False)
    (folder / "model.json").write_text(json.dumps(MODEL_JSON))
    return folder


def left_bright_image(*, size: int = SIZE) -> bytes:
    """A PNG of brightness 200 on the left half, 40 on the right: 3 objects on average."""
    pixels = np.full((size, size, 3), STEP, dtype=np.uint8)
    pixels[:, : size // 2] = 5 * STEP
    return encode(Image.fromarray(pixels), "PNG")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return model_fn(pooling_model(tmp_path_factory.mktemp("pooling")), cpus=1)


@pytest.fixture
def left_is_bright() -> bytes:
    return left_bright_image()


def answered(model: Model, image: bytes, *, explain: bool, accept: str = "application/json") -> str:
    inputs = replace(input_fn(image, "image/png"), explain=explain)
    return output_fn(predict_fn(inputs, model), accept)[0].decode()


def test_the_map_says_what_each_place_gives_to_the_count(model, left_is_bright, schema) -> None:
    document = json.loads(answered(model, left_is_bright, explain=True))

    schema("answer", document)
    assert document["count"] == 3
    # Logit 3 is 6 x - 9: 30 and 6 of the bright and the dark places, 9 on average, as 6 * 3 - 9.
    assert document["explanation"] == {"count": 3, "map": [[30.0, 30.0, 6.0, 6.0]] * 4, "bias": -9.0}


def test_an_answer_is_the_same_with_and_without_its_map(model, left_is_bright) -> None:
    plain = json.loads(answered(model, left_is_bright, explain=False))
    mapped = json.loads(answered(model, left_is_bright, explain=True))

    assert "explanation" not in plain
    ours = ("request_id", "explanation")
    assert {k: v for k, v in mapped.items() if k not in ours} == {
        k: v for k, v in plain.items() if k not in ours
    }


def test_a_bare_number_has_no_map(model, left_is_bright) -> None:
    assert answered(model, left_is_bright, explain=True, accept="text/plain") == "3"


@pytest.mark.parametrize(
    "network", [{"axes": (2,)}, {"axes": (1, 2, 3)}, {"hidden": True}], ids=["rows", "channels", "relu"]
)
def test_a_network_of_another_form_has_no_map(network) -> None:
    other = pooling_network(**network)
    other.reshape([1, SIZE, SIZE, 3])

    with pytest.raises(NoExactMap, match="no exact map"):
        add_map(other)

    assert len(other.outputs) == 1


def test_a_map_too_large_for_an_answer_is_none() -> None:
    large = pooling_network(size=PLACE * (MOST_SIDE + 1))
    large.reshape([1, PLACE * (MOST_SIDE + 1), PLACE * (MOST_SIDE + 1), 3])

    with pytest.raises(NoExactMap, match="33 x 33 places, an answer takes 32 a side"):
        add_map(large)


def test_a_server_without_a_map_counts_and_says_why(server: Running, gray, schema) -> None:
    response = server.post(gray(120), X_Amzn_SageMaker_Custom_Attributes="expected-count=3,explain=1")

    assert response.status_code == 200
    document = response.json()
    schema("answer", document)
    assert document["verification"]["verdict"] == "match"
    assert document["explanation"].keys() == {"count", "reason"}
    assert "no exact map" in document["explanation"]["reason"]


def test_a_bad_wish_is_answered_before_the_image_is_read(server: Running, schema) -> None:
    response = server.post(b"no image", X_Amzn_SageMaker_Custom_Attributes="explain=yes")

    assert response.status_code == 422
    schema("error", response.json())
    assert response.json()["error"]["code"] == "bad_explain"
