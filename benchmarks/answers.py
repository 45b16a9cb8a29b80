"""Whether the served model answers what training's FP32 network answers, on bins that it never saw.

    python -m demo.bins.generate --out build/unseen --images 600 --seed 977
    python benchmarks/answers.py --weights OUTPUT/weights.pt --model-dir FP16_DIR INT8_DIR --bins build/unseen

Prints, for torch in FP32 and for each model as served over HTTP, accuracy, RMSE, and the share of bins that
get the same count as from torch.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import urllib3
from servers import ROOT, ours

sys.path.insert(0, str(ROOT / "training"))

import torch  # noqa: E402

from bincount_core.answer import answered  # noqa: E402
from bincount_core.image import read_image  # noqa: E402
from bincount_core.limits import MOST_PIXELS  # noqa: E402
from bincount_core.preprocessing import preprocess  # noqa: E402
from bintrain.engine.network import build_network  # noqa: E402
from bintrain.settings import Settings  # noqa: E402


def main() -> None:
    """Ask all sides about all bins and print the table."""
    options = _parse()
    images = sorted((options.bins / "bin-images").glob("*.jpg"))
    true = np.array([_true_count(options.bins, image) for image in images])
    descriptions = [json.loads((folder / "model.json").read_text()) for folder in options.model_dir]
    torch_counts = _ask_torch(options.weights, descriptions[0], images, head=options.head)
    majority = np.bincount(true).max() / len(true)
    print(f"{len(images)} bins; always the most frequent count: {majority:.1%}\n")
    print("| side | accuracy | RMSE | same count as torch |")
    print("|---|---|---|---|")
    print(f"| torch FP32 | {_scores(torch_counts, true)} | |")
    for folder, description in zip(options.model_dir, descriptions, strict=True):
        counts = _ask_server(folder, images)
        same = np.mean(counts == torch_counts)
        print(f"| served {description['precision']} | {_scores(counts, true)} | {same:.2%} |")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--model-dir", type=Path, required=True, nargs="+")
    parser.add_argument("--bins", type=Path, required=True)
    parser.add_argument("--head", default="soft", help="the head that it was trained with (training.head)")
    return parser.parse_args()


def _true_count(bins: Path, image: Path) -> int:
    return json.loads((bins / "metadata" / f"{image.stem}.json").read_text())["EXPECTED_QUANTITY"]


def _ask_torch(weights: Path, description: dict, images: list[Path], *, head: str) -> np.ndarray:
    """Counts of the trained network itself, in FP32, by training's own preprocessing."""
    counts, size = description["classes"]["counts"], description["preprocessing"]
    calibration = description["calibration"]
    settings = Settings(
        arch=description["architecture"], image_size=size["width"], head=head, pretrained="none"
    )
    network = build_network(settings=settings, classes=len(counts), weights=None).eval()
    network.backbone.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    found: list[int] = []
    with torch.inference_mode():
        for image in images:
            encoded = read_image(image.read_bytes(), max_pixels=MOST_PIXELS)
            pixels = preprocess(encoded, width=size["width"], height=size["height"])
            tensor = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
            logits = network(tensor)[0].double() / calibration["temperature"]
            found.append(counts[int(answered(logits.softmax(0).numpy(), by=calibration["answer"]))])
    return np.array(found)


def _ask_server(model_dir: Path, images: list[Path]) -> np.ndarray:
    headers = {"Content-Type": "image/jpeg", "Accept": "text/plain"}
    with ours(model_dir=model_dir, image=images[0].read_bytes()) as server:
        url = f"{server.url}/invocations"
        answers = [urllib3.request("POST", url, body=path.read_bytes(), headers=headers) for path in images]
    return np.array([int(answer.data) for answer in answers])


def _scores(counts: np.ndarray, true: np.ndarray) -> str:
    return f"{np.mean(counts == true):.1%} | {np.sqrt(np.mean((counts - true) ** 2.0)):.3f}"


if __name__ == "__main__":
    main()
