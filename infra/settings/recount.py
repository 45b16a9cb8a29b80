"""Settings of the recount of a whole site."""

from pydantic import Field

from infra.settings.section import BucketName, InstanceType, Section, no_graviton, rule

PAYLOAD_MEGABYTES = 6  # the server's own limit of a body
# SageMaker: MaxConcurrentTransforms x MaxPayloadInMB is at most 100.
MOST_CONCURRENT = 100 // PAYLOAD_MEGABYTES


class Recount(Section):
    """The batch transform and what joins its answers."""

    instance_type: InstanceType = Field("ml.c7i.xlarge", description="instance type of the transform job")
    instances: int = Field(1, ge=1, le=20, description="instances of the transform job")
    max_concurrent_transforms: int = Field(
        8, ge=1, le=MOST_CONCURRENT, description="images in flight on one instance"
    )
    buckets: tuple[BucketName, ...] = Field(
        (), description="further buckets whose images and manifests may be read, beside sites/ in the stage's"
    )
    memory_mib: int = Field(1769, ge=512, le=10_240, description="memory of the recount's Lambda, MiB")
    max_concurrency: int = Field(
        20, ge=1, le=1_000, description="Lambda invocations at a time that join answers (1,000 images each)"
    )
    timeout_hours: int = Field(24, ge=1, le=24 * 7, description="a recount is given up after this, hours")

    @rule("instance_type")
    def _is_no_graviton(self) -> str | None:
        return no_graviton(self.instance_type, jobs="transform jobs")
