"""`bincount check-images`: what data preparation would reject of a folder, before anything is uploaded."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import TimeRemainingColumn
from rich.table import Table

from bincount.cli.errors import ERROR, OK, UNCERTAIN
from bincount.cli.shared import JsonOption, progress_bars, screen
from bincount.errors import require_packages

_SHOWN = 10
_NEEDED = ("numpy", "simplejpeg")
_PARQUET = ".parquet"


def check_images(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Holds the images: class folders, or any.")],
    labels: Annotated[
        Path | None,
        typer.Option("--labels", help="CSV or Parquet of image,count[,group][,taken_at], or a .manifest."),
    ] = None,
    label_attribute: Annotated[
        str | None, typer.Option("--label-attribute", help="Of a manifest with several: the one with counts.")
    ] = None,
    validation_share: Annotated[
        float, typer.Option("--validation-share", min=0.01, max=0.5, help="Held out, half each.")
    ] = 0.2,
    as_json: JsonOption = False,
) -> None:
    """Say what data preparation would reject of images of your own, and why.

    Nothing is uploaded and nothing is written. Without --labels the folder holds <count>/<anything>.jpg.

    Exit status: 0 everything would be taken, 1 no dataset would be made (near-duplicates in two splits, no
    usable image, labels that cannot be read), 4 some rows would be rejected.
    """
    table = labels is not None and labels.suffix.lower() == _PARQUET
    needed = (*_NEEDED, *(("arro3",) if table else ()))
    require_packages(*needed, extra="images", why="read images and labels")
    from bincount.sources.check import check_folder

    with progress_bars(TimeRemainingColumn(), words="reading images") as progress:
        task = progress.add_task("", total=None)
        checked = check_folder(
            folder,
            labels=labels,
            label_attribute=label_attribute,
            validation_share=validation_share,
            progress=lambda done, of: progress.update(task, completed=done, total=of),
        )
    found = {
        "rows": checked.rows,
        "images": checked.images,
        "blocks": checked.blocks,
        "counts": {
            split: {str(count): counts[count] for count in sorted(counts)}
            for split, counts in checked.counts.items()
        },
        "notes": checked.notes,
        "reasons": dict(checked.reasons.counts),
        "rejected": [line._asdict() for line in checked.rejected],
        "near_duplicates": [
            {"first": list(pair.first), "second": list(pair.second), "bits": pair.bits}
            for pair in checked.near
        ],
    }
    if as_json:
        print(json.dumps(found))
    else:
        _show(found, checked.reasons.lines())
    if checked.near or not checked.images:
        raise typer.Exit(ERROR)
    raise typer.Exit(UNCERTAIN if checked.rejected else OK)


def _show(found: dict[str, Any], reasons: list[str]) -> None:
    console = screen()

    def line(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    line(f"{found['images']:,} of {found['rows']:,} images would be taken, from {found['blocks']:,} blocks")
    counts: dict[str, dict[str, int]] = found["counts"]
    table = Table("objects", *counts, box=None)
    for count in sorted({count for by_count in counts.values() for count in by_count}, key=int):
        table.add_row(count, *(f"{by_count.get(count, 0):,}" for by_count in counts.values()))
    console.print(table)
    for note in found["notes"]:
        line(f"note: {note}")
    for reason in reasons:
        line(f"rejected: {reason}")
    near: list[dict[str, Any]] = found["near_duplicates"]
    if near:
        line(f"near-duplicates in two splits, an error: {len(near)} pair(s); give both the same group")
        for pair in near[:_SHOWN]:
            line(f"  {' '.join(pair['first'])} and {' '.join(pair['second'])}: {pair['bits']} of 256 bits")
