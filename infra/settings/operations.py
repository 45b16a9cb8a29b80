"""Settings of alarms, budget and schedules."""

from pydantic import Field

from infra.settings.section import Section


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
        # docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html: six fields, no number 0.
        pattern=r"^(rate\([1-9][0-9]* (minute|hour|day)s?\)|cron\([^\s()]+( +[^\s()]+){5}\))?$",
        description="schedule of the pipeline, as EventBridge Scheduler writes it; empty: none",
    )
    retrain_on_list: bool = Field(
        False, description="start the pipeline when a file list arrives below requests/ in the bucket"
    )

    @property
    def starts_pipeline(self) -> bool:
        """Whether anything starts the pipeline by itself."""
        return bool(self.retrain) or self.retrain_on_list
