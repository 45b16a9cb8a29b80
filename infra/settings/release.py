"""When a model may be approved (the gate), and how an approved one is released.

The floors that a stage has where it states none are in infra/training/gate/floors.py.
"""

import math
from typing import Literal

from pydantic import Field

from infra.settings.section import InstanceType, Section, no_graviton, rule


class Gate(Section):
    """What a model must reach on the test images before it may serve, and where that is found out."""

    task: Literal["auto", "public-0-to-5", "public-0-to-5-even", "public-list-1-to-5", "other"] = Field(
        "auto",
        description="task whose best known results (docs/leaderboard.md) bound the floors and whose floors a "
        "null means; auto: as `data_prep` says; other: nothing is known of it",
    )
    min_accuracy: float | None = Field(None, ge=0.0, le=1.0, description="lowest accuracy; null: the task's")
    max_rmse: float | None = Field(
        None, gt=0.0, le=100.0, description="highest root mean squared error, objects; null: the task's"
    )
    min_within_one: float | None = Field(
        None, ge=0.0, le=1.0, description="lowest share of answers at most one object off; null: the task's"
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
        description="level of the paired test; a challenger worse than the champion by a p below is rejected",
    )
    part_loss: float = Field(
        0.1,
        ge=0.02,
        le=0.5,
        description="loss of accuracy that home, or the field, must have test images enough to show before "
        "it decides by itself; 0.1: 184 of them",
    )
    min_images: int = Field(
        200,
        ge=1,
        le=1_000_000,
        description="a model evaluated on fewer bins waits for a person, whatever release.approval says",
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


# A look costs up to 21 events, an execution may take three times the timeout (lock, release, restore), and
# Step Functions ends it at 25,000 events.
MOST_LOOKS = 360


class Release(Section):
    """How an approved model reaches the endpoint."""

    approval: Literal["automatic", "manual"] = Field(
        "manual",
        description="automatic: a gated model is registered as Approved; manual: a person approves it",
    )
    model_card: Literal["off", "package", "card"] = Field(
        "off",
        description="package: each registered model has SageMaker's model card in its package; card: and one "
        "of its own beside it",
    )
    risk_rating: Literal["Unknown", "Low", "Medium", "High"] = Field(
        "Unknown", description="what the model card says of the risk, by your organisation's own criteria"
    )
    poll_seconds: int = Field(15, ge=1, le=300, description="pause between two looks at the stack, seconds")
    timeout_minutes: int = Field(
        60,
        ge=5,
        le=24 * 60,
        description="a release is given up after this, minutes; at most 360 looks must fit in",
    )
    settle_seconds: int = Field(
        60,
        ge=1,
        le=120,
        description="what was put back is looked at again after this, as a write of an aborted release "
        "may land late, seconds",
    )

    @rule("poll_seconds", "timeout_minutes")
    def _fits_the_history(self) -> str | None:
        looks = self.timeout_minutes * 60 / self.poll_seconds
        if looks <= MOST_LOOKS:
            return None
        return (
            f"with release.timeout_minutes of {self.timeout_minutes} this makes {looks:.0f} looks, at most "
            f"{MOST_LOOKS} fit into one execution's history: set it to at least "
            f"{math.ceil(self.timeout_minutes * 60 / MOST_LOOKS)}"
        )
