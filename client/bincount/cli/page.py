"""`bincount page`: the page for people, in front of a stage or of a local inference server."""

from pathlib import Path
from typing import Annotated

import typer

from bincount.cli.shared import ApiOption, ProfileOption, RegionOption, StageOption
from bincount.errors import require_packages
from bincount.stage.stage import Stage


def page(
    server: Annotated[
        str | None,
        typer.Option("--server", metavar="URL", help="A local inference server instead of a stage."),
    ] = None,
    labels: Annotated[
        Path, typer.Option("--labels", help="With --server: the folder where people's counts are kept.")
    ] = Path("labels"),
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Of 127.0.0.1; 0 takes a free one.")
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open it in the browser where there is one.")
    ] = True,
    stage: StageOption = "dev",
    api_url: ApiOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Open a page that counts an image: take, drop or paste one, and say what should be there.

    It is served on 127.0.0.1 alone, until Ctrl-C, and asks the stage's HTTPS API with your AWS credentials.
    Corrections go to the API as labels. Its queue shows the kept images that wait for a person, in the
    order of `bincount propose`.
    """
    require_packages("starlette", "uvicorn", extra="page", why="are needed for the page")
    from bincount.page.app import Page
    from bincount.page.label import LabelFolder
    from bincount.page.queue import Queue
    from bincount.page.serve import listen, serve_page, web_folder
    from bincount.page.upstream import InferenceServer, StageApi

    web = web_folder()
    if server:
        offered = Page(web=web, counter=InferenceServer(server), labels=LabelFolder(labels), facts={})
    else:
        target = Stage(stage, region=region, profile=profile)
        api = StageApi(stage=target, url=api_url)
        facts = {"stage": stage, "queue": True}
        offered = Page(web=web, counter=api, labels=api, facts=facts, queue=Queue(target))
    serve_page(
        offered,
        listener=listen(port),
        started=lambda address: print(f"the page is at {address} (Ctrl-C ends it)", flush=True),
        browser=browser,
    )
