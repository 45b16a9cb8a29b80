"""The fixed names of a stage: resources, SSM parameters, prefixes of the bucket (docs/contracts.md)."""

from dataclasses import dataclass
from typing import Literal

VARIANT = "AllTraffic"
API_STAGE = "v1"
NO_MODEL = "none"
PART = "part"
"""A tag on each bucket and key, by which `make adopt` and `make teardown` find them."""
Parameter = Literal["model", "dataset", "image", "evaluation-image", "training"]
"""The SSM parameters of a stage: the approved model and the newest dataset (seeded once), the serving image
and the one for x86 jobs, and how training/launch.py starts a job."""


class Prefix:
    """Where in the stage's bucket things lie."""

    REQUESTS = "requests/"
    RUNS = "runs/"
    DATASETS = "datasets/"
    WEIGHTS = "weights/"
    CHECKPOINTS = "checkpoints/"
    LAUNCH = "launch/"
    MODELS = "models/"
    EVALUATIONS = "evaluations/"
    CAPTURE = "capture/"
    IMAGES = "images/"
    FORGOTTEN = "forgotten/"
    LABELS = "labels/"
    LABEL_HISTORY = "label-history/"
    PROPOSALS = "proposals/"
    BASELINES = "drift/baselines/"
    NIGHTS = "drift/nights/"
    SITES = "sites/"
    RECOUNTS = "recounts/"
    JOINED = "joined/"
    LIVE = "live/"
    LIVE_ANSWERS = "live/answers/"


@dataclass(frozen=True)
class Names:
    """Every fixed name of one stage."""

    stage: str

    @property
    def prefix(self) -> str:
        """What every other name begins with."""
        return f"bincount-{self.stage}"

    def stack(self, part: str) -> str:
        """The stack of a part: data, training, serving, …"""
        return f"{self.prefix}-{part}"

    @property
    def parameters(self) -> str:
        """The path of all SSM parameters of the stage."""
        return f"/bincount/{self.stage}"

    def parameter(self, what: Parameter) -> str:
        """The name of one SSM parameter."""
        return f"{self.parameters}/{what}"

    @property
    def endpoint(self) -> str:
        """The endpoint."""
        return self.prefix

    @property
    def model_package_group(self) -> str:
        """The registry's group of this stage's models."""
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
        return (
            self.tuning_jobs,
            self.evaluation_jobs,
            f"try-{self.stage}-",
            self.recount_jobs,
            self.drift_jobs,
        )

    @property
    def drift(self) -> str:
        """The state machine that compares a day's answers and images with the model's baseline."""
        return f"{self.prefix}-drift"

    @property
    def drift_jobs(self) -> str:
        """The beginning of the names of its processing jobs."""
        return f"drift-{self.stage}-"

    @property
    def pipeline(self) -> str:
        """The state machine from images to a registered model."""
        return f"{self.prefix}-pipeline"

    @property
    def release(self) -> str:
        """The state machine that brings an approved model to the endpoint."""
        return f"{self.prefix}-release"

    @property
    def sign_in(self) -> str:
        """The function that Cognito calls before each token of the page."""
        return f"{self.prefix}-sign-in"

    @property
    def alarm_topic(self) -> str:
        """The SNS topic of all alarms."""
        return self.stack("alarms")

    def undelivered(self, what: str) -> str:
        """The queue for what could not start a state machine (`what`: pipeline, release)."""
        return self.stack(f"{what}-undelivered")

    @property
    def recount(self) -> str:
        """The state machine that counts a whole site."""
        return f"{self.prefix}-recount"

    @property
    def recount_jobs(self) -> str:
        """The beginning of the names of a recount's model and transform job."""
        return f"{self.recount}-"
