"""The customer-managed key of a stage: bucket, logs, volumes and notifications."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.shared.tags import kept_on_destroy, tag_part

# docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html, the wildcards are that page's.
LOGS_ACTIONS = ("kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*")


class StageKey(kms.Key):
    """Rotates yearly. `retain` keeps it when the stack is destroyed: what it encrypted needs it.

    The account's own roles use it by their policies; the services below use it for this account alone.
    """

    def __init__(self, scope: Construct, id: str, *, name: str, retain: bool) -> None:
        super().__init__(
            scope,
            id,
            alias=f"alias/{name}",
            description=f"Everything of {name}",
            enable_key_rotation=True,
            removal_policy=kept_on_destroy(retain),
            pending_window=None if retain else Duration.days(7),
        )
        tag_part(self)
        stack = Stack.of(self)
        context = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:*"
        logs = iam.ServicePrincipal(
            f"logs.{stack.region}.amazonaws.com",
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": context}},
        )
        self._grant(logs, *LOGS_ACTIONS)
        for service in ("cloudwatch", "budgets"):  # each publishes to the alarm topic
            publisher = iam.ServicePrincipal(
                f"{service}.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
            )
            self._grant(publisher, "kms:Decrypt", "kms:GenerateDataKey")

    def _grant(self, principal: iam.ServicePrincipal, *actions: str) -> None:
        # In a key's own policy `*` is the key.
        self.add_to_resource_policy(
            iam.PolicyStatement(actions=list(actions), resources=["*"], principals=[principal])  # pyright: ignore[reportArgumentType]
        )
