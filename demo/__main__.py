"""`python -m demo`: deploy, prepare, train, release, count; settings come from the environment."""

import io
import signal
import sys
from types import FrameType

from embedded_cloud.environment import forget_account

from demo.options import DemoError, Options
from demo.run import run

_ENDINGS = (signal.SIGINT, signal.SIGTERM)


def main() -> int:
    """0 when every step succeeded; a failure prints one line that says what to do."""
    forget_account()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a locale without a sign of the table ends no run
    # A terminated demo ends what it started, as an interrupted one does. SIGINT is named too: a shell lets
    # what it starts in the background ignore it.
    for number in _ENDINGS:
        signal.signal(number, _interrupt)
    try:
        run(Options.from_environment())
    except DemoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped: everything that the demo had started was ended", file=sys.stderr)
        return 130
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    # Once is enough: a second one would break off the very ending that it asks for, which takes seconds.
    for each in _ENDINGS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
