"""Where people read: tables and progress on a terminal, plain lines in a log."""

import sys

from rich.console import Console

_LOG_WIDTH = 160


def screen() -> Console:
    """Standard output."""
    plain = None if sys.stdout.isatty() else _LOG_WIDTH
    return Console(highlight=False, width=plain)


def progress_screen() -> Console:
    """Standard error, so that progress never mixes with results."""
    plain = None if sys.stderr.isatty() else _LOG_WIDTH
    return Console(stderr=True, highlight=False, width=plain)
