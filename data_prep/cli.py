"""The command line: every step, one after the other, on one machine."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bincount_sources.found import BadLabels
from bincount_sources.read import kind_of_labels
from bincount_sources.reasons import Reasons
from data_prep.errors import BadRequest, DataPrepError
from data_prep.request import parse_request
from data_prep.run import Run
from data_prep.steps.arrange import arrange
from data_prep.steps.assign_shards import PACK_LIST, assign_shards
from data_prep.steps.index import index_all
from data_prep.steps.open_run import PARTS, open_run
from data_prep.steps.pack import pack
from data_prep.steps.plan import plan, remaining
from data_prep.steps.records import shown_name
from data_prep.steps.seal import REJECTED, seal
from data_prep.storage.directory_store import DirectoryStore
from data_prep.storage.lines import Line, read_json, read_lines
from data_prep.storage.parallel import map_ordered
from data_prep.storage.s3_store import BATCHES, S3Store
from data_prep.storage.store import Store, exists, split_s3_uri

BATCH = 100
"""Images a record file: what is done anew after a crash is at most the batches under way."""

_EXAMPLES = """\
examples:
  python -m data_prep --source bins/ --target data/ --file-list bins/file_list.json
  python -m data_prep --source photos/ --target data/ --labels labels.csv
  python -m data_prep --source photos/ --target data/ --class-folders
  python -m data_prep --source s3://aft-vbi-pds --unsigned --target data/ --counts 1-5 --limit-per-class 500
  python -m data_prep --source s3://aft-vbi-pds --target s3://my-bucket --counts 0-20 \\
    --layout shards --short-side 256 --square

Run the same command again after an interruption: it does only what is missing. Exit code 0 means a sealed
dataset.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Make the dataset that the arguments ask for and print its address; one line on stderr where that
    fails."""
    arguments = _parser().parse_args(argv)
    try:
        request = parse_request(_request(arguments), directories=True)
        run = open_run(_target(arguments.target), request)
        answer = make_dataset(run, quiet=arguments.quiet)
    except (DataPrepError, OSError) as error:  # OSError: no room for temporary files, for example
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on", file=sys.stderr)
        return 130
    for warning in answer["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    for line in rejected_lines(run):
        print(f"rejected: {line}", file=sys.stderr)
    print(f"{answer['uri']} has {answer['images']} images; {answer['rejected']} were rejected")
    return 0


def make_dataset(run: Run, *, quiet: bool) -> dict[str, Any]:
    """Index, plan, arrange and seal what is missing of the run; the answer of seal."""
    if exists(run.target, run.sealed_key):
        return seal(run)
    parts = read_json(run.target, run.key(PARTS))
    for _ in tqdm(index_all(run, parts), total=len(parts), desc="index", unit="part", disable=quiet):
        pass
    planned = plan(run)
    with tqdm(total=planned["images"], desc="arrange", unit="image", disable=quiet) as bar:
        bar.update(planned["images"] - planned["to_do"])
        for done in map_ordered(lambda batch: arrange(run, batch), _batches(remaining(run)), workers=BATCHES):
            bar.update(done["accepted"] + done["rejected"])
    if run.request.layout != "folders":
        assign_shards(run)
        for item in tqdm(read_json(run.target, run.key(PACK_LIST)), desc="pack", unit="shard", disable=quiet):
            pack(run, item["shard"])
    return seal(run)


def rejected_lines(run: Run) -> list[str]:
    """What a sealed dataset rejected, a line a reason."""
    reasons = Reasons()
    for line in read_lines(run.target, run.prefix + REJECTED):
        reasons.add(name=shown_name(line), reason=line["reason"], detail=line["detail"])
    return reasons.lines()


def _batches(items: Iterator[Line]) -> Iterator[list[Line]]:
    while batch := list(islice(items, BATCH)):
        yield batch


def _target(address: str) -> Store:
    if not address.startswith("s3://"):
        return DirectoryStore(Path(address))
    bucket, prefix = split_s3_uri(address)
    return S3Store(bucket=bucket, prefix=_folder(prefix))


def _folder(prefix: str) -> str:
    return prefix if prefix.endswith("/") or not prefix else prefix + "/"


def _kind(arguments: argparse.Namespace) -> dict[str, Any]:
    """The source's fields beyond its place; none where it is in the public layout."""
    own: dict[str, Any] = {}
    if arguments.class_folders:
        own = {"kind": "class-folders"}
    elif arguments.labels is not None:
        try:
            own = {"kind": kind_of_labels(arguments.labels), "labels": _list_address(arguments.labels)}
        except BadLabels as error:
            raise BadRequest(str(error)) from error
    if arguments.label_attribute is not None:
        own["label_attribute"] = arguments.label_attribute
    if arguments.allow_near_duplicates:
        own["near_duplicates"] = "allow"
    return own


def _field(arguments: argparse.Namespace) -> dict[str, Any] | None:
    """Images of production, and the labels of them; None without."""
    if (arguments.field is None) != (arguments.field_labels is None):
        raise BadRequest("--field and --field-labels go together: images, and the table that names them")
    if arguments.field is None:
        return None
    place: dict[str, Any] = {"directory": str(Path(arguments.field).resolve())}
    if arguments.field.startswith("s3://"):
        bucket, prefix = split_s3_uri(arguments.field)
        place = {"bucket": bucket, "prefix": _folder(prefix)}
    return {**place, "labels": _list_address(arguments.field_labels), "weight": arguments.field_weight}


def _list_address(address: str | None) -> str | None:
    # However a path is spelled, the same list makes the same dataset.
    return str(Path(address).resolve()) if address and not address.startswith("s3://") else address


def _request(arguments: argparse.Namespace) -> dict[str, Any]:
    source: dict[str, Any] = {"directory": str(Path(arguments.source).resolve())}
    if arguments.source.startswith("s3://"):
        bucket, prefix = split_s3_uri(arguments.source)
        source = {"bucket": bucket, "prefix": _folder(prefix), "unsigned": arguments.unsigned}
    stored = None
    if arguments.square and arguments.short_side is None:
        raise BadRequest("--square wants a size too; give --short-side 256")
    if arguments.short_side is not None:
        stored = {
            "short_side": arguments.short_side,
            "quality": arguments.quality,
            "square": arguments.square,
        }
    return {
        "source": source | _kind(arguments),
        "field": _field(arguments),
        "file_list": _list_address(arguments.file_list),
        "corrections": _list_address(arguments.corrections),
        "counts": arguments.counts,
        "limit_per_class": arguments.limit_per_class,
        "validation_share": arguments.validation_share,
        "layout": arguments.layout,
        "shard_mb": arguments.shard_mb,
        "stored": stored,
    }


def _range(text: str) -> list[int]:
    low, _, high = text.partition("-")
    if not low.isdecimal() or not (high or low).isdecimal():
        raise argparse.ArgumentTypeError(f"expected a range such as 1-5, or one count, not {text!r}")
    return [int(low), int(high or low)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m data_prep",
        description="Make an immutable, honestly split dataset from images of bins.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_places(parser)
    _add_selection(parser)
    _add_form(parser)
    parser.add_argument("--unsigned", action="store_true", help="read the source bucket without credentials")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser


def _add_places(parser: argparse.ArgumentParser) -> None:
    """Where images are read and the dataset is written, and how the images are laid out."""
    add = parser.add_argument
    add(
        "--source",
        required=True,
        metavar="DIR|s3://…",
        help="holds bin-images/<id>.jpg and metadata/<id>.json, or what one of the next two says",
    )
    add(
        "--target",
        required=True,
        metavar="DIR|s3://…",
        help="where datasets/<id>/ is written, and runs/<id>/ meanwhile",
    )
    own = parser.add_mutually_exclusive_group()
    own.add_argument("--class-folders", action="store_true", help="the source holds <count>/<anything>.jpg")
    own.add_argument(
        "--labels",
        metavar="FILE|s3://…",
        help="a CSV or Parquet of image,count[,group][,taken_at], or a .manifest; names are paths below "
        "the source",
    )
    add("--label-attribute", metavar="NAME", help="of a manifest with several: the one with the counts")
    add("--allow-near-duplicates", action="store_true", help="only warn of one photograph in two splits")
    add("--field", metavar="DIR|s3://…", help="images of production that people counted, taken besides")
    add("--field-labels", metavar="FILE|s3://…", help="their CSV, as bincount labelled writes it")
    add(
        "--field-weight",
        type=float,
        default=3.0,
        metavar="1-10",
        help="how many times such an image counts in training (default 3)",
    )


def _add_selection(parser: argparse.ArgumentParser) -> None:
    """Which images are taken, and how they are split."""
    add = parser.add_argument
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--file-list", metavar="FILE|s3://…", help='take these: {"1": ["data/metadata/<id>.json", …], …}'
    )
    chosen.add_argument(
        "--counts", type=_range, metavar="MIN-MAX", help="take every image with so many objects, as 1-5"
    )
    add("--corrections", metavar="FILE|s3://…", help="labels that a person corrected, from bincount audit")
    add("--limit-per-class", type=int, metavar="N", help="at most N images of each count (default: no limit)")
    add(
        "--validation-share",
        type=float,
        default=0.2,
        metavar="SHARE",
        help="share of the blocks of ids (default 0.2)",
    )


def _add_form(parser: argparse.ArgumentParser) -> None:
    """How the dataset is stored."""
    add = parser.add_argument
    add("--layout", default="folders", choices=("folders", "shards", "both"), help="default: folders")
    add("--shard-mb", type=int, default=100, metavar="MB", help="size of a shard, about (default 100)")
    add(
        "--short-side",
        type=int,
        metavar="PIXELS",
        help="store images this small (default: the original bytes)",
    )
    add(
        "--quality", type=int, default=90, metavar="1-100", help="JPEG quality with --short-side (default 90)"
    )
    add(
        "--square",
        action="store_true",
        help="with --short-side: no side longer than that, whatever the shape",
    )
