"""What is provisioned: settings, stacks, constructs."""

import os
from pathlib import Path


def _load_cdk() -> None:
    """Import aws_cdk so that its Node process keeps its cache in build/ instead of the home folder.

    That process takes its environment at the first import of aws_cdk; nothing else sees the change.
    """
    home = os.environ.get("HOME")
    os.environ["HOME"] = str(Path(__file__).resolve().parent.parent / "build" / "home")
    try:
        import aws_cdk  # noqa: F401  # pyright: ignore[reportUnusedImport]
    finally:
        if home is None:
            del os.environ["HOME"]
        else:
            os.environ["HOME"] = home


_load_cdk()
