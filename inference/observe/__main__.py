"""The program of drift's processing job: the images of one night, as the model sees them.

python -m inference.observe --input /opt/ml/processing/input --output /opt/ml/processing/output

Below the input: `images/<request id>/image.jpg` (.png, .webp; the folder's name is quoted as in the bucket)
and `model/model.tar.gz`. Writes observations.jsonl.gz and about.json. Exit status 0, or 1 with one line on
stderr.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from bincount_core.model_json import ModelFault
from inference.evaluate.archive import unpack
from inference.evaluate.errors import EvaluationError
from inference.observe.observe import Observer, write_observations

_KEPT: list[Observer] = []  # see inference/evaluate/__main__.py


def main(arguments: list[str]) -> int:
    """Observe and write; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m inference.observe", description=__doc__)
    parser.add_argument("--input", type=Path, required=True, help="folder with the inputs")
    parser.add_argument("--output", type=Path, required=True, help="folder for the observations")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            observer = Observer(
                unpack(options.input / "model" / "model.tar.gz", target=Path(scratch) / "model")
            )
            _KEPT.append(observer)
            about = write_observations(observer, _images(options.input / "images"), folder=options.output)
    except (EvaluationError, ModelFault, OSError) as error:
        print(f"bincount: {error}", file=sys.stderr, flush=True)
        return 1
    print(f"bincount: {about['images']} images observed, {about['unreadable']} unreadable", flush=True)
    return 0


def _images(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.glob("*/image.*")):
        yield unquote(path.parent.name), path.read_bytes()


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)  # as the gate's program ends
