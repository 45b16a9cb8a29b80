"""One line of what the doctor found, and how a question to AWS becomes one."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from botocore.exceptions import BotoCoreError, ClientError

State = Literal["ok", "missing", "unknown"]
_DENIED = (
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "AuthorizationError",
    "Forbidden",
)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`next` is the exact command or step that corrects or settles it; empty where all is well."""

    name: str
    state: State
    text: str
    next: str = ""

    def record(self) -> dict[str, str]:
        """The finding as a JSON object."""
        return asdict(self)


def ok(name: str, text: str) -> Finding:
    """All is well."""
    return Finding(name=name, state="ok", text=text)


def missing(name: str, text: str, *, next: str) -> Finding:
    """The deploy or the first run would fail on it."""
    return Finding(name=name, state="missing", text=text, next=next)


def unknown(name: str, text: str, *, next: str) -> Finding:
    """It cannot be asked, or the caller may not."""
    return Finding(name=name, state="unknown", text=text, next=next)


def look(name: str, question: Callable[[], Iterable[Finding]], *, next: str) -> list[Finding]:
    """The findings of a question; where AWS does not answer it, one more that says so in AWS's own words.

    `next` is a command with which a person asks the same.
    """
    found: list[Finding] = []
    try:
        found.extend(question())
    except ClientError as error:
        code, message = error_of(error)
        denied = code in _DENIED or "not authorized" in message
        text = f"you may not look: {message}" if denied else f"AWS answers {code}: {message}"
        found.append(unknown(name, text, next=next))
    except BotoCoreError as error:
        found.append(unknown(name, f"AWS cannot be asked: {error}", next=next))
    return found


def error_of(error: ClientError) -> tuple[str, str]:
    """Code and message of an AWS error."""
    answer = error.response.get("Error", {})
    return str(answer.get("Code", "")), str(answer.get("Message", error))
