"""A log group that keeps its lines for as long as the settings say."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

_RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}


class StageLogs(logs.LogGroup):
    """`days` is one of the settings' choices; `name` is None for a generated one, `key` for AWS's own key."""

    def __init__(
        self, scope: Construct, id: str, *, days: int, key: kms.Key | None, name: str | None = None
    ) -> None:
        super().__init__(
            scope,
            id,
            log_group_name=name,
            encryption_key=key,
            retention=_RETENTION[days],
            removal_policy=RemovalPolicy.DESTROY,
        )
