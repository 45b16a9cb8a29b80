"""The command line: `python -m embedded_cloud serve`."""

import argparse
import shlex
import sys
from pathlib import Path

from embedded_cloud.server import serve
from embedded_cloud.settings import DEFAULT_PORT, Project, Settings


def main(arguments: list[str] | None = None) -> int:
    """Parses the command line and serves; returns the exit code."""
    options = _parser().parse_args(arguments)
    settings = Settings(
        port=options.port,
        data_dir=options.data.resolve(),
        plain_port=options.plain_port,
        project=Project(
            folder=options.project.resolve(),
            server_command=shlex.split(options.server_command) if options.server_command else None,
            server_repository=options.server_repository,
            python_path=[path.resolve() for path in options.python_path],
        ),
        server_start_seconds=options.server_start_seconds,
        longest_bake_seconds=options.longest_bake_seconds,
    )
    return serve(settings, until_stdin_closes=options.until_stdin_closes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m embedded_cloud", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("serve", help="start the embedded cloud on 127.0.0.1")
    command.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"TCP port (default {DEFAULT_PORT})")
    command.add_argument(
        "--data",
        type=Path,
        default=Path("build/embedded-cloud"),
        help="where everything is written (default %(default)s)",
    )
    command.add_argument("--plain-port", type=int, help="a second port, without TLS, to see it refused")
    command.add_argument(
        "--project", type=Path, default=Path(), help="the folder in which servers and jobs run (this one)"
    )
    command.add_argument(
        "--server-command", help="runs in place of a serving image; {model_dir} and {port} are filled in"
    )
    command.add_argument("--server-repository", help="the ECR repository whose images it replaces")
    command.add_argument(
        "--python-path",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="servers and jobs import from it, too",
    )
    command.add_argument(
        "--server-start-seconds", type=float, default=60.0, help="time for a server's first /ping"
    )
    command.add_argument(
        "--longest-bake-seconds", type=float, default=10.0, help="at most so long bakes a step of a rollout"
    )
    command.add_argument(
        "--until-stdin-closes", action="store_true", help="end when standard input ends, too"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
