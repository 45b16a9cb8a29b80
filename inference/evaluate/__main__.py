"""The program of the gate's processing job.

python -m inference.evaluate --input /opt/ml/processing/input --output /opt/ml/processing/output \\
    --dataset-id bins-0123456789ab --challenger s3://…/model.tar.gz --champion none

Below the input: `bins/` (images or shards), `manifest/manifest.jsonl.gz`, `challenger/model.tar.gz` and,
where a model serves, `champion/model.tar.gz`. Writes verdict.json, report.html and smoke.jpg, and with
`--baseline` what some of the bins look like to the challenger (`<model id>/` there; monitoring/drift compares
production with it). Exit status 0 with a verdict, whichever it is; 1 with one line on stderr where there is
none.
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bincount_core.model_json import ModelFault
from inference.evaluate.archive import unpack
from inference.evaluate.bins import Bin, Labels, read_labels, stream_bins
from inference.evaluate.compare import Evaluated
from inference.evaluate.errors import EvaluationError
from inference.evaluate.examine import Examination, examine
from inference.evaluate.page import page
from inference.evaluate.verdict import Rules, evaluate_challenger
from inference.inference import Model, model_fn
from inference.observe.observe import Observer, write_observations

NO_CHAMPION = "none"
SCHEMA_VERSION = 1
# More unreadable bins than this are no longer single damaged files.
MOST_UNREADABLE = 0.01
# OpenVINO (2026.4.1) corrupts the heap now and then where a model is destroyed while the threads that used it
# still end (seen here in one of eight runs). Models live as long as the process, which ends by os._exit.
_KEPT: list[Model] = []
_KEPT_OBSERVERS: list[Observer] = []
FEWEST_OF_FIELD = 200  # half of a baseline is compared, and nothing below 100 (monitoring/drift)
_MESSAGE_CHARACTERS = 1000  # SageMaker shows at most 1 KB of it


def main(arguments: list[str]) -> int:
    """Evaluate and write the verdict; the exit status."""
    options = _parse(arguments)
    try:
        verdict = run(options)
    except (EvaluationError, ModelFault, OSError) as error:
        _write_message(options.message, f"no verdict: {error}")
        print(f"bincount: {error}", file=sys.stderr, flush=True)
        return 1
    word = "accepted" if verdict["accepted"] else f"rejected: {'; '.join(verdict['reasons'])}"
    if verdict["accepted"] and verdict["needs_person"]:
        word += f", needs a person: {'; '.join(verdict['needs_person'])}"
    _write_message(options.message, word)
    print(json.dumps({"event": "verdict", **verdict}), flush=True)
    return 0


def run(options: argparse.Namespace) -> dict[str, Any]:
    """The verdict, written to the output folder, verdict.json last. EvaluationError, ModelFault, OSError."""
    labels = read_labels(options.input / "manifest" / "manifest.jsonl.gz")
    with tempfile.TemporaryDirectory() as scratch:
        challenger = _examine(options, "challenger", labels, Path(scratch))
        _observe(options, labels, Path(scratch) / "challenger")
        champion = (
            None if options.champion == NO_CHAMPION else _examine(options, "champion", labels, Path(scratch))
        )
    smoke = challenger.examination.surest
    if smoke is None:
        raise EvaluationError(
            "no bin is small enough to be sent to an endpoint: expected one of at most 4 MB"
        )
    verdict: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "dataset_id": options.dataset_id,
        **evaluate_challenger(
            labels=labels,
            challenger=challenger,
            champion=champion,
            rules=_rules(options),
            part_loss=options.part_loss,
        ),
        "smoke": {
            "image": "smoke.jpg",
            "sha256": hashlib.sha256(smoke.data).hexdigest(),
            "count": challenger.examination.surest_count,
            "model": challenger.description.model_id,
        },
    }
    for role in ("challenger", "champion"):
        if verdict[role] is not None:
            verdict[role]["model_data"] = getattr(options, role)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "smoke.jpg").write_bytes(smoke.data)
    (options.output / "report.html").write_text(page(verdict), encoding="utf-8")
    (options.output / "verdict.json").write_text(json.dumps(verdict, indent=1) + "\n", encoding="utf-8")
    return verdict


def _examine(options: argparse.Namespace, role: str, labels: Labels, scratch: Path) -> Evaluated:
    """One model loaded and examined; the two never share the CPUs."""
    folder = unpack(options.input / role / "model.tar.gz", target=scratch / role)
    model = model_fn(folder)
    _KEPT.append(model)
    bins = stream_bins(options.input / "bins", labels=labels.counts)
    examination = examine(model, _reported(bins, role, len(labels.counts)))
    _check_readable(examination, images=len(labels.counts))
    return Evaluated(model.description, examination)


def _observe(options: argparse.Namespace, labels: Labels, folder: Path) -> None:
    """The baseline of the challenger's drift. A verdict does not depend on it: a fault is logged, no more.

    Of production's own images where the dataset has enough of them: nights are to be like these.
    """
    if options.baseline is None or not options.baseline_images:
        return
    # Chosen by their ids' hashes, and written in that order: a sample by chance, and each time the same.
    images = labels.field if len(labels.field) >= FEWEST_OF_FIELD else labels.counts
    chosen = sorted(images, key=lambda id: hashlib.sha256(id.encode()).digest())[: options.baseline_images]
    try:
        observer = Observer(folder)
        _KEPT_OBSERVERS.append(observer)
        bins = stream_bins(options.input / "bins", labels={id: labels.counts[id] for id in chosen})
        write_observations(
            observer,
            ((bin_.id, bin_.data) for bin_ in bins),
            folder=options.baseline / observer.description.model_id,
            order=chosen,
            model_data=options.challenger,
            dataset_id=options.dataset_id,
            sizes=options.baseline_sizes,
        )
    except (EvaluationError, ModelFault, OSError, RuntimeError, ValueError) as error:
        print(f"bincount: no baseline for drift: {error}", file=sys.stderr, flush=True)


def _reported(bins: Iterator[Bin], role: str, images: int) -> Iterator[Bin]:
    """The same bins, with a line to the log now and then."""
    for number, bin_ in enumerate(bins, start=1):
        yield bin_
        if number % 5_000 == 0 or number == images:
            print(
                json.dumps({"event": "progress", "model": role, "images": number, "of": images}), flush=True
            )


def _check_readable(examination: Examination, *, images: int) -> None:
    bad = examination.unreadable
    if len(bad) > MOST_UNREADABLE * images:
        raise EvaluationError(
            f"{len(bad)} of {images} bins cannot be read by the server (the first is {min(bad)}), at most "
            f"{MOST_UNREADABLE:.0%} may be: prepare the dataset again"
        )


def _rules(options: argparse.Namespace) -> Rules:
    return Rules(**{name: getattr(options, name) for name in Rules.__slots__})


def _write_message(path: Path, text: str) -> None:
    """SageMaker shows this file as the job's ExitMessage."""
    if path.parent.is_dir() and os.access(path.parent, os.W_OK):
        path.write_text(text[:_MESSAGE_CHARACTERS], encoding="utf-8")


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m inference.evaluate", description=__doc__)
    parser.add_argument("--input", type=Path, required=True, help="folder with the inputs")
    parser.add_argument("--output", type=Path, required=True, help="folder for the verdict")
    parser.add_argument("--message", type=Path, default=Path("/opt/ml/output/message"), help="the last words")
    parser.add_argument("--dataset-id", required=True, help="for the record")
    parser.add_argument("--challenger", required=True, help="where its archive came from, for the record")
    parser.add_argument("--champion", required=True, help=f"the same, or {NO_CHAMPION}: nothing serves yet")
    parser.add_argument("--min-accuracy", type=float, required=True)
    parser.add_argument("--max-rmse", type=float, required=True)
    parser.add_argument("--min-within-one", type=float, required=True)
    parser.add_argument("--min-coverage", type=float, required=True)
    parser.add_argument("--level", type=float, required=True, help="level of the paired test")
    parser.add_argument(
        "--part-loss",
        type=float,
        default=0.1,
        help="loss of accuracy that home, and the field, must have bins enough to show before they decide",
    )
    parser.add_argument("--min-images", type=int, default=1, help="with fewer bins a person decides")
    parser.add_argument("--baseline", type=Path, help="folder for drift's baseline; without it there is none")
    parser.add_argument("--baseline-images", type=int, default=2000, help="at most so many bins are in it")
    parser.add_argument("--baseline-sizes", choices=("original", "stored"), default="original",
                        help="whether the bins have the sizes in which they came")  # fmt: skip
    return parser.parse_args(arguments)


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    # As the server ends, see _KEPT: a good verdict must not fail on the way out.
    os._exit(status)
