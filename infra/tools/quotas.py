"""`python -m infra.tools.quotas` prints the quotas that each stage needs; docs/quotas.md holds them."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from infra import settings
from infra.settings import Settings

HEAD = (
    "| quota, as Service Quotas names it | service | {stages} | new account | for |\n|---|---|{rule}---|---|"
)


@dataclass(frozen=True, kw_only=True)
class Quota:
    """`name` is that of Service Quotas, `service` its ServiceCode; `needed` in the quota's own unit.

    `new` is what AWS gives a new account, as text: it differs from account to account.
    """

    service: str
    name: str
    needed: int
    new: str
    reason: str


def quotas(chosen: Settings) -> Iterator[Quota]:
    """What the stage uses at most at a time. An endpoint's update runs both fleets: twice the instances."""
    training, serving, recount = chosen.training, chosen.serving, chosen.recount
    trials = training.instance_count * training.max_parallel_jobs
    kind = "spot training job" if training.spot else "training job"
    yield _sagemaker(
        f"{training.instance_type} for {kind} usage", trials, "the tuning job's trials at a time"
    )
    processing = {chosen.gate.instance_type: ["the gate"]}
    if chosen.drift.enabled:
        processing.setdefault(chosen.drift.instance_type, []).append("drift at night")
    for instance_type, jobs in processing.items():
        yield _sagemaker(f"{instance_type} for processing job usage", len(jobs), " and ".join(jobs))
    fleets = 2 * serving.max_instances
    yield _sagemaker(
        f"{serving.instance_type} for endpoint usage",
        fleets,
        "the fleet, twice while a release moves to a new one",
    )
    yield _sagemaker(
        f"{recount.instance_type} for transform job usage", recount.instances, "a recount of a site"
    )
    yield _sagemaker("Number of instances across training jobs", trials, "the same trials, all types", "4")
    yield _sagemaker("Number of instances across active endpoints", fleets, "both fleets, all types", "4")
    lambdas = max(chosen.data_prep.max_concurrency, recount.max_concurrency)
    yield Quota(
        service="lambda",
        name="Concurrent executions",
        needed=lambdas + 10,
        new="10 to 1,000",
        reason="the maps of data preparation and recount, and 10 for the rest; with fewer they wait",
    )
    for machine in ("ARM", "Linux") if serving.is_arm else ("Linux",):  # the gate's image is x86 always
        yield Quota(
            service="codebuild",
            name=f"Concurrently running builds for {machine}/Small environment",
            needed=1,
            new="1 to 60, at times 0",
            reason="the build of the serving image",
        )
    if chosen.network.vpc == "created":
        yield Quota(
            service="vpc",
            name="VPCs per Region",
            needed=1,
            new="5",
            reason="beside those that the account has",
        )


def table(stages: dict[str, Settings]) -> str:
    """Markdown, a line a quota; a stage that does not need it has a dash."""
    needed: dict[tuple[str, str], dict[str, int]] = {}
    shown: dict[tuple[str, str], Quota] = {}
    for stage, chosen in stages.items():
        for quota in quotas(chosen):
            key = (quota.service, quota.name)
            needed.setdefault(key, {})[stage] = quota.needed
            shown[key] = quota
    lines = [HEAD.format(stages=" | ".join(f"`{s}`" for s in stages), rule="---|" * len(stages))]
    for key, quota in shown.items():
        counts = " | ".join(str(needed[key].get(stage, "-")) for stage in stages)
        lines.append(f"| {quota.name} | {quota.service} | {counts} | {quota.new} | {quota.reason} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table of all stages of cdk.json."""
    context = settings.context_of_cdk_json()
    print(table({name: settings.load({**context, "stage": name}.get) for name in context["stages"]}))


def _sagemaker(name: str, needed: int, reason: str, new: str = "0 to 2") -> Quota:
    return Quota(service="sagemaker", name=name, needed=needed, new=new, reason=reason)


if __name__ == "__main__":
    try:
        main()
    except settings.SettingsError as error:
        sys.exit(f"error: {error}")
