"""How well networks count whose ImageNet weights are not trained further: a linear head on their features.

    python benchmarks/frontier_probe.py --dataset DIR --work DIR [--networks efficientnet_lite0 ...]

It takes minutes where training takes hours, and says which features are worth more, not how well a trained
network counts. Every bin is judged once, by a head that learnt from four fifths of the others: blocks of 100
neighbouring ids stay together, and again with bins drawn at random, which shows what a random split flatters.
INT8 is judged on the dataset's own held-out bins, through the export of training. Rows go to
results/accuracy.json; those that are there are not measured again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

# First: it finds the packages, and tells OpenMP not to spin.
from frontier_models import CLASSES, Candidate, export_as

# isort: split
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bintrain.data.dataset import BinImage, read_dataset
from bintrain.data.images import Images
from bintrain.data.labels import soft_labels
from bintrain.engine.heads import build_loss
from bintrain.engine.network import BinCounter

RESULTS = Path(__file__).with_name("results") / "accuracy.json"
TASK = "public-0-to-5"
NETWORKS = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
FROZEN = "frozen"
"""What says that a row is of this program: trained networks are in the same file."""
FOLDS = 5
BLOCK = 100
TURNS = 10_000
CALIBRATION = 300
"""As a job does."""
DECAYS = (1e-3, 1e-2, 1e-1)
"""Of which the head takes the one with the lowest loss on a fifth of what it learns from."""

Integers = NDArray[np.int64]
FIGURES: dict[str, Callable[[Integers], float]] = {
    "accuracy": lambda errors: float((errors == 0).mean()),
    "rmse": lambda errors: float(np.sqrt((errors.astype(float) ** 2).mean())),
    "within_one": lambda errors: float((np.abs(errors) <= 1).mean()),
}


def main() -> None:
    """Measure what is not there yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    images = read_dataset(options.dataset).images
    for candidate in map(Candidate.parse, options.networks):
        if any(row["network"] == candidate.name and FROZEN in row["what"] for row in rows()):
            continue
        found = _probe(candidate, images=images, work=options.work)
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps([*rows(), *found], indent=1) + "\n")


def rows() -> list[dict[str, Any]]:
    """What was measured."""
    return json.loads(RESULTS.read_text()) if RESULTS.is_file() else []


def _probe(candidate: Candidate, *, images: tuple[BinImage, ...], work: Path) -> list[dict[str, Any]]:
    begun = time.process_time()
    network = candidate.build(candidate.settings()).eval()
    everything = Images(images, classes=CLASSES, size=candidate.side, keep=True)
    features, labels = _features(network, everything), torch.tensor(everything.labels)
    shared = time.process_time() - begun
    found: list[dict[str, Any]] = []
    for split, folds in (("block", _blocks(images)), ("random", _at_random(images))):
        begun, answers = time.process_time(), torch.empty_like(labels)
        for fold in range(FOLDS):
            judged = folds == fold
            head = _fit(features[~judged], labels[~judged])
            answers[judged] = head(features[judged]).argmax(1)
        found.append(
            {
                "task": TASK,
                "network": candidate.name,
                "what": f"ImageNet, {FROZEN}, {candidate.side} px, a linear head on features, {FOLDS} folds",
                "split": split,
                "images": len(images) * (FOLDS - 1) // FOLDS,
                "judged": len(images),
                "seeds": 1,
                **spread((answers - labels).numpy()),
                "cpu_seconds": round(shared + time.process_time() - begun),
            }
        )
    found[0]["int8"] = _int8(candidate, network, images=images, head=(features, labels), work=work)
    return found


def _features(network: BinCounter, images: Images) -> Tensor:
    """[N, F]: what the last layer is given."""
    assert images.kept is not None
    layer, seen = cast(nn.Module, network.backbone.get_classifier()), list[Tensor]()  # pyright: ignore
    hook = layer.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.inference_mode():
        for batch in images.kept.split(32):
            network(batch.permute(0, 3, 1, 2).float() / 255)
    hook.remove()
    return torch.cat(seen).clone()


def _blocks(images: tuple[BinImage, ...]) -> Tensor:
    blocks = [int(image.id) // BLOCK for image in images]
    fold = dict(zip(sorted(set(blocks)), _dealt(len(set(blocks))).tolist(), strict=True))
    return torch.tensor([fold[block] for block in blocks])


def _at_random(images: tuple[BinImage, ...]) -> Tensor:
    return _dealt(len(images))


def _dealt(count: int) -> Tensor:
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    return torch.arange(count)[order] % FOLDS


def _fit(features: Tensor, labels: Tensor) -> nn.Linear:
    """A linear layer on features as they are, learnt with the job's soft labels."""
    cut = len(labels) * 4 // 5
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))
    some, others = order[:cut], order[cut:]
    loss = build_loss("soft", targets=soft_labels(CLASSES, sigma=0.7))

    def tried(decay: float) -> float:
        with torch.inference_mode():
            return float(
                loss(_learn(features[some], labels[some], decay=decay)(features[others]), labels[others])
            )

    return _learn(features, labels, decay=min(DECAYS, key=tried))


def _learn(features: Tensor, labels: Tensor, *, decay: float) -> nn.Linear:
    with torch.inference_mode(False), torch.enable_grad():
        mean, std = features.mean(0), features.std(0) + 1e-6
        scaled = (features - mean) / std
        layer = nn.Linear(features.shape[1], len(CLASSES.counts))
        nn.init.zeros_(layer.weight)
        loss = build_loss("soft", targets=soft_labels(CLASSES, sigma=0.7))
        optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=60, line_search_fn="strong_wolfe")

        def step() -> Tensor:
            optimiser.zero_grad()
            value = loss(layer(scaled), labels) + decay * layer.weight.square().sum()
            value.backward()
            return value

        optimiser.step(step)
    with torch.no_grad():
        layer.weight /= std
        layer.bias -= layer.weight @ mean
    return layer


def _int8(
    candidate: Candidate, network: BinCounter, *, images: tuple[BinImage, ...], head: tuple[Tensor, Tensor],
    work: Path,
) -> dict[str, Any]:  # fmt: skip
    """What INT8 changes on the bins that the dataset holds out; both exported as a job exports."""
    learns = torch.tensor([image.split == "train" for image in images])
    layer = cast(nn.Linear, network.backbone.get_classifier())  # pyright: ignore
    layer.load_state_dict(_fit(head[0][learns], head[1][learns]).state_dict())
    train = [image for image in images if image.split == "train"][:CALIBRATION]
    held = [image for image in images if image.split != "train"]
    calibration = Images(train, classes=CLASSES, size=candidate.side, keep=True)
    judged = Images(held, classes=CLASSES, size=candidate.side, keep=True)
    errors: dict[str, Integers] = {}
    for precision, asked in (("INT8", "auto"), ("FP16", "fp16")):
        made = export_as(
            network, settings=candidate.settings(precision=asked, int8_images=CALIBRATION),
            train=calibration, judged=judged, folder=work / "probes" / candidate.name / precision,
        )  # fmt: skip
        errors[precision] = made.validation.argmax(1) - np.asarray(judged.labels)
    drawn = np.random.default_rng(0).integers(len(held), size=(TURNS, len(held)))
    changes: dict[str, Any] = {"judged": len(held)}
    for name, figure in FIGURES.items():
        turns = [figure(errors["INT8"][turn]) - figure(errors["FP16"][turn]) for turn in drawn]
        low, high = np.quantile(turns, (0.025, 0.975))
        changes[name] = {
            "mean": round(figure(errors["INT8"]) - figure(errors["FP16"]), 4),
            "half": round(float(high - low) / 2, 4),
        }
    return changes


def spread(errors: Integers) -> dict[str, dict[str, float]]:
    """Each figure, and half of the range that holds 95 % of bootstraps over the images."""
    drawn = np.random.default_rng(0).integers(len(errors), size=(TURNS, len(errors)))
    found: dict[str, dict[str, float]] = {}
    for name, figure in FIGURES.items():
        low, high = np.quantile([figure(errors[turn]) for turn in drawn], (0.025, 0.975))
        found[name] = {"mean": round(figure(errors), 4), "half": round(float(high - low) / 2, 4)}
    return found


if __name__ == "__main__":
    main()
