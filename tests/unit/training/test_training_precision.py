"""INT8 ships where it counts as well as FP32 on `validation`, else FP16 (evaluated through OpenVINO)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import torch
from jsonschema import Draft202012Validator

from bintrain.data.classes import Classes
from bintrain.data.dataset import read_dataset
from bintrain.data.images import Images
from bintrain.engine.network import BinCounter, build_network
from bintrain.export.openvino_model import exported_logits
from bintrain.export.precision import export_model, within_limits
from bintrain.settings import Settings

ROOT = Path(__file__).parents[3]
CLASSES = Classes(counts=(1, 4), open_top=False)
TINY = {"arch": "resnet18", "image_size": 32, "pretrained": "none", "int8_images": 24}


@pytest.fixture(scope="module")
def network() -> BinCounter:
    torch.manual_seed(0)
    return build_network(settings=Settings(**TINY), classes=2, weights=None).eval()


@pytest.fixture
def images(forty_bins: Path) -> dict[str, Images]:
    dataset = read_dataset(forty_bins)
    return {
        name: Images(dataset.split(name), classes=CLASSES, size=32, keep=True)
        for name in ("train", "validation")
    }


def test_int8_within_the_limits_ships_and_is_what_was_evaluated(
    network: BinCounter, images: dict[str, Images], tmp_path: Path
) -> None:
    # Limits that an untrained network's answers cannot break.
    settings = Settings(**TINY, int8_accuracy_loss=1, int8_rmse_growth=100)

    export = export_model(network, images=images, classes=CLASSES, settings=settings, folder=tmp_path)

    graph = ov.Core().read_model(export.path)
    assert export.precision == "INT8"
    assert "FakeQuantize" in {operation.get_type_name() for operation in graph.get_ops()}
    assert graph.input("image").element_type == ov.Type.u8
    assert str(graph.output("logits").partial_shape) == "[?,2]"
    assert np.array_equal(export.validation, exported_logits(export.path, images["validation"]))
    assert export.int8 is not None
    assert (export.int8["shipped"], export.int8["calibration_images"]) == (True, 24)


def test_beyond_the_limits_fp16_ships_and_both_figures_are_kept(
    images: dict[str, Images], tmp_path: Path
) -> None:
    network = _tells_apart(images["validation"])
    assert images["train"].kept is not None
    images["train"].kept.zero_()  # INT8 knows nothing of the range that it will meet

    export = export_model(network, images=images, classes=CLASSES, settings=Settings(**TINY), folder=tmp_path)

    assert export.int8 is not None
    reported = export.int8["validation"]
    assert (export.precision, export.int8["shipped"]) == ("FP16", False)
    assert reported["FP32"] == {"accuracy": 1.0, "rmse": 0.0}
    assert reported["INT8"]["accuracy"] < 0.995
    kinds = {operation.get_type_name() for operation in ov.Core().read_model(export.path).get_ops()}
    assert "FakeQuantize" not in kinds


def _tells_apart(images: Images) -> BinCounter:
    """An untrained network that gives both answers on `images`, which become their labels."""
    torch.manual_seed(0)
    network = build_network(settings=Settings(**TINY), classes=2, weights=None).eval()
    assert images.kept is not None
    pixels = images.kept.permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        head = network.backbone.get_submodule("fc.1")
        assert isinstance(head, torch.nn.Linear)
        head.bias.zero_()
        head.weight[1].zero_()
        # Half way between the lowest and the highest, so that none is on the line.
        logits = network(pixels)[:, 0]
        head.bias[1] = (logits.min() + logits.max()) / 2
        images.labels[:] = network(pixels).argmax(1).tolist()
    return network


@pytest.mark.parametrize(
    ("accuracy", "rmse", "ships"),
    [(0.395, 1.02, True), (0.394, 1.0, False), (0.4, 1.021, False), (0.5, 0.9, True), (0.395, 1.03, False)],
)
def test_the_limits_are_half_a_point_and_two_hundredths(accuracy: float, rmse: float, ships: bool) -> None:
    reference = {"accuracy": 0.4, "rmse": 1.0}

    found = within_limits({"accuracy": accuracy, "rmse": rmse}, reference=reference, settings=Settings())

    assert found is ships


def test_calibration_takes_training_images_the_same_ones_each_time(
    network: BinCounter, images: dict[str, Images], tmp_path: Path
) -> None:
    settings = Settings(**TINY, int8_accuracy_loss=1, int8_rmse_growth=100)

    first = export_model(network, images=images, classes=CLASSES, settings=settings, folder=tmp_path / "a")
    again = export_model(network, images=images, classes=CLASSES, settings=settings, folder=tmp_path / "b")

    assert np.array_equal(first.validation, again.validation)
    assert (tmp_path / "a/model.bin").read_bytes() == (tmp_path / "b/model.bin").read_bytes()


def test_fp16_asked_for_is_fp16_and_nothing_is_tried(
    network: BinCounter, images: dict[str, Images], tmp_path: Path
) -> None:
    settings = Settings(**TINY, precision="fp16")

    export = export_model(network, images=images, classes=CLASSES, settings=settings, folder=tmp_path)

    assert (export.precision, export.int8) == ("FP16", None)


def test_the_server_reads_the_model_that_was_written(forty_bins: Path, tmp_path: Path) -> None:
    flags = {"arch": "resnet18", "image-size": "32", "pretrained": "none", "epochs": "1", "batch-size": "8",
             "dataset": str(forty_bins), "model-dir": str(tmp_path / "model"),
             "output-dir": str(tmp_path / "output"), "int8-accuracy-loss": "1",
             "int8-rmse-growth": "9"}  # fmt: skip
    words = [word for name, value in flags.items() for word in (f"--{name}", value)]
    subprocess.run([sys.executable, ROOT / "training/train.py", *words], check=True, env=os.environ,
                   capture_output=True, timeout=300)  # fmt: skip
    read = (
        "import sys, pathlib, numpy as np\n"
        "from inference.model.engine import Engine\nfrom bincount_core.model_json import read_description\n"
        "folder = pathlib.Path(sys.argv[1])\ndescription = read_description(folder / 'model.json')\n"
        "engine = Engine(folder=folder, description=description, cpus=1)\n"
        "print(description.precision, engine.infer(np.zeros((32, 32, 3), np.uint8))[0].shape)"
    )

    served = subprocess.run([sys.executable, "-c", read, tmp_path / "model"], cwd=ROOT, check=True,
                            capture_output=True, text=True, timeout=120)  # fmt: skip

    assert served.stdout.split("\n")[0] == "INT8 (2,)"
    model = json.loads((tmp_path / "model" / "model.json").read_text())
    schema = json.loads((ROOT / "docs/schemas/model.schema.json").read_text())
    Draft202012Validator(schema).validate(model)
    assert model["int8"]["validation"]["FP32"].keys() == {"accuracy", "rmse"}
