"""BinCounter: asks one image or very many, from plain or asynchronous code."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bincount.counting.answer import Count
from bincount.counting.endpoint import Endpoint
from bincount.counting.https_api import HttpsApi
from bincount.counting.image import read_image
from bincount.counting.stream import stream, stream_async
from bincount.errors import BincountError, Refused
from bincount.stage.stage import Stage
from bincount.texts import shortened
from bincount_core.limits import MAX_EXPECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`image` is a file or its bytes; `expected` the number of objects that should be there, if known;
    `explain` asks for where the model looked."""

    id: str
    image: Path | bytes
    expected: int | None = None
    explain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Either an answer or why there is none; `seconds` is the caller's whole wait."""

    question: Question
    answer: Count | None
    error: Refused | None
    seconds: float


class BinCounter:
    """Counts through the stage's SageMaker endpoint or, where `api_url` is given, its HTTPS API.

    `concurrency` is how many images are asked at a time by count_many and acount_many. One object serves any
    number of threads. `close` (or a `with` block) ends its own threads, which asynchronous calls use.

        with BinCounter(stage="dev") as counter:
            answer = counter.count("bin.jpg", expected=3)
    """

    def __init__(
        self,
        *,
        stage: str | Stage = "dev",
        api_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        concurrency: int = 8,
    ) -> None:
        if not 1 <= concurrency <= 256:
            raise BincountError(f"concurrency from 1 to 256 is expected, got {concurrency}")
        if isinstance(stage, str):
            stage = Stage(stage, region=region, profile=profile, connections=concurrency + 2)
        self.concurrency = concurrency
        self._transport = (
            HttpsApi(stage=stage, url=api_url, connections=concurrency)
            if api_url
            else Endpoint(stage=stage, name=stage.prefix)
        )
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="bincount")

    def __enter__(self) -> "BinCounter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the threads; questions that wait are dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def count(
        self, image: Path | str | bytes, *, expected: int | None = None, explain: bool = False
    ) -> Count:
        """The answer for one image: a path or the bytes of a JPEG, PNG or WebP.

        `expected` (0 to 999,999) asks whether so many objects are there, `explain` where the model looked.
        Raises Refused where this image was not counted and BincountError where none could be (no endpoint, no
        credentials, …).
        """
        if expected is not None and not 0 <= expected <= MAX_EXPECTED:
            raise BincountError(f"an expected count from 0 to {MAX_EXPECTED} is expected, got {expected}")
        document = self._transport.ask(read_image(image), expected=expected, explain=explain)
        try:
            return Count.from_json(document)
        except (KeyError, TypeError, ValueError) as error:
            came = shortened(str(document), 200)
            words = f"{type(error).__name__} {error} in {came}: is the server of this version?"
            raise Refused("bad_answer", words) from error

    async def acount(
        self, image: Path | str | bytes, *, expected: int | None = None, explain: bool = False
    ) -> Count:
        """The same from asynchronous code."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._pool, lambda: self.count(image, expected=expected, explain=explain)
        )

    def count_many(self, questions: Iterable[Question]) -> Iterator[Outcome]:
        """Outcomes in the order of completion; `questions` is read as it goes, so it may be endless.

        A refused image is an outcome, not an exception; BincountError ends the stream. Leaving the loop early
        drops what was not asked yet.
        """
        return stream(self._outcome, questions, workers=self.concurrency)

    def acount_many(self, questions: Iterable[Question]) -> AsyncIterator[Outcome]:
        """The same from asynchronous code."""
        return stream_async(self._outcome, questions, pool=self._pool, workers=self.concurrency)

    def _outcome(self, question: Question) -> Outcome:
        started = time.perf_counter()
        answer: Count | None = None
        refused: Refused | None = None
        try:
            answer = self.count(question.image, expected=question.expected, explain=question.explain)
        except Refused as error:
            refused = error
        return Outcome(question=question, answer=answer, error=refused, seconds=time.perf_counter() - started)
