"""Classes and the soft labels over them."""

import pytest
import torch
from scipy.stats import norm

from bintrain.data.classes import Classes, choose_classes
from bintrain.data.labels import soft_labels
from bintrain.errors import TrainingError


def test_classes_are_the_counts_that_occur_in_ascending_order() -> None:
    classes = choose_classes([4, 1, 1, 2], max_count=5)

    assert classes == Classes(counts=(1, 2, 4), open_top=False)
    assert [classes.index(count) for count in (1, 2, 4)] == [0, 1, 2]
    with pytest.raises(KeyError):
        classes.index(3)
    with pytest.raises(KeyError):
        classes.index(5)


def test_larger_counts_form_the_open_top_class() -> None:
    classes = choose_classes([0, 1, 5, 9, 17], max_count=5)

    assert classes == Classes(counts=(0, 1, 5, 6), open_top=True)
    assert [classes.index(count) for count in (5, 6, 7, 400)] == [2, 3, 3, 3]


def test_one_class_cannot_be_learned() -> None:
    with pytest.raises(TrainingError, match="at least two classes; with --max-count 5 it has \\[3\\]"):
        choose_classes([3, 3], max_count=5)


def test_soft_labels_are_a_gaussian_over_the_counts() -> None:
    labels = soft_labels(Classes(counts=(0, 1, 2, 4), open_top=False), sigma=0.7)

    densities = norm.pdf([0, 1, 2, 4], loc=1, scale=0.7)
    assert labels[1].tolist() == pytest.approx((densities / densities.sum()).tolist(), abs=1e-6)
    assert labels.sum(dim=1).tolist() == pytest.approx([1] * 4)
    assert labels.argmax(dim=1).tolist() == [0, 1, 2, 3]


def test_without_a_width_labels_are_hard() -> None:
    assert torch.equal(soft_labels(Classes(counts=(1, 2), open_top=False), sigma=0), torch.eye(2))
