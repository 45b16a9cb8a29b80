"""`python -m demo.page` (`make try`): the page before an inference server, both on this machine."""

import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from bincount.errors import BincountError
from bincount.page.app import Page
from bincount.page.label import LabelFolder
from bincount.page.serve import listen, serve_page, web_folder
from bincount.page.upstream import InferenceServer as Upstream
from demo.options import ROOT, DemoError
from demo.page import examples
from demo.page.inference_server import InferenceServer
from demo.page.options import Options, model_folder


def main() -> int:
    """0 after Ctrl-C; a failure prints one line that says what to do."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        run(Options.from_environment())
    except (DemoError, BincountError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nended", file=sys.stderr)
    return 0


def run(options: Options) -> None:
    """Start the inference server, then the page before it; returns or raises KeyboardInterrupt at the end."""
    drawn = options.is_drawn
    facts = {"drawn": drawn, "examples": examples.read() if drawn else []}
    labels = options.out / "labels"
    listener = listen(options.port)
    with tempfile.TemporaryDirectory(prefix="bincount-model-") as scratch:
        model = model_folder(options.model, scratch=Path(scratch))
        with InferenceServer(model=model, log=options.out / "server.log") as server:
            page = Page(
                web=web_folder(),
                counter=Upstream(server.wait()),
                labels=LabelFolder(labels),
                facts=facts,
                examples=examples.FOLDER if drawn else None,
            )
            serve_page(
                page, listener=listener, started=lambda address: _say(address, labels=labels, drawn=drawn)
            )


def _say(address: str, *, labels: Path, drawn: bool) -> None:
    model = "a small model that learned from drawn bins; MODEL=DIR takes another" if drawn else "your model"
    print(f"\n  {address}\n\nThe page counts with {model}.", flush=True)
    print(f"Corrections are kept in {labels.relative_to(ROOT)}. Ctrl-C ends it.", flush=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
