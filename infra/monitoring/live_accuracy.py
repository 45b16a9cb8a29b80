"""How good production is: a function looks every 20 minutes, and joins answers and labels every night."""

import json

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.names import VARIANT, Names, Prefix
from infra.settings import Settings
from infra.shared.grants import grant_read, grant_write
from infra.shared.monitoring_function import MonitoringFunction
from infra.shared.nag import explain_wildcards
from infra.shared.state_machine import Undelivered

EVERY = Duration.minutes(20)


class LiveAccuracy(Construct):
    """The function, its schedule, and a queue for runs that failed three times.

    It reads what was captured and labelled, and writes summaries: no image, no label, no captured file.
    """

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, bucket: s3.Bucket, key: kms.Key | None
    ) -> None:
        super().__init__(scope, id)
        names = Names(settings.stage)
        function = MonitoringFunction(
            self,
            "Function",
            part="live",
            settings=settings,
            bucket=bucket,
            key=key,
            memory_mib=settings.live.memory_mib,
            environment={
                "ENDPOINT": names.endpoint,
                "CAPTURED": f"{Prefix.CAPTURE}{names.endpoint}/{VARIANT}/",
                "CAPTURE_PERCENT": str(settings.capture.percent),
                "WINDOW_DAYS": str(settings.live.window_days),
                "FLOORS": json.dumps({**settings.floors, "min_coverage": settings.gate.min_coverage}),
            },
        )
        grant_read(function.own_role, bucket, Prefix.CAPTURE, Prefix.LABELS, Prefix.LIVE, Prefix.JOINED)
        grant_write(function.own_role, bucket, Prefix.LIVE, Prefix.JOINED)
        function.own_role.add_to_policy(
            iam.PolicyStatement(actions=["cloudwatch:GetMetricStatistics"], resources=["*"])
        )
        explain_wildcards(function.own_role, {"Resource::*": "CloudWatch knows no resources for this action"})
        failed = Undelivered(self, "Failed", name=names.undelivered("live"))
        events.Rule(
            self,
            "Schedule",
            description="Looks at what production answered; joins labels once a night",
            schedule=events.Schedule.rate(EVERY),
            targets=[function.called_by_events(failed=failed, within=Duration.hours(1))],
        )
