"""What the doctor's tests share: an account with nothing missing, and how the doctor is asked about it."""

import json
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embedded_cloud.cloud import Cloud

from demo.cloud import BINCOUNT
from infra import settings
from infra.tools.doctor.__main__ import examine
from infra.tools.doctor.finding import Finding
from infra.tools.doctor.subject import Subject
from infra.tools.quotas import quotas
from tests.infra.conftest import context

ROOT = Path(__file__).resolve().parents[3]
BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
READS = re.compile(r"(Get|List|Describe|BatchGet)\w+|TestState")
Look = Callable[..., dict[str, Finding]]


@contextmanager
def complete_account(data: Path) -> Generator[Cloud]:
    """An embedded cloud whose account has all that the stage dev needs."""
    with Cloud(data_dir=data, project=BINCOUNT) as cloud:
        bootstrapped(cloud, "30")
        for quota in quotas(settings.load(context(stage="dev").get)):
            grant(cloud, quota.service, quota.name, quota.needed)
        yield cloud


def bootstrapped(cloud: Cloud, version: str) -> None:
    """The CDK's own stack, as far as the doctor looks at it."""
    cloud.client("ssm").put_parameter(Name=BOOTSTRAP, Value=version, Type="String", Overwrite=True)


def grant(cloud: Cloud, service: str, name: str, value: float) -> None:
    """Raise a quota of the account."""
    client = cloud.client("service-quotas")
    pages = client.get_paginator("list_aws_default_service_quotas").paginate(ServiceCode=service)
    (code,) = [q["QuotaCode"] for page in pages for q in page["Quotas"] if q["QuotaName"] == name]
    client.request_service_quota_increase(ServiceCode=service, QuotaCode=code, DesiredValue=value)


def documented_policy() -> dict[str, Any]:
    """The least rights that docs/doctor.md names."""
    (policy,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs/doctor.md").read_text(), re.DOTALL)
    return json.loads(policy)


def looking(cloud: Cloud, *, user: str, policy: dict[str, Any]) -> Look:
    """{name: finding} for dev with other settings, as a new user with that policy alone sees it.

    Of the named questions, or of all. A call that is more than a look fails the test.
    """
    iam = cloud.client("iam")
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}

    def client(service: str) -> Any:
        made = cloud.client(service, **keys)
        made.meta.events.register("before-call", _only_reads)
        return made

    def look(*only: str, **given: Any) -> dict[str, Finding]:
        caller = client("sts").get_caller_identity()
        subject = Subject(
            client=client,
            settings=settings.load(context(stage="dev", **given).get),
            caller=caller["Arn"],
            account=caller["Account"],
        )
        return {finding.name: finding for finding in examine(subject, only=only)}

    return look


def _only_reads(model: Any, **_: Any) -> None:
    assert READS.fullmatch(model.name), f"the doctor called {model.name}"
