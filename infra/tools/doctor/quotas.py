"""Holds the account's quotas to what the stage needs (infra/tools/quotas.py)."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from infra.tools.doctor.finding import Finding, look, missing, ok, unknown
from infra.tools.doctor.subject import Subject
from infra.tools.quotas import Quota, quotas

MAP_CONCURRENCY = "map-concurrency"
"""As docs/first-account.md names what is believed of Lambda's quota; all others are `quotas` there."""


def held_quotas(subject: Subject) -> Iterable[Finding]:
    """A finding for each quota that the settings need; one for a service whose quotas cannot be looked at."""
    for service, needed in groupby(quotas(subject.settings), key=lambda quota: quota.service):
        wanted = [*needed]
        yield from look(
            f"quotas of {service}",
            lambda service=service, wanted=wanted: _of_service(subject, service, wanted),
            next=_listing(service, subject.region),
        )


def _of_service(subject: Subject, service: str, wanted: list[Quota]) -> Iterator[Finding]:
    """ListServiceQuotas leaves out what was never applied to the account: AWS's defaults fill the gaps."""
    client = subject.client("service-quotas")
    applied = _values(client, "list_service_quotas", service)
    defaults = _values(client, "list_aws_default_service_quotas", service)
    for quota in wanted:
        own = applied.get(quota.name)
        yield _held(quota, own or defaults.get(quota.name), subject.region, is_default=own is None)


def _values(client: Any, operation: str, service: str) -> dict[str, tuple[float, str]]:
    pages = client.get_paginator(operation).paginate(ServiceCode=service)
    return {
        quota["QuotaName"]: (quota["Value"], quota["QuotaCode"]) for page in pages for quota in page["Quotas"]
    }


def _held(quota: Quota, found: tuple[float, str] | None, region: str, *, is_default: bool) -> Finding:
    name, prefix = f"quotas: {quota.name}", ""
    if quota.service == "lambda":
        name, prefix = MAP_CONCURRENCY, f"{quota.name}: "
    wanted = f"{quota.needed} needed ({quota.reason})"
    if found is None:
        text = f"{prefix}{wanted}; Service Quotas lists none of that name: not offered in {region}?"
        return unknown(name, text, next=_listing(quota.service, region))
    value, code = found
    allowed = f"{prefix}{value:g} allowed{', the default of AWS' if is_default else ''}, {wanted}"
    if value >= quota.needed:
        return ok(name, allowed)
    request = (
        f"aws service-quotas request-service-quota-increase --service-code {quota.service} "
        f"--quota-code {code} --desired-value {quota.needed} --region {region}"
    )
    return missing(name, allowed, next=request)


def _listing(service: str, region: str) -> str:
    return f"aws service-quotas list-aws-default-service-quotas --service-code {service} --region {region}"
