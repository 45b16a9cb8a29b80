"""Settings of the release."""

from typing import Literal

from pydantic import Field

from infra.settings.section import Section


class Release(Section):
    """How an approved model reaches the endpoint."""

    approval: Literal["automatic", "manual"] = Field(
        "manual",
        description="automatic: a gated model is registered as Approved; manual: a person approves it",
    )
    poll_seconds: int = Field(15, ge=1, le=300, description="pause between two looks at the stack, seconds")
    timeout_minutes: int = Field(
        60, ge=5, le=24 * 60, description="a release is given up after this, minutes"
    )
