"""The sealed dataset that the pipeline made, as the demo needs it: its majority, its test images."""

from collections import Counter

from bincount.datasets.dataset import Dataset as SealedDataset
from demo.source import Bin


class Dataset(SealedDataset):
    """The latest sealed dataset of a stage."""

    def majority(self) -> int:
        """The count that is most frequent among the training images (ties: the lower one)."""
        train = Counter(image.count for image in self.split("train"))
        return min(train, key=lambda count: (-train[count], count))

    def test_bins(self) -> list[Bin]:
        """The bins kept for the published figures: no model was trained on or chosen by them."""
        return [Bin(id=image.id, count=image.count, jpeg=self.read(image)) for image in self.split("test")]
