"""Draws docs/page.png: the page of `make try` with a counted example, as a browser shows it.

python -m tests.browser.picture
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests.browser.look import play
from tests.browser.served import ROOT

PICTURE = ROOT / "docs" / "page.png"
_BOX = (160, 0, 1120, 800)
_COLOURS = 128


def main() -> None:
    """Start the page, count the first example, keep what the screen shows."""
    command = [sys.executable, "-m", "demo.page"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process,
    ):
        assert process.stdout is not None
        try:
            address = next(found[0] for line in process.stdout if (found := re.search(r"http://\S+", line)))
            count = {"click": "#example-list li:nth-child(1) button"}, {"see": ["#headline", "Matches"]}
            play(address, Path(folder), *count, {"shot": "page"})
        finally:
            process.terminate()
        with Image.open(Path(folder) / "page.png") as shot:
            shot.crop(_BOX).convert("RGB").quantize(_COLOURS).save(PICTURE, optimize=True)
    print(f"{PICTURE} is drawn: look at it, then commit it")


if __name__ == "__main__":
    main()
