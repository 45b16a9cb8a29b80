"""How models serve: the endpoint, what it captures, recounts of whole sites."""

import math
from typing import Literal

from pydantic import Field

from infra.settings.section import BucketName, InstanceType, Section, is_graviton, no_graviton, rule


class Capture(Section):
    """Answers that are kept in the bucket, to be joined to later recounts."""

    percent: int = Field(100, ge=0, le=100, description="share of requests whose answers are kept; 0: none")
    inputs: bool = Field(
        False, description="keep images too: those of answers that ask for review, and a sample of the others"
    )
    sampled_share: float = Field(
        0.05, ge=0.0, le=1.0, description="with inputs: share of the other answers whose images are kept"
    )

    @property
    def keeps_images(self) -> bool:
        """Whether images leave the endpoint."""
        return self.inputs and self.percent > 0


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


class Serving(Section):
    """The endpoint."""

    instance_type: InstanceType = Field("ml.c7i.large", description="endpoint instance type")
    min_instances: int = Field(1, ge=1, le=100, description="fewest instances")
    max_instances: int = Field(2, ge=1, le=100, description="most instances")
    scale_on: Literal["invocations", "concurrency"] = Field(
        "invocations",
        description="what autoscaling holds: invocations per instance and minute, or requests under way",
    )
    concurrency_per_instance: float = Field(
        4.0, gt=0.0, le=1_000.0, description="autoscaling target, requests under way per instance"
    )
    invocations_per_instance: int = Field(
        1_500, ge=1, le=1_000_000, description="autoscaling target, invocations per instance and minute"
    )
    scale_in_cooldown_seconds: int = Field(
        300, ge=0, le=3_600, description="pause after removing instances, seconds"
    )
    scale_out_cooldown_seconds: int = Field(
        60, ge=0, le=3_600, description="pause after adding instances, seconds"
    )
    canary_percent: int = Field(
        0, ge=0, le=50, description="share of the fleet that gets a new model first; 0: all at once"
    )
    linear_percent: int = Field(
        0, ge=0, le=50, description="share of the fleet that gets a new model with each step; 0: no steps"
    )
    rollback_error_share: float = Field(
        0.05,
        gt=0.0,
        le=1.0,
        description="a new fleet is given up above this share of 5xx answers in a minute",
    )
    rollback_latency_ms: int = Field(
        2_000,
        ge=10,
        le=60_000,
        description="… or above this 99th percentile of the server's time, milliseconds",
    )
    bake_seconds: int = Field(
        0,
        ge=0,
        le=3_600,
        description="each step, and the whole new fleet, is watched this long for alarms, seconds",
    )
    base_image: str = Field(
        "public.ecr.aws/docker/library/python:3.13-slim-bookworm"
        "@sha256:01f42367a0a94ad4bc17111776fd66e3500c1d87c15bbd6055b7371d39c124fb",
        pattern=r"^public\.ecr\.aws/[^@\s]+@sha256:[0-9a-f]{64}$",
        description="base of the serving image, from public.ecr.aws, pinned as name:tag@sha256:… "
        "(`make base-image-digest` prints the tag's newest)",
    )

    @property
    def is_arm(self) -> bool:
        """True for Graviton families (c7g, m8gd, …), whose images are built for arm64."""
        return is_graviton(self.instance_type)

    @property
    def rollout_seconds(self) -> int:
        """How long a rollout bakes: once for each step, and once more before the old fleet ends."""
        steps = 2 if self.canary_percent else 1
        if self.linear_percent:
            steps = math.ceil(100 / self.linear_percent)
        return (steps + 1) * self.bake_seconds

    @rule("min_instances", "max_instances")
    def _is_a_range(self) -> str | None:
        if self.min_instances <= self.max_instances:
            return None
        return f"must not exceed max_instances, which is {self.max_instances}"

    @rule("canary_percent", "linear_percent")
    def _goes_one_way(self) -> str | None:
        if not (self.canary_percent and self.linear_percent):
            return None
        return f"excludes linear_percent, which is {self.linear_percent}: set one of them to 0"

    @rule("linear_percent")
    def _takes_steps_that_sagemaker_takes(self) -> str | None:
        return (
            "must be 0 or from 10 to 50 (SageMaker takes no smaller step)"
            if 0 < self.linear_percent < 10
            else None
        )

    @rule("canary_percent", "min_instances")
    def _canary_has_two_instances(self) -> str | None:
        return _step_fault(self.canary_percent, self.min_instances)

    @rule("linear_percent", "min_instances")
    def _steps_have_two_instances(self) -> str | None:
        return _step_fault(self.linear_percent, self.min_instances)

    @rule("bake_seconds", "canary_percent", "linear_percent")
    def _is_watched(self) -> str | None:
        if self.bake_seconds or not (self.canary_percent or self.linear_percent):
            return None
        return "must be above 0 with canary_percent or linear_percent (else nobody looks between the steps)"


def _step_fault(percent: int, instances: int) -> str | None:
    if not percent or instances >= 2:
        return None
    return f"needs min_instances of at least 2, which is {instances} (a step takes one of them)"
