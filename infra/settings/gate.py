"""Settings of the gate before the registry."""

from pydantic import Field

from infra.settings.section import InstanceType, Section, no_graviton, rule


class Gate(Section):
    """What a model must reach on the `report` images before it may serve, and where that is found out."""

    min_accuracy: float = Field(0.35, ge=0.0, le=1.0, description="lowest accuracy")
    max_rmse: float = Field(1.5, gt=0.0, le=100.0, description="highest root mean squared error, objects")
    min_within_one: float = Field(
        0.7, ge=0.0, le=1.0, description="lowest share of answers at most one object off"
    )
    min_coverage: float = Field(
        0.85,
        ge=0.0,
        le=1.0,
        description="lowest share of intervals that hold the true count (they promise 0.9)",
    )
    level: float = Field(
        0.05,
        gt=0.0,
        le=0.5,
        description="level of the paired test; a challenger worse than the champion by a p below is refused",
    )
    min_images: int = Field(
        200,
        ge=1,
        le=1_000_000,
        description="a model judged on fewer bins waits for a person, whatever release.approval says",
    )
    instance_type: InstanceType = Field(
        "ml.c7i.xlarge",
        description="instance type of the gate's processing job (SageMaker has no Graviton there)",
    )
    volume_gib: int = Field(30, ge=1, le=16_384, description="disk of the processing job, GiB")
    max_runtime_seconds: int = Field(
        4 * 3600, ge=60, le=5 * 86_400, description="the processing job is stopped after this, seconds"
    )

    @rule("instance_type")
    def _is_no_graviton(self) -> str | None:
        return no_graviton(self.instance_type, jobs="processing jobs")
