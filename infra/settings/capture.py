"""Settings of data capture."""

from pydantic import Field

from infra.settings.section import Section


class Capture(Section):
    """Answers that are kept in the bucket, to be joined to later recounts."""

    percent: int = Field(100, ge=0, le=100, description="share of requests whose answers are kept; 0: none")
    inputs: bool = Field(False, description="keep the images too")
