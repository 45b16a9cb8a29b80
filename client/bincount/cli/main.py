"""The program: its commands, and every failure as one line."""

import io
import sys
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from bincount import __version__
from bincount.cli.audit import audit
from bincount.cli.check_images import check_images
from bincount.cli.count import count
from bincount.cli.drift import drift
from bincount.cli.errors import ERROR, OK, words_of_aws, words_of_sdk
from bincount.cli.labels.forget import forget
from bincount.cli.labels.label import label
from bincount.cli.labels.labelled import labelled
from bincount.cli.labels.live import live
from bincount.cli.labels.propose import propose
from bincount.cli.models import models
from bincount.cli.page import page
from bincount.cli.runs import report, runs
from bincount.cli.site import site
from bincount.cli.status import status
from bincount.cli.train import train
from bincount.errors import BincountError

HELP = """Count objects in images of warehouse bins.

\b
  bincount count bin.jpg --expect 3            does it hold what it should?
  bincount site DIR --manifest expected.csv    a whole site: CSV and page
  bincount label REQUEST_ID 4                  what a person counted there
  bincount propose 50                          images that a person should look at next
  bincount labelled                            images with people's counts: a dataset's source
  bincount live                                how good the answers were, by people's counts
  bincount forget REQUEST_ID                   delete the image of one answer
  bincount check-images DIR                    what data preparation would reject of your own images
  bincount audit DATASET                       labels that look wrong, on a page to go through
  bincount page                                the page for people, in front of a stage
  bincount drift                               has the light, a camera, the mix of counts changed?
  bincount status                              what is deployed, what serves

All commands take --stage NAME (the default is dev). Exit status: 0 all is well, 1 an error (one line says
what to do), 2 a wrong command line, 3 a mismatch, 4 something for a person to recount, 5 a stage that is
degraded or not deployed, 130 Ctrl-C.
"""

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"bincount {__version__}")
        raise typer.Exit(OK)


@app.callback(help=HELP)
def options(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and end."),
    ] = False,
) -> None:
    """Options before the command."""


app.command()(count)
app.command()(site)
app.command()(label)
app.command()(propose)
app.command()(labelled)
app.command()(live)
app.command()(forget)
app.command()(check_images)
app.command()(audit)
app.command()(train)
app.add_typer(models, name="models")
app.command()(runs)
app.command()(report)
app.command()(page)
app.command()(drift)
app.command()(status)


def main() -> None:
    """Runs the command line and ends the process with its exit status (see errors.py)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a locale without a sign of a table ends no run
    try:
        app()
    except BincountError as error:
        _fail(str(error))
    except ClientError as error:
        _fail(words_of_aws(error))
    except BotoCoreError as error:
        _fail(words_of_sdk(error))
    except BrokenPipeError:
        sys.stderr.close()  # the reader has enough (`| head`)
        sys.exit(ERROR)
    except OSError as error:
        _fail(f"{error.filename or 'the system'}: {error.strerror or error}")


def _fail(words: str) -> None:
    print(f"error: {' '.join(words.split())}", file=sys.stderr)
    sys.exit(ERROR)
