"""Settings of alarms, budget, schedules and drift, and of how good production is."""

from pydantic import Field

from infra.settings.section import InstanceType, Section, no_graviton, rule

# docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html: six fields, no number 0.
_SCHEDULE = r"rate\([1-9][0-9]* (minute|hour|day)s?\)|cron\([^\s()]+( +[^\s()]+){5}\)"


class Operations(Section):
    """When a person is notified, and what starts by itself."""

    email: str = Field(
        "", pattern=r"^([^@\s]+@[^@\s]+\.[^@\s]+)?$", description="receives the alarms; empty: nobody does"
    )
    max_server_errors: int = Field(
        5, ge=1, le=100_000, description="alarm above so many 5xx answers a minute"
    )
    max_caller_errors: int = Field(
        50, ge=1, le=1_000_000, description="alarm above so many 4xx answers in 5 minutes"
    )
    max_latency_ms: int = Field(
        1_000,
        ge=1,
        le=60_000,
        description="alarm above this p99 latency of the model, milliseconds",
    )
    quiet_hours: int = Field(
        0, ge=0, le=24, description="alarm after so many hours without a request; 0: no such alarm"
    )
    max_review_share: float = Field(
        0.9, gt=0.0, le=1.0, description="alarm above this share of answers that ask for a person, in an hour"
    )
    monthly_usd: int = Field(
        0, ge=0, le=10_000_000, description="AWS budget of the stage, US dollars a month; 0: none"
    )
    retrain: str = Field(
        "",
        pattern=f"^({_SCHEDULE})?$",
        description="schedule of the pipeline, as EventBridge Scheduler writes it; empty: none",
    )
    retrain_on_list: bool = Field(
        False, description="start the pipeline when a file list arrives below requests/ in the bucket"
    )

    @property
    def starts_pipeline(self) -> bool:
        """Whether anything starts the pipeline by itself."""
        return bool(self.retrain) or self.retrain_on_list


class Drift(Section):
    """Whether production still looks like what the model was tested on, every night."""

    enabled: bool = Field(
        False, description="compare each day's answers and images with those of the model's test"
    )
    nights_per_alarm: int = Field(
        100, ge=10, le=1_000, description="where nothing changes, one night in so many rings the alarm"
    )
    answers: int = Field(2_000, ge=100, le=20_000, description="answers of a day that are compared, at most")
    images: int = Field(
        500,
        ge=0,
        le=5_000,
        description="images of a day that a processing job looks at, at most (they need capture.inputs); "
        "0: none",
    )
    baseline_images: int = Field(
        2_000,
        ge=0,
        le=10_000,
        description="test images of which the gate writes the baseline of a model, at most; 0: no baseline",
    )
    # Captured files of a day have arrived by then, and whoever reads the alarm begins work.
    schedule: str = Field(
        "cron(0 4 * * ? *)",
        pattern=f"^({_SCHEDULE})$",
        description="when the day before is looked at, UTC, as EventBridge Scheduler writes it",
    )
    starts_pipeline: bool = Field(
        False,
        description="drift starts the pipeline, once for a model; it never releases, and so needs "
        "release.approval manual",
    )
    instance_type: InstanceType = Field(
        "ml.c7i.xlarge", description="instance type of the processing job (SageMaker has no Graviton there)"
    )
    max_runtime_seconds: int = Field(
        3_600, ge=300, le=86_400, description="the processing job is stopped after this, seconds"
    )

    @rule("instance_type")
    def _is_no_graviton(self) -> str | None:
        return no_graviton(self.instance_type, jobs="processing jobs")

    @rule("starts_pipeline", "enabled")
    def _looks_before_it_starts(self) -> str | None:
        if not self.starts_pipeline or self.enabled:
            return None
        return "needs drift.enabled: without it nobody looks"


class Live(Section):
    """How good production is: answers joined to labels every night (docs/live-accuracy.md)."""

    enabled: bool = Field(
        False,
        description="join answers and labels every night, say how good the model is, and notice that capture "
        "stopped; needs capture.percent",
    )
    window_days: int = Field(
        14,
        ge=2,
        le=60,
        description="figures are of so many days, and labels are joined to answers at most so old, days",
    )
    memory_mib: int = Field(1769, ge=512, le=10_240, description="memory of the function, MiB")
