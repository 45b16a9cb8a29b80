"""Settings of the server, from environment variables: typed, bounded, and all faults in one message."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from bincount_core.limits import ENDPOINT_BYTES, MOST_PIXELS, SERVED_PIXELS

PREFIX = "BINCOUNT_"


class SettingsFault(Exception):
    """Environment variables that cannot be obeyed; the text is one line that names every fault found."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The server's settings; each is the environment variable BINCOUNT_ and its name in capitals.

    max_body_bytes: largest request body (SageMaker's own limit for InvokeEndpoint by default).
    max_pixels: largest image, width times height, as its header says.
    body_seconds: how long a body may take to arrive; past it 408.
    header_seconds: how long a connection may take for a request's headers, or for the rest of a body that
        was answered with an error; past it it is closed.
    buffered_bytes: bodies held in memory at once, all requests together; past it 503.
    deadline_seconds: how long an accepted request may take; what could not make it gets 503 at once.
    queue_limit: accepted requests that wait for a worker; past it 503.
    drain_seconds: how long SIGTERM waits for accepted requests (SageMaker kills after 30).
    cpus: CPUs to use; 0 means those that the container really has.
    endpoint: dimension of the metrics, the endpoint's name.
    batch: from SAGEMAKER_BATCH, which batch transform sets: faults of an image are answers, not errors.
    """

    max_body_bytes: int = ENDPOINT_BYTES
    max_pixels: int = SERVED_PIXELS
    body_seconds: float = 10.0
    header_seconds: float = 10.0
    buffered_bytes: int = 67_108_864
    deadline_seconds: float = 2.0
    queue_limit: int = 256
    drain_seconds: float = 20.0
    cpus: int = 0
    endpoint: str = "local"
    batch: bool = False


_BOUNDS: dict[str, tuple[float, float]] = {
    "max_body_bytes": (1_024, 104_857_600),
    "max_pixels": (1, MOST_PIXELS),
    "body_seconds": (0.1, 60),
    "header_seconds": (0.1, 60),
    "buffered_bytes": (1_024, 4_294_967_296),
    "deadline_seconds": (0.05, 60),
    "queue_limit": (0, 100_000),
    "drain_seconds": (0, 22),
    "cpus": (0, 1_024),
}


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from environment variables, defaults where they are unset or empty.

    Raises SettingsFault naming every bad value and every BINCOUNT_ variable that does not exist.
    """
    faults: list[str] = []
    values: dict[str, Any] = {"batch": environment.get("SAGEMAKER_BATCH", "").lower() == "true"}
    defaults = Settings()
    known = [field.name for field in fields(Settings) if field.name != "batch"]
    for name in known:
        text = environment.get(PREFIX + name.upper(), "")
        if text:
            values[name] = _parse(name, text, getattr(defaults, name), faults)
    unknown = sorted(v for v in environment if v.startswith(PREFIX) and v[len(PREFIX) :].lower() not in known)
    faults += [f"{variable}: no such setting" for variable in unknown]
    if faults:
        raise SettingsFault("; ".join(faults))
    settings = Settings(**values)
    if settings.buffered_bytes < settings.max_body_bytes:
        raise SettingsFault(
            f"{PREFIX}BUFFERED_BYTES: expected at least {PREFIX}MAX_BODY_BYTES "
            f"({settings.max_body_bytes}), got {settings.buffered_bytes}"
        )
    return settings


def _parse(name: str, text: str, default: object, faults: list[str]) -> object:
    """One value, or its default and a fault."""
    variable = PREFIX + name.upper()
    if isinstance(default, str):
        if len(text) <= 63 and text.isascii() and text.isprintable():
            return text
        faults.append(f"{variable}: expected up to 63 printable ASCII characters, got {text[:80]!r}")
        return default
    least, most = _BOUNDS[name]
    kind = int if isinstance(default, int) else float
    try:
        value = kind(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        what = "a whole number" if kind is int else "a number"
        faults.append(f"{variable}: expected {what} from {least} to {most}, got {text[:80]!r}")
        return default
    return value
