"""The options of a program for operators that says which stage it is about."""

import argparse


def add_stage(parser: argparse.ArgumentParser, *, which: str) -> None:
    """Adds `--stage NAME` (`which` describes it) and `-c KEY=VALUE`, which may be repeated."""
    parser.add_argument("--stage", required=True, help=which)
    parser.add_argument(
        "-c",
        "--context",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting for this run, as the deployment is given it",
    )
