"""Admission of requests: a bounded queue, so that accepted ones are answered within their deadline."""

import math
from collections.abc import Generator
from contextlib import contextmanager

from inference.http.errors import RequestError

_SMOOTHING = 0.1
# Share of the deadline that the expected time may fill: the rest is for estimates that prove too low, since
# what was accepted is answered, be it late: an error after a wait would cost the caller both.
_HEADROOM = 0.75


class Admission:
    """Counts accepted requests and rejects those that could not be answered in time.

    Not thread-safe: it belongs to the event loop.
    """

    def __init__(
        self, *, workers: int, queue_limit: int, deadline_seconds: float, service_seconds: float
    ) -> None:
        """`workers` requests are worked on at once; `service_seconds` is the first estimate of one's work."""
        self._workers = workers
        self._queue_limit = queue_limit
        self._deadline_seconds = deadline_seconds
        self._service_seconds = service_seconds
        self.accepted = 0

    def check(self) -> None:
        """Raise what `accept` would raise now; holds no place (a slow body must not occupy one).

        Raises RequestError 503 `overloaded` where the queue is full, or where the expected time to the answer
        (by the measured time of the requests before it) is over three quarters of the deadline.
        """
        full = self.accepted >= self._workers + self._queue_limit
        if full or self._expected_seconds() > _HEADROOM * self._deadline_seconds:
            raise self._overloaded()

    @contextmanager
    def accept(self) -> Generator[None]:
        """Hold a place; raises RequestError as `check` does."""
        self.check()
        self.accepted += 1
        try:
            yield
        finally:
            self.accepted -= 1

    def served(self, seconds: float) -> None:
        """Learn from the time one worker spent on one request (exponential moving average)."""
        self._service_seconds += _SMOOTHING * (seconds - self._service_seconds)

    def _overloaded(self) -> RequestError:
        wait = max(1, math.ceil(self.accepted * self._service_seconds / self._workers))
        return RequestError(
            503,
            "overloaded",
            f"the server is full ({self.accepted} requests accepted, answers are due within "
            f"{self._deadline_seconds:g} s): try again in {wait} s",
            retry_after=wait,
        )

    def _expected_seconds(self) -> float:
        """Time to the answer of a request that joined now; a free worker takes any request."""
        if self.accepted < self._workers:
            return 0.0
        return (self.accepted / self._workers + 1) * self._service_seconds
