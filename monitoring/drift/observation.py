"""Observations as columns, read from the file of docs/schemas/observation.schema.json."""

import base64
import binascii
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]
ANSWERS = ("count", "confidence", "review")
PIXELS = ("brightness", "contrast", "sharpness")
SIZES = ("width", "height")


class ObservationFault(ValueError):
    """A file of observations that cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """`columns[name]` is float64 `[n]`; `features` float32 `[n, d]`, d = 0 where there are none."""

    columns: dict[str, Column]
    features: NDArray[np.float32]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @classmethod
    def of_answers(cls, answers: Sequence[Sequence[float]]) -> Self:
        """Rows of count, confidence and review, without an image."""
        table = np.asarray(answers, dtype=np.float64).reshape(-1, len(ANSWERS))
        columns = {name: table[:, column] for column, name in enumerate(ANSWERS)}
        return cls(columns=columns, features=np.empty((len(table), 0), dtype=np.float32))

    @classmethod
    def of_file(cls, data: bytes) -> Self:
        """The bytes of an observations.jsonl.gz. Raises ObservationFault, with the line."""
        names = (*ANSWERS, *PIXELS, *SIZES)
        rows: list[list[float]] = []
        features: list[NDArray[np.float32]] = []
        try:
            for text in gzip.decompress(data).splitlines():
                line: dict[str, Any] = json.loads(text)
                rows.append([float(line[name]) for name in names])
                raw = base64.b64decode(line["features"], validate=True)
                features.append(np.frombuffer(raw, dtype="<f2").astype(np.float32))
            table = np.asarray(rows, dtype=np.float64).reshape(-1, len(names))
            stacked = np.stack(features) if features else np.empty((0, 0), dtype=np.float32)
        except (OSError, EOFError, ValueError, KeyError, TypeError, binascii.Error) as error:
            raise ObservationFault(
                f"observations, behind line {len(rows)}: expected docs/schemas/observation.schema.json, "
                f"got {error!r}"
            ) from error
        return cls(columns={name: table[:, i] for i, name in enumerate(names)}, features=stacked)

    def take(self, rows: Any) -> "Observations":
        """Those rows: a slice, or indices."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Observations(columns=columns, features=self.features[rows])
