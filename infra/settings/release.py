"""Settings of the release."""

import math
from typing import Literal

from pydantic import Field

from infra.settings.section import Section, rule

# A look costs up to 21 events, an execution may take three times the timeout (lock, release, restore), and
# Step Functions ends it at 25,000 events.
MOST_LOOKS = 360


class Release(Section):
    """How an approved model reaches the endpoint."""

    approval: Literal["automatic", "manual"] = Field(
        "manual",
        description="automatic: a gated model is registered as Approved; manual: a person approves it",
    )
    poll_seconds: int = Field(15, ge=1, le=300, description="pause between two looks at the stack, seconds")
    timeout_minutes: int = Field(
        60,
        ge=5,
        le=24 * 60,
        description="a release is given up after this, minutes; at most 360 looks must fit in",
    )
    settle_seconds: int = Field(
        60,
        ge=1,
        le=120,
        description="what was put back is looked at again after this, as a write of an aborted release "
        "may land late, seconds",
    )

    @rule("poll_seconds", "timeout_minutes")
    def _fits_the_history(self) -> str | None:
        looks = self.timeout_minutes * 60 / self.poll_seconds
        if looks <= MOST_LOOKS:
            return None
        return (
            f"with release.timeout_minutes of {self.timeout_minutes} this makes {looks:.0f} looks, at most "
            f"{MOST_LOOKS} fit into one execution's history: set it to at least "
            f"{math.ceil(self.timeout_minutes * 60 / MOST_LOOKS)}"
        )
