"""The templates of every stage, synthesized once."""

import functools
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from infra import settings, stage
from tests.judges.aws_tasks import definitions_of
from tests.judges.resolved import resolve_stacks
from tests.once import once

ROOT = Path(__file__).resolve().parents[2]


def context(**overrides: Any) -> dict[str, Any]:
    """cdk.json's context, as the CDK command line hands it to the app, with `-c key=value` laid over."""
    return {**json.loads((ROOT / "cdk.json").read_text())["context"], **overrides}


@pytest.fixture(scope="session")
def templates() -> dict[str, dict[str, Template]]:
    """{stage: {part: template}}; the parts are the stacks' names without their prefix."""
    return {name: as_it_stands(name) for name in settings.STAGES}


@pytest.fixture(scope="session")
def machines() -> dict[str, dict[str, Any]]:
    """The state machines of dev by their names without stage, with what a deploy fills in."""
    parts = {name: {**template.to_json()} for name, template in as_it_stands("dev").items()}
    stacks = resolve_stacks(parts, region="us-east-1", partition="aws").values()
    found = {name: each for stack in stacks for name, each in definitions_of(stack.template).items()}
    return {name.removeprefix("bincount-dev-"): each for name, each in found.items()}


@functools.cache
def as_it_stands(name: str) -> dict[str, Template]:
    """The templates of a stage's parts with the settings of cdk.json alone."""
    return synthesized_once(name)


def synthesized_once(name: str, **overrides: Any) -> dict[str, Template]:
    """What `synthesize` gives, made by one worker for all; not for what a test itself changed."""

    def made() -> dict[str, Any]:
        return {part: template.to_json() for part, template in synthesize(name, **overrides).items()}

    parts: dict[str, dict[str, Any]] = once("templates", name, overrides, make=made)
    return {part: Template.from_json(template) for part, template in parts.items()}


def synthesize(name: str, **overrides: Any) -> dict[str, Template]:
    """The templates of a stage's parts, with settings given as on the command line laid over.

    Synthesized as app.py does it: a finding of cdk-nag that nobody acknowledged fails here.
    """
    given = context(stage=name, **overrides)
    with TemporaryDirectory() as folder:  # an assembly holds a quarter of a gigabyte of packages
        kept = {key: value for key, value in given.items() if key != "stages"}
        app = cdk.App(context=kept, outdir=folder)
        stage.build(app=app, settings=settings.load(given.get))
        stage.synthesize(app)
        return {
            part: Template.from_stack(app.node.find_child(f"bincount-{name}-{part}"))
            for part in ("data", "operations", "training", "serving", "recount", "api")
            if app.node.try_find_child(f"bincount-{name}-{part}")
        }
