"""The fixed names of a stage's resources (docs/contracts.md)."""

from dataclasses import dataclass

VARIANT = "AllTraffic"
NO_MODEL = "none"


@dataclass(frozen=True)
class Names:
    """Every fixed name of one stage."""

    stage: str

    @property
    def prefix(self) -> str:
        return f"bincount-{self.stage}"

    def stack(self, part: str) -> str:
        return f"{self.prefix}-{part}"

    def parameter(self, what: str) -> str:
        return f"/bincount/{self.stage}/{what}"

    @property
    def endpoint(self) -> str:
        return self.prefix

    @property
    def model_package_group(self) -> str:
        return self.prefix

    @property
    def tuning_jobs(self) -> str:
        """The beginning of their names, and so of their training jobs'. SageMaker takes 32 characters."""
        return f"bins-{self.stage}-"

    @property
    def evaluation_jobs(self) -> str:
        """The beginning of the names of the gate's processing jobs."""
        return f"evaluate-{self.stage}-"

    @property
    def jobs(self) -> tuple[str, ...]:
        """How the names of all SageMaker jobs of the stage begin, those of training/launch.py with them."""
        return (self.tuning_jobs, self.evaluation_jobs, f"try-{self.stage}-", f"{self.recount}-")

    @property
    def pipeline(self) -> str:
        return f"{self.prefix}-pipeline"

    @property
    def release(self) -> str:
        return f"{self.prefix}-release"

    @property
    def alarm_topic(self) -> str:
        return self.stack("alarms")

    def undelivered(self, what: str) -> str:
        """The queue for what could not start a state machine (`what`: pipeline, release)."""
        return self.stack(f"{what}-undelivered")

    @property
    def recount(self) -> str:
        return f"{self.prefix}-recount"
