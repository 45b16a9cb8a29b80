"""What the audit takes a label by: images of other blocks alone, and how far the label is from the count."""

import numpy as np

from bincount.audit.features import SHAPE
from bincount.audit.kernel import contents, leave_block_out
from bincount.audit.suspicion import doubt, nearest

BLOCKS = [str(place // 4) for place in range(120)]


def images() -> tuple[np.ndarray, np.ndarray]:
    """Features from which the class of each of 120 images is plain, and the classes."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, len(BLOCKS))
    features = random.normal(0, 0.3, (len(BLOCKS), 8))
    features[np.arange(len(BLOCKS)), labels] += 2
    return (features - features.mean(axis=0)).astype(np.float32), labels


def test_no_image_is_judged_by_a_label_of_its_own_block() -> None:
    features, labels = images()
    other = labels.copy()
    own = np.flatnonzero(np.array(BLOCKS) == "7")
    other[own] = (labels[own] + 1) % 3
    before = leave_block_out(features, labels, BLOCKS, classes=3, seed=0)
    after = leave_block_out(features, other, BLOCKS, classes=3, seed=0)
    # Where one probability is sharper than another for all images alike, their order is the same.
    assert (before[own].argsort(axis=1) == after[own].argsort(axis=1)).all()
    assert (before[own].argmax(axis=1) == labels[own]).all()


def test_many_images_are_fitted_in_shares() -> None:
    features, labels = images()
    found = leave_block_out(features, labels, BLOCKS, classes=3, seed=0, most=50)
    assert (found.argmax(axis=1) == labels).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_images_that_are_all_alike_say_nothing() -> None:
    features, labels = np.zeros((len(BLOCKS), 8), np.float32), images()[1]
    found = leave_block_out(features, labels, BLOCKS, classes=3, seed=0)
    np.testing.assert_allclose(found, 1 / 3, atol=0.1)


def test_an_image_and_its_mirror_image_hold_the_same() -> None:
    maps = np.random.default_rng(0).normal(size=(6, *SHAPE)).astype(np.float16)
    rows = np.arange(6)
    np.testing.assert_allclose(contents(maps, rows), contents(maps[:, :, :, ::-1], rows), atol=1e-3)


def test_a_label_far_from_the_count_is_doubted_more_than_one_next_to_it() -> None:
    # The second and the third label are as likely, and the third is three away from the likeliest count.
    predicted = np.array([[0.1, 0.1, 0.1, 0.7], [0.1, 0.1, 0.1, 0.7], [0.1, 0.1, 0.1, 0.7]])
    labels = np.array([3, 2, 0])
    usual = np.repeat(np.eye(4) * 0.6 + 0.1, 10, axis=0)
    found = doubt(np.vstack([predicted, usual]), np.concatenate([labels, np.repeat(np.arange(4), 10)]))
    assert found[0] < found[1] < found[2]


def test_a_count_that_is_hard_to_see_is_not_doubted_for_that() -> None:
    # All of class 2 are as uncertain as the first; the wrong one of class 0 is no further from its label.
    unsure, sure = [0.1, 0.5, 0.4], [0.9, 0.1, 0.0]
    predicted = np.array([unsure] * 10 + [sure] * 10 + [[0.6, 0.2, 0.2]])
    labels = np.array([2] * 10 + [0] * 11)
    found = doubt(predicted, labels)
    assert found.argmax() == 20 and np.abs(found[:10]).max() < 1e-9


def test_similar_images_are_of_other_blocks_whatever_their_contrast() -> None:
    features, labels = images()
    found = nearest(
        features * np.linspace(1, 9, len(features), dtype=np.float32)[:, None], blocks=BLOCKS, number=3
    )
    own = np.array(BLOCKS)
    assert (own[found] != own[:, None]).all()
    assert (labels[found] == labels[:, None]).mean() > 0.95
