"""One side of the training step's comparison, in a process of its own, so that each runs as it comes.

    python benchmarks/training_step.py seed|ours|ours-bf16 [--frozen]

Takes a step for each line on its standard input and answers with a JSON line: seconds, CPU seconds and minor
page faults of that step. ResNet50 at 224 px, batch 16, on random pixels.

seed       torchvision's network as it comes, FP32, cross entropy, SGD; nothing of this project is imported.
ours       The job's own step: augmentation, soft labels, AdamW, clipping, average of weights, FP32.
ours-bf16  The same with --amp bf16.
"""

import argparse
import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

SIZE = 224
BATCH = 16
SIDES = ("seed", "ours", "ours-bf16")


def main() -> None:
    """Answer each line of stdin with the cost of one step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("side", choices=SIDES)
    parser.add_argument("--frozen", action="store_true", help="train the head alone, as the seed does")
    options = parser.parse_args()
    if options.side == "seed":
        run = _seed_step(frozen=options.frozen)
    else:
        run = _our_step(frozen=options.frozen, amp="bf16" if options.side == "ours-bf16" else "none")
    for _ in sys.stdin:
        wall, cpu, faults = time.perf_counter(), time.process_time(), _faults()
        run()
        spent = {
            "wall": time.perf_counter() - wall,
            "cpu": time.process_time() - cpu,
            "faults": _faults() - faults,
        }
        print(json.dumps(spent), flush=True)


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _seed_step(*, frozen: bool) -> Callable[[], object]:
    import torch
    import torchvision
    from torch import nn

    network = torchvision.models.resnet50(weights=None)
    for parameter in network.parameters():
        parameter.requires_grad = not frozen
    network.fc = nn.Linear(network.fc.in_features, 5)
    network.train()
    optimiser = torch.optim.SGD(
        [parameter for parameter in network.parameters() if parameter.requires_grad], lr=0.01
    )
    pixels, labels = torch.rand(BATCH, 3, SIZE, SIZE), torch.randint(0, 5, (BATCH,))

    def run() -> None:
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(pixels), labels).backward()
        optimiser.step()

    return run


def _our_step(*, frozen: bool, amp: str) -> Callable[[], object]:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "training"))
    import bintrain  # noqa: F401, I001  (first: what it sets is read when torch is loaded)
    import torch
    from bintrain.data.classes import Classes
    from bintrain.data.images import Images
    from bintrain.engine.resources import keep_freed_memory
    from bintrain.engine.network import build_network
    from bintrain.engine.distributed import ALONE
    from bintrain.settings import Machine, Settings
    from bintrain.engine.trainer import Trainer

    warnings.filterwarnings("ignore", message=".*deterministic.*")
    keep_freed_memory()
    torch.use_deterministic_algorithms(True, warn_only=True)  # as the job does
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]
    classes = Classes(counts=(1, 2, 3, 4, 5), open_top=False)
    settings = Settings(pretrained="none", freeze_backbone=frozen, batch_size=BATCH)
    random = Images([], classes=classes, size=SIZE, keep=False)
    random.labels = torch.randint(0, 5, (BATCH,)).tolist()
    random.kept = torch.randint(0, 255, (BATCH, SIZE, SIZE, 3), dtype=torch.uint8)
    network = build_network(settings=settings, classes=5, weights=None)
    trainer = Trainer(
        network=network, classes=classes, settings=settings, machine=Machine.model_validate({"amp": amp}),
        processes=ALONE, train=random, validation=random, checkpoints=None, identity={},
    )  # fmt: skip
    return lambda: trainer.train_epoch(1)  # of one step


if __name__ == "__main__":
    main()
