"""The images that a person should look at next, the least sure first, and no bin twice."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from bincount.propose.alike import Hash, Seen, hash_of
from bincount.propose.kept import WORKERS, KeptImage, list_kept, read_kept
from bincount.propose.score import RULE, SCORES
from bincount.propose.taken import take, taken_by_others
from bincount.stage.objects import read_if_there
from bincount.stage.stage import Stage

DAYS = 14
MOST_LOOKED_AT = 1_000
"""Labelled images, the newest, whose bins are not proposed again."""
MOST_READ = 20_000
"""Answers, the newest, of which is chosen: to read more takes minutes."""
_BEST, _LEAST_BEST = 20, 2_000
"""So many times what is wanted, or so many, are looked at for the same bin."""
_AHEAD = 64
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An answer that waits for a person. `score` is the rule's: it orders, and means nothing by itself."""

    kept: KeptImage
    score: float

    def to_json(self) -> dict[str, Any]:
        """What a page and a table show of it."""
        answer = self.kept.answer
        return {
            "request_id": self.kept.request_id,
            "answered_at": self.kept.answered_at,
            "answer": answer,
            "score": round(self.score, 4),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """In order. `waiting` is the number of images without a label: `others` of these were proposed to others,
    `alike` show a bin that is proposed or was labelled, `unreadable` are no images."""

    bucket: str
    rows: list[Proposal]
    waiting: int
    others: int
    alike: int
    unreadable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was read already and never changes: answers by folder, hashes by key; some 2 KB an image."""

    answers: dict[str, KeptImage] = field(default_factory=dict[str, KeptImage])
    hashes: dict[str, Hash | None] = field(default_factory=dict[str, "Hash | None"])


def propose(
    stage: Stage,
    number: int,
    *,
    by: str = "",
    days: int = DAYS,
    rule: str = RULE,
    keep: bool = True,
    progress: Progress = lambda doing, done, of: None,
    known: Known | None = None,
) -> Proposals:
    """At most `number` of the images that were kept in the last `days` and that nobody has labelled.

    What was proposed to others than `by` a short while ago is left out; `keep` writes down what is proposed
    now. The same call gives the same again, less what was labelled in between. `known` is kept by who calls
    more than once. Raises BincountError.
    """
    now, known = datetime.now(UTC), known or Known()
    s3, bucket = stage.client("s3"), stage.bucket
    listed = list_kept(s3, bucket, since=now - timedelta(days=days))
    newest = listed.unlabelled[:MOST_READ]
    others = taken_by_others(s3, bucket, by=by, now=now)
    free = [name for name in newest if unquote(name) not in others]

    def scored() -> Iterator[Proposal]:
        for done, kept in enumerate(read_kept(s3, bucket, free, known=known.answers)):
            progress("reading answers", done + 1, len(free))
            yield Proposal(kept=kept, score=SCORES[rule](kept.probabilities))

    # Of equal scores the newest first, so that the order is the same at every call.
    best = heapq.nlargest(max(_LEAST_BEST, _BEST * number), scored(), key=_rank)
    images = _Images(s3, bucket, known)
    seen = _looked_at(images, listed.labelled[:MOST_LOOKED_AT], progress=progress)
    rows, alike, unreadable = list[Proposal](), 0, 0
    for each, value in images.hashed(best):
        if value is None:
            unreadable += 1
        elif seen.has(value):
            alike += 1
        else:
            seen.add(value)
            rows.append(each)
            progress("looking for the same bin", len(rows), number)
        if len(rows) == number:
            break
    if keep and rows:
        take(s3, bucket, [each.kept.request_id for each in rows], by=by, now=now)
    return Proposals(
        bucket=bucket,
        rows=rows,
        waiting=len(listed.unlabelled),
        others=len(newest) - len(free),
        alike=alike,
        unreadable=unreadable,
    )


def _rank(proposal: Proposal) -> tuple[float, str, str]:
    return proposal.score, proposal.kept.answered_at, proposal.kept.request_id


class _Images:
    def __init__(self, s3: Any, bucket: str, known: Known) -> None:
        self.s3, self.bucket, self.known = s3, bucket, known

    def hashed(self, proposals: Sequence[Proposal]) -> Iterator[tuple[Proposal, Hash | None]]:
        """Each with its image's hash, in order; some are fetched ahead. None where it is no image."""
        with ThreadPoolExecutor(WORKERS) as pool:
            for start in range(0, len(proposals), _AHEAD):
                some = proposals[start : start + _AHEAD]
                yield from zip(some, pool.map(self._hash, some), strict=True)

    def _hash(self, one: Proposal) -> Hash | None:
        key, hashes = one.kept.image, self.known.hashes
        if key not in hashes:
            data = read_if_there(self.s3, self.bucket, key)
            hashes[key] = None if data is None else hash_of(data)
        return hashes[key]


def _looked_at(images: _Images, names: Sequence[str], *, progress: Progress) -> Seen:
    """The bins of labelled images: they are not proposed again."""
    seen = Seen()
    kept = read_kept(images.s3, images.bucket, names, known=images.known.answers)
    labelled = [Proposal(kept=each, score=0) for each in kept]
    for done, (_, value) in enumerate(images.hashed(labelled)):
        progress("looking at labelled images", done + 1, len(labelled))
        if value is not None:
            seen.add(value)
    return seen
