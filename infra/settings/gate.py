"""Settings of the gate before the registry."""

from pydantic import Field

from infra.settings.section import Section


class Gate(Section):
    """What a model must reach on the `report` images before it may be registered."""

    min_accuracy: float = Field(0.35, ge=0.0, le=1.0, description="lowest accuracy")
    max_rmse: float = Field(1.5, gt=0.0, le=100.0, description="highest root mean squared error, objects")
    min_within_one: float = Field(
        0.7, ge=0.0, le=1.0, description="lowest share of answers at most one object off"
    )
