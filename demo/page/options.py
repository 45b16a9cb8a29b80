"""What `make try` is asked for, read from the environment, and the model that it names."""

import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from demo.options import ROOT, DemoError

DRAWN_MODEL = Path(__file__).with_name("model")
"""Learned from drawn bins (demo/page/train.py)."""
FILES = ("model.json", "model.xml", "model.bin")
_MOST_BYTES = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Options:
    """One call.

    model: a folder with model.json, model.xml and model.bin, or a model.tar.gz that holds them.
    port: TCP port of the page on 127.0.0.1; 0: a free one.
    """

    model: Path
    port: int
    out: Path = ROOT / "build" / "try"

    @property
    def is_drawn(self) -> bool:
        """Whether the model is the one that learned from drawn bins."""
        return self.model == DRAWN_MODEL

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] = os.environ) -> Self:
        """MODEL and PORT. Raises DemoError."""
        text = variables.get("PORT") or "0"
        if not text.isdecimal() or not (text == "0" or 1024 <= int(text) <= 65_535):
            raise DemoError(f"PORT={text} must be a whole number from 1024 to 65535")
        named = variables.get("MODEL")
        model = Path(named).expanduser().resolve() if named else DRAWN_MODEL
        return cls(model=model, port=int(text))


def model_folder(model: Path, *, scratch: Path) -> Path:
    """The folder with the model's files; an archive is unpacked into `scratch`. Raises DemoError."""
    if model.is_file():
        _unpack(model, scratch)
        model = scratch
    missing = [name for name in FILES if not (model / name).is_file()]
    if missing:
        raise DemoError(
            f"MODEL={model} has no {', '.join(missing)}: name the folder that train.py wrote (--model-dir), "
            "or a job's model.tar.gz"
        )
    return model


def _unpack(archive: Path, scratch: Path) -> None:
    """The model's three files and nothing else, whatever the archive holds beside them."""
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r:*") as packed:
            for member in packed:
                name = member.name.removeprefix("./")
                source = packed.extractfile(member) if name in FILES and member.isfile() else None
                if source is None:
                    continue
                if member.size > _MOST_BYTES:
                    raise DemoError(f"MODEL={archive}: {name} has more than {_MOST_BYTES} bytes")
                (scratch / name).write_bytes(source.read())
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DemoError(f"MODEL={archive} is not a model.tar.gz: {str(error).splitlines()[0]}") from error
