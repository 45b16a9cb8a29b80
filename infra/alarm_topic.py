"""The SNS topic that carries alarms and budget warnings."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.acknowledge import acknowledge


class AlarmTopic(sns.Topic):
    """TLS only; CloudWatch and Budgets publish, for this account alone. `email` empty: nobody listens yet."""

    def __init__(self, scope: Construct, id: str, *, name: str, email: str, key: kms.Key | None) -> None:
        super().__init__(scope, id, topic_name=name, enforce_ssl=True, master_key=key)  # pyright: ignore[reportArgumentType]
        account = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        for service in ("cloudwatch", "budgets"):
            principal = iam.ServicePrincipal(f"{service}.amazonaws.com", conditions=account)
            self.add_to_resource_policy(
                iam.PolicyStatement(
                    actions=["sns:Publish"],
                    resources=[self.topic_arn],
                    principals=[principal],  # pyright: ignore[reportArgumentType]
                )
            )
        if email:
            self.add_subscription(subscriptions.EmailSubscription(email))  # pyright: ignore[reportArgumentType]
        if key is None:
            reason = "CloudWatch cannot publish under AWS's own key; storage.encryption kms gives one of ours"
            acknowledge(self, rule="AwsSolutions-SNS2", reason=reason)
