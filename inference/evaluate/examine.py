"""Asks one model about every bin, through the code that answers requests."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from inference.evaluate.bins import Bin
from inference.http.errors import RequestError
from inference.inference import Model, Prediction, input_fn, predict_fn

_BATCH = 64  # images of a batch in memory, for each worker
_JPEG = "image/jpeg"
# What the smoke test sends must pass through InvokeEndpoint, whose limit is 6 MB or less by client.
SENDABLE_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Reply:
    """One model's answer about one bin: the count, and its interval's ends."""

    count: int
    low: int
    high: int


@dataclass(slots=True)
class Examination:
    """One model's replies by bin id, the ids that the server cannot read, and the bin it is surest about."""

    replies: dict[str, Reply] = field(default_factory=dict[str, Reply])
    unreadable: set[str] = field(default_factory=set[str])
    surest: Bin | None = None
    surest_count: int = -1
    _surest_key: tuple[bool, float, str] = (False, -1.0, "")

    def add(self, bin_: Bin, prediction: Prediction | None) -> None:
        """Note a prediction; None where the bin could not be read."""
        if prediction is None:
            self.unreadable.add(bin_.id)
            return
        answer = prediction.answer
        self.replies[bin_.id] = Reply(answer.count, *answer.interval)
        # A right answer before a wrong one, then the surer; the id makes it the same bin every time.
        key = (answer.count == bin_.count, answer.confidence, bin_.id)
        if len(bin_.data) <= SENDABLE_BYTES and key > self._surest_key:
            self.surest, self.surest_count, self._surest_key = bin_, answer.count, key


def examine(model: Model, bins: Iterable[Bin]) -> Examination:
    """Every bin's reply, worked out by as many threads as the server has workers; bins are read as needed."""
    examination = Examination()
    with ThreadPoolExecutor(max_workers=model.engine.workers) as pool:
        for batch in _batches(bins, size=_BATCH * model.engine.workers):
            for bin_, prediction in zip(batch, pool.map(partial(_predict, model), batch), strict=True):
                examination.add(bin_, prediction)
    return examination


def _predict(model: Model, bin_: Bin) -> Prediction | None:
    try:
        return predict_fn(input_fn(bin_.data, _JPEG), model)
    except RequestError:
        return None


def _batches(bins: Iterable[Bin], *, size: int) -> Iterator[list[Bin]]:
    rest = iter(bins)
    while batch := list(islice(rest, size)):
        yield batch
