"""Settings of labels: recounts by people, which say how good production is."""

from pydantic import Field

from infra.settings.section import Section


class Labels(Section):
    """The API's route for labels; it needs api.enabled. How long labels are kept: storage.labels_days."""

    enabled: bool = Field(True, description="take labels at the API (`POST /labels`, `bincount label`)")
    requests_per_second: int = Field(
        10, ge=1, le=1_000, description="labels of all callers together, requests per second"
    )
    burst: int = Field(20, ge=1, le=1_000, description="labels of all callers together, requests at once")
