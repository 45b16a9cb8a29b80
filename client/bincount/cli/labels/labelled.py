"""`bincount labelled`: the images that people labelled, as a table that data preparation takes."""

import json
from pathlib import Path
from typing import Annotated

import typer

from bincount.cli.shared import ProfileOption, RegionOption, StageOption, screen
from bincount.labels.labelled import labelled_images, upload
from bincount.stage.stage import Stage


def labelled(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="For labelled.csv and request.json.")
    ] = Path("labelled"),
    up: Annotated[
        bool, typer.Option("--upload", help="Put the table into the bucket, for `bincount train`.")
    ] = False,
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Join labels with the images that were kept: a table, and a request for a dataset of them.

    Exit status: 0 written, 1 no image is labelled.
    """
    target = Stage(stage, region=region, profile=profile)
    found = labelled_images(target)
    out.mkdir(parents=True, exist_ok=True)
    table, request = out / "labelled.csv", out / "request.json"
    table.write_bytes(found.to_csv())
    request.write_text(json.dumps(found.request(), indent=2) + "\n", encoding="utf-8")
    lines = [
        f"{len(found.rows):,} labelled images -> {table}",
        f"{found.without_image:,} labels have no image (it was not kept, or has expired)",
        f"{found.without_label:,} images have no label",
    ]
    if up:
        lines.append(f"uploaded to {upload(target, found)}")
        lines.append(f"next: bincount train --request {request} --stage {stage} --watch")
    else:
        lines.append("next: the same with --upload, then train on them (docs/labels.md)")
    for line in lines:
        screen().print(line, markup=False, soft_wrap=True)
