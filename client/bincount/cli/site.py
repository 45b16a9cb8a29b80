"""`bincount site`: a folder here, or a prefix in S3; a CSV and a page."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import TimeRemainingColumn

from bincount.cli.errors import MISMATCH, OK, UNCERTAIN
from bincount.cli.shared import (
    ApiOption,
    ConcurrencyOption,
    ProfileOption,
    RegionOption,
    StageOption,
    progress_bars,
    progress_screen,
    screen,
)
from bincount.counting.counter import BinCounter
from bincount.errors import BincountError
from bincount.recount.start import recount_prefix
from bincount.site.folder import arrange_folder, image_in_folder, recount_folder
from bincount.site.manifest import Manifest, read_manifest
from bincount.site.report import SiteReport
from bincount.site.row import Row
from bincount.stage.stage import Stage


def site(
    source: Annotated[str, typer.Argument(metavar="DIR|s3://BUCKET/PREFIX", help="Where the images are.")],
    manifest: Annotated[
        str | None,
        typer.Option("--manifest", help="CSV with the columns id and expected (a file or s3://…)."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for recount.csv, summary.html, summary.json.")
    ] = Path("recount"),
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
    api_url: ApiOption = None,
    concurrency: ConcurrencyOption = 8,
) -> None:
    """Count a whole site and hold it against a manifest.

    A folder is counted through the endpoint, image by image; an S3 prefix by a batch transform in the cloud,
    which needs no endpoint. Both write the same CSV and the same page.

    Exit status: 0 nothing is left for a person, 1 the recount failed, 3 there are mismatches, 4 no mismatch,
    but bins to be recounted or without a count.
    """
    target = Stage(stage, region=region, profile=profile, connections=concurrency + 2)
    if source.startswith("s3://"):
        figures = _cloud(source, manifest, out, target)
    else:
        with BinCounter(stage=target, api_url=api_url, concurrency=concurrency) as counter:
            figures = _folder(Path(source), manifest, out, counter)
    _print_figures(figures, out)
    if figures["mismatched"]:
        raise typer.Exit(MISMATCH)
    raise typer.Exit(UNCERTAIN if figures["uncertain"] or figures["failed"] else OK)


def _folder(folder: Path, manifest: str | None, out: Path, counter: BinCounter) -> dict[str, Any]:
    if not folder.is_dir():
        raise BincountError(f"{folder} is not a folder: name one, or an address s3://bucket/prefix")
    if manifest and manifest.startswith("s3://"):
        raise BincountError("a folder's manifest is a file here: download it, or recount an s3:// prefix")
    consignments = _read(manifest)
    found = arrange_folder(
        folder, manifest=consignments, own=[out, *map(Path, [manifest] if manifest else [])]
    )
    with (
        SiteReport(out, columns=consignments.columns) as report,
        progress_bars(TimeRemainingColumn()) as progress,
    ):
        task = progress.add_task("counting", total=sum(bin.row is None for bin in found.bins))

        def advance(row: Row) -> None:
            progress.advance(task)

        recount_folder(
            folder,
            arrangement=found,
            counter=counter,
            manifest=consignments,
            report=report,
            progress=advance,
        )
        unmatched = {"ids without an image": found.unmatched} if found.unmatched else {}
        facts = {
            "images": str(folder),
            "manifest": manifest or "none",
            "finished": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            **unmatched,
            **found.left_alone.facts(),
        }
        report.finish(title=f"Recount of {folder.resolve().name}", facts=facts, image_of=image_in_folder)
        return {**report.summary.to_json(), "facts": facts}


def _cloud(prefix: str, manifest: str | None, out: Path, stage: Stage) -> dict[str, Any]:
    console = progress_screen()
    _read(manifest)  # a faulty file is reported here, not after an upload
    with console.status("starting") as status:
        for state in recount_prefix(stage=stage, images=prefix, manifest=manifest, out=out):
            status.update(state)
            if not console.is_terminal:
                console.print(state, markup=False)
    return json.loads((out / "summary.json").read_text(encoding="utf-8"))


def _read(manifest: str | None) -> Manifest:
    """The manifest that is a file here; the recount itself reads one that lies in S3."""
    if manifest is None or manifest.startswith("s3://"):
        return Manifest()
    return read_manifest(Path(manifest).read_bytes(), name=manifest)


def _print_figures(figures: dict[str, Any], out: Path) -> None:
    console = screen()
    lines = (
        ("bins checked", figures["bins"]),
        ("matched", figures["matched"]),
        ("mismatched", figures["mismatched"]),
        ("to be recounted by a person", figures["uncertain"]),
        ("counted, nothing expected", figures["counted"]),
        ("without a count", figures["failed"]),
    )
    for words, number in lines:
        console.print(f"{number:>9,}  {words}", markup=False)
    for name in ("ids without an image", "other files, left alone"):
        if name in figures["facts"]:
            console.print(f"\n{name}: {figures['facts'][name]}", markup=False, soft_wrap=True)
    console.print(f"\n{out / 'recount.csv'}\n{out / 'summary.html'}", markup=False, soft_wrap=True)
