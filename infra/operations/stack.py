"""The Operations stack: alarms, their topic, the dashboard, the budget, drift. No other stack needs it."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.data.stack import DataStack
from infra.monitoring.drift.construct import Drift
from infra.names import Names
from infra.operations.alarms import Alarms
from infra.operations.dashboard import Dashboard
from infra.settings import Settings
from infra.shared.nag import acknowledge
from infra.shared.tags import SYSTEM_TAG


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


class Budget(Construct):
    """Warns at 80 % spent and at 100 % forecast. The tag `system` must be active as a cost allocation tag."""

    def __init__(self, scope: Construct, id: str, *, name: str, monthly_usd: int, topic_arn: str) -> None:
        super().__init__(scope, id)
        subscriber = budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=topic_arn)
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=name,
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=monthly_usd, unit="USD"),
                cost_filters={"TagKeyValue": [f"user:{SYSTEM_TAG}${name}"]},
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=kind,
                        comparison_operator="GREATER_THAN",
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[subscriber],
                )
                for kind, percent in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
        )


class OperationsStack(Stack):
    """Watches metrics by their fixed names, so it neither waits for the other stacks nor they for it."""

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, data: DataStack, **kwargs: object
    ) -> None:
        super().__init__(scope, id, **kwargs)  # pyright: ignore[reportArgumentType]
        names = Names(settings.stage)
        operations = settings.operations
        topic = AlarmTopic(self, "Topic", name=names.alarm_topic, email=operations.email, key=data.key)
        alarms = Alarms(
            self,
            "Alarms",
            settings=operations,
            takes_labels=settings.api.enabled and settings.labels.enabled,
            serves_page=settings.api.enabled and settings.web.enabled,
            keeps_images=settings.capture.keeps_images,
            looks_for_drift=settings.drift.enabled,
            joins_labels=settings.live.enabled,
            names=names,
            topic=topic,  # pyright: ignore[reportArgumentType]
        )
        Dashboard(self, "Dashboard", names=names, max_count=settings.training.max_count, alarms=alarms.all)
        if operations.monthly_usd:
            Budget(
                self,
                "Budget",
                name=names.prefix,
                monthly_usd=operations.monthly_usd,
                topic_arn=topic.topic_arn,
            )
        if settings.drift.enabled:
            Drift(self, "Drift", settings=settings, data=data)
        CfnOutput(self, "TopicArn", value=topic.topic_arn)
