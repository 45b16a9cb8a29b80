"""A page in a real browser: on a desk, in a hand, each light and dark, and on paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.browser.served import ask

VIEWS = ("desk", "hand", "desk-dark", "hand-dark", "print")
HAND = 360
"""Width of the phone's view in CSS pixels."""


@dataclass(frozen=True, kw_only=True)
class View:
    """What one view of a page showed; measure.mjs says how each is found."""

    title: str
    text: str
    width: int
    overflow: int
    console: list[str]
    requests: list[str]
    outside: list[str]
    faint: list[dict[str, Any]]
    small: list[dict[str, Any]]
    broken: list[str]
    cut: list[str]


def look(page: Path, out: Path) -> dict[str, View]:
    """What each of VIEWS shows of `page`; its screenshot is `out`/<view>.png. Fails where no browser is."""
    seen = ask({"deed": "look", "page": str(page.resolve()), "out": str(out.resolve())}, out)
    return {name: View(**found) for name, found in seen.items()}


@dataclass(frozen=True, kw_only=True)
class Played:
    """What a page showed while it was used: texts that were read, files that it gave, and what went wrong."""

    read: list[str]
    downloads: list[str]
    console: list[str]
    requests: list[str]
    axe: list[str]
    measured: list[dict[str, Any]]


def play(
    page: Path | str, out: Path, *steps: dict[str, Any], hosts: Sequence[str] = (), **options: Any
) -> Played:
    """Use `page`, a file or an address, step by step; play.mjs has steps and options. Files go to `out`.

    `hosts` are rules (MAP NAME 127.0.0.1:PORT) for names that the browser shall find on this machine.
    """
    where = str(page.resolve()) if isinstance(page, Path) else page
    what = {"deed": "play", "page": where, "out": str(out.resolve()), "steps": steps, "options": options}
    return Played(**ask({**what, "hosts": list(hosts)}, out))


def complaints(page: Path, views: dict[str, View]) -> list[str]:
    """What a person would find wrong with a page that must show nothing but itself; none is right."""
    found: list[str] = []
    for name, view in views.items():
        foreign = [url for url in view.requests if url != page.resolve().as_uri() and url[:5] != "data:"]
        faults = {
            "console": view.console,
            "requests": foreign,
            "sticks out": view.outside or ([f"{view.overflow} pixels"] if view.overflow > 0 else []),
            "faint": view.faint,
            "small": view.small,
            "no image": view.broken,
            "cut in a word": view.cut,
        }
        found += [f"{name}: {what}: {fault}" for what, faults_ in faults.items() for fault in faults_]
    if views["hand"].width != HAND:
        found.append(f"hand: laid out {views['hand'].width} pixels wide and shrunk, not {HAND}")
    return found
