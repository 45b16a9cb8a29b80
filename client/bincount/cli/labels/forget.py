"""`bincount forget`: deletes the image of one answer, everywhere it went."""

import json
from typing import Annotated

import typer

from bincount.cli.errors import OK, UNCERTAIN
from bincount.cli.shared import JsonOption, ProfileOption, RegionOption, StageOption, screen
from bincount.labels.forget import forget as forget_answer
from bincount.stage.stage import Stage


def forget(
    request_id: Annotated[str, typer.Argument(metavar="REQUEST_ID", help="Of an answer.")],
    labels: Annotated[
        bool, typer.Option("--labels", help="Also what people wrote: all labels of the answer.")
    ] = False,
    as_json: JsonOption = False,
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Delete the image of one answer, with all its versions, and see to it that none is kept later.

    A sealed dataset is never changed: one that holds the image is named. It may be run again.

    Exit status: 0 nothing of the image is left, 4 something is for a person to do or to wait for.
    """
    done = forget_answer(Stage(stage, region=region, profile=profile), request_id, labels=labels)
    if as_json:
        print(json.dumps({"request_id": done.request_id, "deleted": done.deleted, "left": done.left}))
    else:
        for key in done.deleted:
            screen().print(f"deleted {key}", markup=False, soft_wrap=True)
        for words in done.left:
            screen().print(f"left: {words}", markup=False, soft_wrap=True)
        if not done.left:
            screen().print(f"nothing of the image of {request_id} is left", markup=False, soft_wrap=True)
    raise typer.Exit(UNCERTAIN if done.left else OK)
