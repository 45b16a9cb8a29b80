"""Settings of the recount of a whole site."""

from pydantic import Field, model_validator

from infra.settings.section import BucketName, InstanceType, Section

# SageMaker's limit on what is under way: MaxConcurrentTransforms x MaxPayloadInMB, megabytes.
MOST_MEGABYTES_IN_FLIGHT = 100
PAYLOAD_MEGABYTES = 6  # the server's own limit of a body


class Recount(Section):
    """The batch transform and what joins its answers."""

    instance_type: InstanceType = Field("ml.c7i.xlarge", description="instance type of the transform job")
    instances: int = Field(1, ge=1, le=20, description="instances of the transform job")
    max_concurrent_transforms: int = Field(
        8, ge=1, le=16, description="images in flight on one instance (at most 100 MB together)"
    )
    buckets: tuple[BucketName, ...] = Field(
        (), description="further buckets whose images and manifests may be read, beside sites/ in the stage's"
    )
    memory_mib: int = Field(1769, ge=512, le=10_240, description="memory of the recount's Lambda, MiB")
    max_concurrency: int = Field(
        20, ge=1, le=1_000, description="Lambda invocations at a time that join answers (1,000 images each)"
    )
    timeout_hours: int = Field(24, ge=1, le=24 * 7, description="a recount is given up after this, hours")

    @model_validator(mode="after")
    def _is_consistent(self) -> "Recount":
        if self.max_concurrent_transforms * PAYLOAD_MEGABYTES > MOST_MEGABYTES_IN_FLIGHT:
            raise ValueError(
                f"max_concurrent_transforms must be at most {MOST_MEGABYTES_IN_FLIGHT // PAYLOAD_MEGABYTES} "
                f"({MOST_MEGABYTES_IN_FLIGHT} MB in flight, {PAYLOAD_MEGABYTES} MB each)"
            )
        return self
