"""A few examples of each count, small, for the dataset's report."""

import base64
import heapq

from data_prep.images import thumbnail
from data_prep.run import Run
from data_prep.select.draws import draw_of
from data_prep.storage.lines import Line
from data_prep.storage.parallel import map_ordered
from data_prep.storage.s3_store import CONNECTIONS

EXAMPLES = 8
"""Images of each count."""

_HEIGHT = 120


class Gallery:
    """Keeps, of all records it is shown, the same few of each count in every run."""

    def __init__(self) -> None:
        self._kept: dict[int, list[tuple[int, str, Line]]] = {}

    def consider(self, record: Line) -> None:
        """Keep the record if its draw is among the lowest of its count."""
        heap = self._kept.setdefault(record["count"], [])
        entry = (-draw_of(record["id"], purpose="gallery"), record["id"], record)
        if len(heap) < EXAMPLES:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)

    def thumbnails(self, run: Run) -> dict[int, list[tuple[str, str]]]:
        """By count: ids and their thumbnails as data URIs, 120 pixels high. Reads them from the dataset."""
        chosen = [
            (count, identity, record)
            for count, kept in sorted(self._kept.items())
            for _, identity, record in sorted(kept)
        ]
        keys = [run.staged_key(record) for *_, record in chosen]
        shown: dict[int, list[tuple[str, str]]] = {}
        thumbnails = map_ordered(lambda key: _thumbnail(run.target.read(key)), keys, workers=CONNECTIONS)
        for (count, identity, _), small in zip(chosen, thumbnails, strict=True):
            shown.setdefault(count, []).append((identity, small))
        return shown


def _thumbnail(data: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(thumbnail(data, height=_HEIGHT)).decode()
