"""The health check: whether the model answers, as /ping reports it."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from inference.http.logs import log_event


class Health:
    """Asks the model to answer whenever it has not done so for a while, and believes what it sees.

    Healthy from the first success on; not any more once a probe fails or does not end within `patience`;
    healthy again with the next success.
    """

    def __init__(self, *, probe: Callable[[], Awaitable[object]], every: float, patience: float) -> None:
        """`probe` lets the model answer one known image and raises where it cannot; times are seconds."""
        self._probe = probe
        self._every = every
        self._patience = patience
        self._last_success: float | None = None
        self.healthy = False

    def succeeded(self) -> None:
        """The model has just answered a request."""
        self._last_success = time.monotonic()
        self.healthy = True

    def failed(self) -> None:
        """The model has just failed at a request: look at the next opportunity whether it still answers."""
        self._last_success = None

    async def watch(self) -> None:
        """Look every `every` seconds until the task is cancelled."""
        while True:
            await asyncio.sleep(self._every)
            if self._last_success is None or time.monotonic() - self._last_success > self._every:
                await self.check()

    async def check(self) -> None:
        """Probe once and record what comes of it."""
        try:
            async with asyncio.timeout(self._patience):
                await self._probe()
        except Exception as error:  # whatever stops the model from answering makes it unhealthy
            self.healthy = False
            log_event("unhealthy", error=f"{type(error).__name__}: {error}"[:300])
        else:
            self.succeeded()
