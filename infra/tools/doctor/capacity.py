"""Whether the instance types that the stage names are offered in its region and zones."""

from collections.abc import Iterable
from typing import Any

from botocore.session import get_session

from infra.tools.doctor.finding import Finding, missing, ok
from infra.tools.doctor.subject import Subject

# The enumerations of SageMaker's service model that hold the instance types of each kind of work.
_ENUMS = {
    "training": "TrainingInstanceType",
    "endpoint": "ProductionVariantInstanceType",
    "gate": "ProcessingInstanceType",
    "recount": "TransformInstanceType",
}


def instance_types(subject: Subject) -> Iterable[Finding]:
    """SageMaker's API knows each type for that work, and EC2 offers it in the region.

    SageMaker has no question for its own offer; where EC2 has none of a type, SageMaker has none either.
    """
    model: Any = get_session().get_service_model("sagemaker")
    types = _types(subject)
    offers = _offers(subject, "region", set(types.values()))
    region = offers.get(subject.region, set())
    for kind, instance_type in types.items():
        known: list[str] = model.shape_for(_ENUMS[kind]).enum
        name, setting = f"instance type: {kind}", _setting(kind)
        if instance_type not in known:
            family = f"{instance_type.rpartition('.')[0]}."
            like = sorted(each for each in known if each.startswith(family))[:6]
            step = f"set {setting} in cdk.json to another, such as {', '.join(like) or known[0]}"
            yield missing(name, f"SageMaker has no {instance_type} for this work", next=step)
        elif _bare(instance_type) not in region:
            step = f"set {setting} in cdk.json to a type that {subject.region} has, or take another region"
            yield missing(name, f"EC2 offers no {_bare(instance_type)} in {subject.region}", next=step)
        else:
            yield ok(name, f"{instance_type} is offered in {subject.region}")


def zones(subject: Subject) -> Iterable[Finding]:
    """With a network: each zone of its subnets has the instance types that are used in it."""
    if subject.settings.network.vpc == "off":
        return [ok("zones", "no VPC: SageMaker chooses the zone")]
    types = _types(subject)
    wanted = {kind: types[kind] for kind in ("training", "endpoint", "gate", "recount")}
    offers = _offers(subject, "availability-zone", set(wanted.values()))
    chosen = _zones(subject)
    bad = {
        f"{_bare(each)} in {zone}"
        for zone in chosen
        for each in wanted.values()
        if _bare(each) not in offers.get(zone, set())
    }
    if not bad:
        return [ok("zones", f"{', '.join(chosen)} offer all instance types")]
    whole = [zone for zone, has in sorted(offers.items()) if {_bare(each) for each in wanted.values()} <= has]
    setting = "subnet_ids" if subject.settings.network.vpc == "existing" else "availability_zones"
    step = f"set network.{setting} in cdk.json to zones of {', '.join(whole) or 'another region'}"
    return [missing("zones", f"EC2 offers no {', no '.join(sorted(bad))}", next=step)]


def _zones(subject: Subject) -> list[str]:
    """Those of the subnets: named, of an existing VPC, or the region's first two, as the CDK takes them."""
    network, ec2 = subject.settings.network, subject.client("ec2")
    if network.vpc == "existing":
        subnets = ec2.describe_subnets(SubnetIds=[*network.subnet_ids])["Subnets"]
        return sorted({subnet["AvailabilityZone"] for subnet in subnets})
    if network.availability_zones:
        return [*network.availability_zones]
    region = [{"Name": "region-name", "Values": [subject.region]}]
    found = ec2.describe_availability_zones(Filters=region)["AvailabilityZones"]
    return sorted(zone["ZoneName"] for zone in found)[:2]


def _offers(subject: Subject, kind: str, types: set[str]) -> dict[str, set[str]]:
    """{region or zone: EC2's names of those types that it has}."""
    pages = subject.client("ec2").get_paginator("describe_instance_type_offerings")
    only = [{"Name": "instance-type", "Values": sorted(_bare(each) for each in types)}]
    found: dict[str, set[str]] = {}
    for page in pages.paginate(LocationType=kind, Filters=only):
        for offer in page["InstanceTypeOfferings"]:
            found.setdefault(offer["Location"], set()).add(offer["InstanceType"])
    return found


def _types(subject: Subject) -> dict[str, str]:
    settings = subject.settings
    return {
        "training": settings.training.instance_type,
        "endpoint": settings.serving.instance_type,
        "gate": settings.gate.instance_type,
        "recount": settings.recount.instance_type,
    }


def _setting(kind: str) -> str:
    return {"endpoint": "serving"}.get(kind, kind) + ".instance_type"


def _bare(instance_type: str) -> str:
    return instance_type.removeprefix("ml.")
