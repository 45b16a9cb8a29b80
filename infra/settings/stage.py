"""All settings of one stage, and those of its network, its storage and its roles."""

import math
from typing import Annotated, Literal

from pydantic import Field

from infra.settings.api import Api, Labels
from infra.settings.data_prep import PUBLIC_SOURCE, DataPrep
from infra.settings.experiments import Experiments
from infra.settings.instances import regions_with_training_images
from infra.settings.operations import Drift, Live, Operations
from infra.settings.release import MOST_LOOKS, Gate, Release
from infra.settings.section import Section, TagName, TagValue, defaults_of, rule, sections
from infra.settings.serving import Capture, Recount, Serving
from infra.settings.training import Training
from infra.settings.web import Web
from infra.training.gate.floors import TASKS, floor_fault
from infra.training.gate.known_results import ALL, EVEN, LIST, OTHER


class Security(Section):
    """What the account's owner demands of every role."""

    permissions_boundary: str = Field(
        "",
        pattern=r"^(arn:aws[a-z-]*:iam::\d{12}:policy/[\w+=,.@/-]+|[\w+=,.@/-]+)?$",
        description="managed policy (ARN, or a name in this account) that bounds every role; empty: none",
    )


# EC2's ids: 8 hex digits for old ones, 17 for those made since 2018.
SubnetId = Annotated[str, Field(pattern=r"^subnet-([0-9a-f]{8}|[0-9a-f]{17})$")]
SecurityGroupId = Annotated[str, Field(pattern=r"^sg-([0-9a-f]{8}|[0-9a-f]{17})$")]

Zone = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d[a-z]$")]


class Network(Section):
    """The network of the endpoint and the training jobs."""

    vpc: Literal["off", "created", "existing"] = Field(
        "off",
        description="off: SageMaker's own; created: a VPC without a way to the internet; existing: yours",
    )
    availability_zones: tuple[Zone, ...] = Field(
        (),
        max_length=6,
        description="with vpc created: the zones of its subnets, such as us-east-1b; empty: the region's "
        "first two. Name those that have your instance types (`aws ec2 describe-instance-type-offerings "
        "--location-type availability-zone`)",
    )
    subnet_ids: tuple[SubnetId, ...] = Field(
        (), max_length=16, description="with vpc existing: private subnets"
    )
    security_group_ids: tuple[SecurityGroupId, ...] = Field(
        (), max_length=5, description="with vpc existing: security groups"
    )

    @rule("availability_zones", "vpc")
    def _names_zones_of_its_own_vpc(self) -> str | None:
        zones = self.availability_zones
        if zones and self.vpc != "created":
            return f'needs network.vpc "created", which is "{self.vpc}": set it, or remove these'
        if len(set(zones)) < len(zones):
            return "must differ from one another"
        return "must be of one region" if len({zone[:-1] for zone in zones}) > 1 else None

    @rule("subnet_ids", "vpc")
    def _names_subnets(self) -> str | None:
        return _needed_by_existing(self.vpc, self.subnet_ids, such_as="subnet-0123456789abcdef0")

    @rule("security_group_ids", "vpc")
    def _names_groups(self) -> str | None:
        return _needed_by_existing(self.vpc, self.security_group_ids, such_as="sg-0123456789abcdef0")


def _needed_by_existing(vpc: str, ids: tuple[str, ...], *, such_as: str) -> str | None:
    if vpc == "existing" and not ids:
        return f'network.vpc "existing" needs at least one here, such as ["{such_as}"]'
    if vpc != "existing" and ids:
        return f'needs network.vpc "existing", which is "{vpc}": set it, or remove these'
    return None


class Storage(Section):
    """How data are encrypted and how long they are kept. Old versions follow their own rule."""

    encryption: Literal["s3", "kms"] = Field(
        "s3",
        description="s3: keys of S3 and of each service; kms: one customer-managed key, rotated yearly, for "
        "bucket, logs, volumes and notifications",
    )
    old_versions_days: int = Field(
        30, ge=1, le=3_650, description="replaced and deleted objects are kept this long, days"
    )
    datasets_days: int = Field(0, ge=0, le=3_650, description="datasets expire after this, days; 0: never")
    runs_days: int = Field(
        30, ge=1, le=3_650, description="work lists of data preparation expire after this, days"
    )
    checkpoints_days: int = Field(14, ge=1, le=3_650, description="checkpoints expire after this, days")
    captures_days: int = Field(90, ge=1, le=3_650, description="captured answers expire after this, days")
    images_days: int = Field(
        90, ge=1, le=3_650, description="kept images of captured answers expire after this, days"
    )
    labels_days: int = Field(
        730, ge=0, le=3_650, description="labels, with who gave them, expire after this, days; 0: never"
    )
    access_logs_days: int = Field(
        90, ge=1, le=3_650, description="the bucket's access logs are kept this long, days"
    )


SYSTEM_TAG = "system"
OWN_TAGS = ("project", "stage", SYSTEM_TAG)  # of every resource (infra/shared/tags.py)
KEPT_TAGS = (SYSTEM_TAG, "part")  # the budget counts by the one, what is left is found by the other
# What new instances take until they serve, with some to spare.
STARTING_SECONDS = 900


class Settings(Section):
    """One stage."""

    stage: str = Field(description="name of the stage, from `-c stage=`; not written into cdk.json")
    region: str = Field("us-east-1", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="AWS region")
    retain_data: bool = Field(True, description="keep the bucket and its objects when the stack is destroyed")
    log_retention_days: Literal[1, 3, 7, 14, 30, 60, 90, 180, 365] = Field(
        30, description="logs are kept this long, days"
    )
    tags: dict[TagName, TagValue] = Field(
        default_factory=dict,
        max_length=40,
        description="tags on every resource",
    )
    storage: Storage = defaults_of(Storage)
    data_prep: DataPrep = defaults_of(DataPrep)
    training: Training = defaults_of(Training)
    experiments: Experiments = defaults_of(Experiments)
    gate: Gate = defaults_of(Gate)
    release: Release = defaults_of(Release)
    serving: Serving = defaults_of(Serving)
    api: Api = defaults_of(Api)
    recount: Recount = defaults_of(Recount)
    capture: Capture = defaults_of(Capture)
    labels: Labels = defaults_of(Labels)
    live: Live = defaults_of(Live)
    web: Web = defaults_of(Web)
    network: Network = defaults_of(Network)
    operations: Operations = defaults_of(Operations)
    drift: Drift = defaults_of(Drift)
    security: Security = defaults_of(Security)

    @rule("tags")
    def _names_each_tag_once(self) -> str | None:
        """IAM says of a role "Duplicate tag keys found", since it knows no capitals in them."""
        kept = [name for name in self.tags if name in KEPT_TAGS]
        if kept:
            return (
                f"{', '.join(kept)} is a tag by which the stage finds and counts what is its own: remove it"
            )
        seen = {name: name for name in OWN_TAGS if name not in self.tags}
        for name in self.tags:
            other = seen.setdefault(name.lower(), name)
            if other != name:
                return f"{name} and {other} are one tag to IAM, which knows no capitals: name one of them"
        return None

    @rule("web.enabled", "api.enabled", "stage")
    def _has_an_api_and_a_name_for_the_page(self) -> str | None:
        if not self.web.enabled:
            return None
        if not self.api.enabled:
            return "the page is served by the API: set api.enabled, or leave this out"
        taken = [word for word in ("aws", "amazon", "cognito") if word in self.stage]
        if taken:
            return f"Cognito takes no address of a login with {taken[0]!r} in it: rename the stage"
        return None

    @rule("network.availability_zones", "region")
    def _has_zones_of_its_region(self) -> str | None:
        strangers = [zone for zone in self.network.availability_zones if zone[:-1] != self.region]
        if not strangers:
            return None
        return f"{', '.join(strangers)} are not of region {self.region}: name zones such as {self.region}a"

    @rule("live.enabled", "capture.percent")
    def _joins_what_is_captured(self) -> str | None:
        if not self.live.enabled or self.capture.percent:
            return None
        return "needs answers that are kept: set capture.percent, such as 100, or this to false"

    @rule("live.window_days", "storage.captures_days")
    def _joins_what_is_still_there(self) -> str | None:
        kept = self.storage.captures_days
        if not self.live.enabled or self.live.window_days < kept:
            return None
        return f"must be below storage.captures_days, which is {kept}: answers older than that are gone"

    @rule("region")
    def _has_a_training_image(self) -> str | None:
        known = regions_with_training_images()
        if self.region in known:
            return None
        return f"AWS has no training image there that the CDK knows of: take one of {', '.join(known)}"

    @rule("training.input_mode", "data_prep.layout")
    def _streams_what_can_be_streamed(self) -> str | None:
        if self.training.input_mode == "File" or self.data_prep.layout != "folders":
            return None
        return (
            'FastFile asks S3 for each image by itself where data_prep.layout is "folders": set that to '
            '"shards" or "both", or this to "File"'
        )

    @rule("data_prep.stored", "training.image_size")
    def _keeps_the_pixels_that_the_network_sees(self) -> str | None:
        stored, seen = self.data_prep.stored, self.training.image_size
        if stored is None or stored.short_side >= seen:
            return None
        return f"its short_side is below training.image_size, {seen}: images would be enlarged again"

    @property
    def task(self) -> str:
        """The key in TASKS of what this stage's models count."""
        data, (low, high) = self.data_prep, self.data_prep.counts
        if self.gate.task != "auto":
            return self.gate.task
        if data.source_kind != "public" or data.source_bucket != PUBLIC_SOURCE:
            return OTHER
        if data.file_list:
            return LIST
        if low > 1 or high != 5 or self.training.max_count < high:
            return OTHER
        return EVEN if data.limit_per_class else ALL

    @property
    def floors(self) -> dict[str, float]:
        """The gate's floors (RMSE: the ceiling), the task's where the stage states none."""
        return {
            name: getattr(TASKS[self.task], name) if (own := getattr(self.gate, name)) is None else own
            for name in ("min_accuracy", "max_rmse", "min_within_one")
        }

    @rule("gate.min_accuracy")
    def _asks_for_no_unknown_accuracy(self) -> str | None:
        return floor_fault("min_accuracy", self.gate.min_accuracy, task=self.task)

    @rule("gate.max_rmse")
    def _asks_for_no_unknown_rmse(self) -> str | None:
        return floor_fault("max_rmse", self.gate.max_rmse, task=self.task)

    @rule("gate.min_within_one")
    def _asks_for_no_unknown_share_within_one(self) -> str | None:
        return floor_fault("min_within_one", self.gate.min_within_one, task=self.task)

    @rule("drift.enabled", "capture.percent")
    def _captures_what_drifts(self) -> str | None:
        if not self.drift.enabled or self.capture.percent:
            return None
        return "needs captured answers: set capture.percent above 0"

    @rule("drift.starts_pipeline", "release.approval")
    def _drift_never_releases(self) -> str | None:
        if not self.drift.starts_pipeline or self.release.approval == "manual":
            return None
        return 'needs release.approval "manual": a model that drift had trained would be released by nobody'

    @rule("release.timeout_minutes")
    def _leaves_time_to_bake(self) -> str | None:
        needed = math.ceil((self.serving.rollout_seconds + STARTING_SECONDS) / 60)
        timeout, poll = self.release.timeout_minutes, self.release.poll_seconds
        if not self.serving.bake_seconds or timeout >= needed:
            return None
        fitting = math.ceil(needed * 60 / MOST_LOOKS)
        pair = f"set it to at least {needed}"
        if poll < fitting:  # the one alone would break the other rule (infra/settings/release.py)
            pair += f" and release.poll_seconds to at least {fitting} (now {poll})"
        return f"ends before a rollout with these serving settings has baked: {pair}"


SECTIONS = tuple(name for name, _ in sections(Settings))
