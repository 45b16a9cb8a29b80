"""`python -m local.demo`: deploy, prepare, train, release, count; settings come from the environment."""

import signal
import sys
from types import FrameType

from local.demo.errors import DemoError
from local.demo.options import Options
from local.demo.run import run


def main() -> int:
    """0 when every step succeeded; a failure prints one line that says what to do."""
    # A terminated demo ends what it started, as an interrupted one does.
    signal.signal(signal.SIGTERM, _interrupt)
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
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
