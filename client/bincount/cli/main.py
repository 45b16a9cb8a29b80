"""The program: its commands, and every failure as one line."""

import io
import sys

import typer
from botocore.exceptions import BotoCoreError, ClientError

from bincount.cli.count import count
from bincount.cli.exit_codes import ERROR
from bincount.cli.models import models
from bincount.cli.site import site
from bincount.cli.status import status
from bincount.cli.train import train
from bincount.errors import BincountError

HELP = """Count objects in photographs of warehouse bins.

\b
  bincount count bin.jpg --expect 3            does it hold what it should?
  bincount site DIR --manifest expected.csv    a whole site: CSV and page
  bincount status                              what is deployed, what serves

All commands take --stage local, dev (the default) or prod. Exit status: 0 all is well, 1 an error (one line
says what to do), 2 a wrong command line, 3 a mismatch, 4 something for a person to recount.
"""

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(count)
app.command()(site)
app.command()(train)
app.add_typer(models, name="models")
app.command()(status)


def main() -> None:
    """Runs the command line and ends the process with its exit status (see exit_codes.py)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a locale that lacks a sign of a table ends no run
    try:
        app()
    except BincountError as error:
        _fail(str(error))
    except ClientError as error:
        _fail(_aws(error))
    except BotoCoreError as error:
        _fail(f"{error}: check credentials (`aws sts get-caller-identity`), region and network")
    except BrokenPipeError:
        sys.stderr.close()  # who read us has enough (`| head`)
        sys.exit(ERROR)
    except OSError as error:
        _fail(f"{error.filename or 'the system'}: {error.strerror or error}")


def _fail(words: str) -> None:
    print(f"error: {' '.join(words.split())}", file=sys.stderr)
    sys.exit(ERROR)


def _aws(error: ClientError) -> str:
    told = error.response["Error"]
    hints = {
        "AccessDenied": "ask for this right",
        "AccessDeniedException": "ask for this right",
        "ExpiredToken": "sign in again (`aws sso login`)",
        "ExpiredTokenException": "sign in again (`aws sso login`)",
        "StateMachineDoesNotExist": "is this stage deployed, in this region?",
        "ParameterNotFound": "is this stage deployed, in this region?",
        "ResourceNotFound": "is this stage deployed, in this region?",
        "ValidationException": "check stage and region",
        "ValidationError": "check stage and region",
    }
    hint = hints.get(told.get("Code", ""), "see docs/troubleshooting.md")
    return f"{error.operation_name}: {told.get('Code')}: {told.get('Message')}: {hint}"
