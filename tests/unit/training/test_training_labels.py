"""What the loss knows of counts."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bintrain.data.classes import Classes
from bintrain.data.labels import log_priors

CLASSES = Classes(counts=(1, 2, 5), open_top=False)


def test_priors_are_the_classes_shares_of_the_training_images() -> None:
    assert log_priors([0, 0, 0, 1, 2, 2], classes=CLASSES).exp().tolist() == pytest.approx(
        [1 / 2, 1 / 6, 1 / 3]
    )


def test_adjusted_training_makes_rare_counts_as_likely_as_the_others() -> None:
    # A net that sees nothing learns the shares; with the adjustment its plain logits are equal.
    labels = torch.tensor([0] * 80 + [1] * 15 + [2] * 5)
    bias = torch.nn.Parameter(torch.zeros(3))
    adjustment = log_priors(labels.tolist(), classes=CLASSES)
    optimiser = torch.optim.SGD([bias], lr=2.0)
    for _ in range(300):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy((bias + adjustment).expand(100, 3), labels).backward()
        optimiser.step()

    assert torch.softmax(bias, 0).tolist() == pytest.approx([1 / 3] * 3, abs=0.01)


def test_the_flags_bounds_can_be_read_without_torch() -> None:
    training = Path(__file__).parents[3] / "training"
    code = "import sys, bintrain.settings, bintrain.flags; print('torch' in sys.modules)"

    result = subprocess.run(
        [sys.executable, "-c", code], cwd=training, capture_output=True, text=True, check=True
    )

    assert result.stdout == "False\n"
