"""The four verbs, with real bytes: model_fn, input_fn, predict_fn, output_fn."""

import io
import json
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bincount_core.model_json import ModelFault
from inference.http.errors import RequestError
from inference.inference import Inputs, Model, input_fn, model_fn, output_fn, predict_fn


@pytest.fixture(scope="module")
def model(model_dir) -> Model:
    return model_fn(model_dir, cpus=1)


def count(body: bytes, model: Model, content_type: str = "image/jpeg") -> int:
    return predict_fn(input_fn(body, content_type), model).answer.count


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("expected", [0, 1, 2, 3, 4, 5])
def test_each_format_is_counted(gray, model, format, expected):
    assert count(gray(expected * 40, format=format), model, f"image/{format.lower()}") == expected


def test_the_format_follows_from_the_bytes_not_from_the_content_type(gray, model):
    assert count(gray(120, format="PNG"), model, "image/jpeg") == 3


def test_the_answer_is_strict_json(gray, model, schema):
    inputs = replace(input_fn(gray(120), "image/jpeg"), expected_count=3, request_id="r-1")
    body, media_type = output_fn(predict_fn(inputs, model), "application/json")
    answer = json.loads(body)
    schema("answer", answer)
    assert media_type == "application/json"
    assert answer["count"] == 3
    assert answer["model"] == "brightness-1"
    assert answer["request_id"] == "r-1"
    assert answer["verification"] == {"expected": 3, "verdict": "match", "probability": answer["confidence"]}


def test_probabilities_are_those_of_the_network(gray, model):
    """At brightness 120 the logits are -2 (i - 3)^2."""
    prediction = predict_fn(input_fn(gray(120, format="PNG"), "image/png"), model)
    powers = np.exp(-2.0 * (np.arange(6) - 3) ** 2)
    assert prediction.answer.probabilities == pytest.approx(powers / powers.sum(), abs=1e-6)


@pytest.mark.parametrize(("rule", "expected"), [(None, 0), ("most_probable", 0), ("median", 1)])
def test_a_model_counts_as_its_model_json_says(make_model, gray, rule, expected):
    """At temperature 20 a black image is 0 with 0.31, 1 with 0.28, 2 with 0.20, and so on."""
    changed = {"temperature": 20.0} if rule is None else {"temperature": 20.0, "answer": rule}
    model = model_fn(make_model(lambda document: document["calibration"].update(changed)), cpus=1)
    prediction = predict_fn(replace(input_fn(gray(0), "image/jpeg"), expected_count=1), model)
    assert prediction.answer.count == expected
    assert prediction.answer.confidence == prediction.answer.probabilities[expected]
    assert output_fn(prediction, "text/plain")[0] == str(expected).encode()


def test_without_an_expected_count_there_is_no_verification(gray, model):
    body, _ = output_fn(predict_fn(input_fn(gray(120), "image/jpeg"), model), None)
    assert "verification" not in json.loads(body)


def test_text_plain_is_the_bare_count(gray, model):
    assert output_fn(predict_fn(input_fn(gray(200), "image/jpeg"), model), "text/plain") == (
        b"5",
        "text/plain",
    )


def test_the_open_top_class_says_at_least_and_asks_for_review(gray, make_model, schema):
    model = model_fn(make_model(lambda d: d["classes"].update(open_top=True)), cpus=1)
    prediction = predict_fn(input_fn(gray(200), "image/jpeg"), model)
    answer = json.loads(output_fn(prediction, None)[0])
    schema("answer", answer)
    assert (answer["count"], answer["at_least"], answer["review"]) == (5, True, True)
    assert output_fn(prediction, "text/plain")[0] == b"5"


@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "image/gif", "application/octet-stream", "image/*"]
)
def test_other_content_types_are_415(gray, content_type):
    assert_error(415, "unsupported_media_type", gray(0), content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        "image/jpeg; charset=binary",
        "IMAGE/JPEG",
        " image/webp ",
        "image/jpg",
        "Image/JPG;name=bin.jpg",
        "image/pjpeg",
        "image/x-png",
    ],
)
def test_a_content_type_may_have_parameters_capitals_and_old_names(gray, content_type):
    assert input_fn(gray(0), content_type).image.width == 64


def test_no_bytes_are_400():
    assert_error(400, "empty_body", b"", "image/jpeg")


@pytest.mark.parametrize(
    "body", [b"hello", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x00\x00\x00WEBP", b"\0" * 999]
)
def test_what_is_no_image_is_400(body):
    assert_error(400, "undecodable_image", body, "image/jpeg")


def test_a_gif_is_no_accepted_image_whatever_it_is_called(encoded):
    assert_error(400, "undecodable_image", encoded(Image.new("P", (9, 9)), "GIF"), "image/png")


def test_too_many_pixels_are_413_by_the_header_alone():
    """A PNG that claims 60,000 x 60,000 pixels and holds one: only a header check can reject it so."""
    buffer = io.BytesIO()
    Image.new("L", (1, 1)).save(buffer, "PNG")
    data = bytearray(buffer.getvalue())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    data[29:33] = _crc(data[12:29])
    assert_error(413, "image_too_large", bytes(data), "image/png")


def test_the_pixel_limit_is_inclusive(gray):
    assert input_fn(gray(0, size=(50, 20)), "image/jpeg", max_pixels=1000).image.height == 20
    with pytest.raises(RequestError) as caught:
        input_fn(gray(0, size=(50, 21)), "image/jpeg", max_pixels=1000)
    assert "50 x 21 = 1050 pixels, at most 1000" in caught.value.message


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_an_image_cut_short_anywhere_is_400(encoded, model, format):
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (48, 64, 3), dtype=np.uint8))
    data = encoded(noise, format)
    for percent in range(0, 98):
        cut = data[: len(data) * percent // 100]
        with pytest.raises(RequestError) as caught:
            count(cut, model)
        assert caught.value.status == 400, f"{format} cut at {percent} %"


@given(st.binary(max_size=2_000))
@settings(max_examples=300, deadline=None)
def test_random_bytes_are_rejected_not_crashed_on(body):
    assert_error(400, None, body, "image/jpeg")


@given(data=st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_images_are_counted_or_rejected(gray, model, data):
    format = data.draw(st.sampled_from(["JPEG", "PNG", "WEBP"]))
    body = bytearray(gray(120, format=format))
    for _ in range(data.draw(st.integers(1, 5))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        prediction = predict_fn(input_fn(bytes(body), "image/png"), model)
    except RequestError as error:
        assert error.status in (400, 413)
    except ValueError as error:
        assert "finite logits" in str(error), (
            "only a damage that turned the image white may reach the network"
        )
    else:
        assert 0 <= prediction.answer.count <= 5


def test_a_network_that_computes_nonsense_is_an_error_not_an_answer(gray, model):
    with pytest.raises(ValueError, match="expected 6 finite logits"):
        count(gray(255), model)


def test_a_directory_without_a_network_is_named(make_model):
    folder = make_model()
    (folder / "model.bin").unlink()
    with pytest.raises(ModelFault, match="expected an OpenVINO IR beside model.json"):
        model_fn(folder)


@pytest.mark.parametrize("kept", [0, 1000])
def test_weights_that_are_cut_off_are_named_with_openvino_s_reason(make_model, kept):
    folder = make_model(slow_layers=1)
    weights = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(weights[:kept])
    with pytest.raises(ModelFault) as caught:
        model_fn(folder)
    assert f"its .bin of {kept} bytes (Incorrect weights in bin file!)" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_network_file_that_is_cut_off_is_named_with_openvino_s_reason(make_model):
    folder = make_model()
    text = (folder / "model.xml").read_text()
    (folder / "model.xml").write_text(text[: len(text) // 2])
    with pytest.raises(ModelFault, match=r"OpenVINO cannot read it .*\(Error parsing"):
        model_fn(folder)


def test_a_network_with_another_number_of_classes_is_rejected(make_model):
    with pytest.raises(ModelFault, match=r"expected an output of float32 \[1,6\] .*got f32 \[1,4\]"):
        model_fn(make_model(classes=4))


def test_a_network_of_another_size_than_model_json_says_is_rejected(make_model):
    with pytest.raises(
        ModelFault, match=r"expected an input of uint8 \[1,32,224,3\] .*got u8 \[\?,32,32,3\]"
    ):
        model_fn(make_model(lambda d: d["preprocessing"].update(width=224)))


def test_a_network_file_that_is_no_network_is_rejected(make_model):
    folder = make_model()
    (folder / "model.xml").write_text("<html></html>")
    with pytest.raises(ModelFault, match="OpenVINO cannot read it"):
        model_fn(folder)


def test_requests_have_ids_of_their_own(gray):
    first, second = (input_fn(gray(0), "image/jpeg") for _ in range(2))
    assert isinstance(first, Inputs)
    assert first.request_id != second.request_id


def assert_error(status: int, code: str | None, body: bytes, content_type: str | None) -> None:
    with pytest.raises(RequestError) as caught:
        input_fn(body, content_type)
    assert caught.value.status == status
    if code:
        assert caught.value.code == code


def _crc(data: bytearray) -> bytes:
    return zlib.crc32(data).to_bytes(4, "big")
