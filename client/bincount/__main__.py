"""`python -m bincount` and the command `bincount`: the command line."""

import sys

INTERRUPTED = 130


def run() -> None:
    """The command line; Ctrl-C ends it in silence also while its libraries are still being loaded."""
    try:
        from bincount.cli.main import main  # takes about a second: inside the try, therefore
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    main()


if __name__ == "__main__":
    run()
