"""The running model: loading, the workers that answer, and the state that /ping reports."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import simplejpeg

from inference.http.admission import Admission
from inference.http.errors import RequestError
from inference.http.health import Health
from inference.http.logs import log_event
from inference.inference import Model, Prediction, input_fn, model_fn, predict_fn
from inference.settings import Settings

State = Literal["loading", "ready", "unhealthy", "draining"]

PROBE_EVERY_SECONDS = 5.0
_WARM_UP_SIZE = (348, 465, 3)
_NICE = 10

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Question:
    """One request after its headers were checked."""

    body: bytes
    content_type: str | None
    expected_count: int | None
    request_id: str
    explain: bool = False


class Service:
    """A model that is loaded once and then answers questions in worker threads."""

    def __init__(self, *, model_dir: Path, settings: Settings) -> None:
        self._model_dir = model_dir
        self._settings = settings
        self._model: Model | None = None
        self._admission: Admission | None = None
        self._workers: ThreadPoolExecutor | None = None
        self.draining = False
        self.health = Health(
            probe=self._probe,
            every=PROBE_EVERY_SECONDS,
            patience=PROBE_EVERY_SECONDS + settings.deadline_seconds,
        )

    @property
    def state(self) -> State:
        """What this server can do now."""
        if self.draining:
            return "draining"
        if self._admission is None:
            return "loading"
        return "ready" if self.health.healthy else "unhealthy"

    @property
    def model_id(self) -> str | None:
        """The id of the loaded model; None before it is loaded."""
        return self._model.description.model_id if self._model else None

    async def load(self) -> None:
        """Load the model and let it answer a warm-up image in every worker; then the service is ready.

        Raises ModelFault where the model directory cannot be served.
        """
        started = time.perf_counter()
        model = await asyncio.to_thread(self._load_behind)
        count = model.engine.workers
        self._model = model
        self._workers = ThreadPoolExecutor(count, thread_name_prefix="worker", initializer=_lower_priority)
        await self._probe()
        await asyncio.gather(*(self._probe() for _ in range(2 * count)))
        warm = time.perf_counter()
        await self._probe()
        self._admission = Admission(
            workers=count,
            queue_limit=self._settings.queue_limit,
            deadline_seconds=self._settings.deadline_seconds,
            service_seconds=time.perf_counter() - warm,
        )
        self.health.succeeded()
        seconds = round(time.perf_counter() - started, 3)
        log_event("ready", model=self.model_id, workers=count, load_seconds=seconds)

    def check(self) -> None:
        """Raise RequestError 503 where a question would get no answer now: loading, draining or full.

        Called before a body is read: an error response costs the server no more than the headers then.
        """
        self._admitting().check()

    async def answer(self, question: Question) -> Prediction:
        """Answer one question; what was accepted is answered.

        Raises RequestError: what `check` raises, and what input_fn and predict_fn raise.
        """
        admission = self._admitting()
        assert self._model is not None
        with admission.accept():
            try:
                prediction, seconds = await self._in_worker(self._work, self._model, question)
            except RequestError:
                raise
            except Exception:
                self.health.failed()
                raise
        admission.served(seconds)
        self.health.succeeded()
        return prediction

    def _admitting(self) -> Admission:
        if self.draining:
            raise RequestError(
                503, "draining", "the server is shutting down: try again in 1 s", retry_after=1
            )
        if self._admission is None:
            raise RequestError(503, "loading", "the model is still loading: try again in 2 s", retry_after=2)
        return self._admission

    def _load_behind(self) -> Model:
        _lower_priority()
        return model_fn(self._model_dir, cpus=self._settings.cpus or None)

    async def _in_worker(self, work: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._workers, work, *arguments)

    def _work(self, model: Model, question: Question) -> tuple[Prediction, float]:
        """One question in a worker thread: its prediction, and the seconds it took."""
        started = time.monotonic()
        inputs = input_fn(question.body, question.content_type, max_pixels=self._settings.max_pixels)
        inputs = replace(
            inputs,
            expected_count=question.expected_count,
            every_verification=self._settings.batch,
            explain=question.explain,
            request_id=question.request_id,
        )
        return predict_fn(inputs, model), time.monotonic() - started

    async def _probe(self) -> None:
        assert self._model is not None
        await self._in_worker(predict_fn, input_fn(_warm_up_image(), "image/jpeg"), self._model)


def _lower_priority() -> None:
    """Let this thread, and OpenVINO's threads that it starts, give way to the one that talks HTTP.

    All CPUs are busy with inference under load; an error response or a ping must not wait for its turn.
    On Linux a thread has a nice value of its own (setpriority(2)).
    """
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _warm_up_image() -> bytes:
    """A JPEG of a usual size with some structure, made here so that no file has to come along."""
    ramp = np.linspace(0, 255, num=np.prod(_WARM_UP_SIZE), dtype=np.uint8).reshape(_WARM_UP_SIZE)
    return simplejpeg.encode_jpeg(ramp, quality=90)
