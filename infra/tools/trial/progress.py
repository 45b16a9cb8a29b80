"""What a person sees of a trial: a line a step with its time, and what it is doing meanwhile."""

import time


class Progress:
    """Lines on standard output, each with the time since the trial's start."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """A line with the elapsed time."""
        seconds = int(time.monotonic() - self._began)
        print(f"[{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}] {text}", flush=True)

    def detail(self, text: str) -> None:
        """What a step is at."""
        self.say(f"    {text}")
