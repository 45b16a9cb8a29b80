"""The Operations stack: alarms, their topic, the dashboard, the budget. The others need not exist for it."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.alarm_topic import AlarmTopic
from infra.alarms import Alarms
from infra.budget import Budget
from infra.dashboard import Dashboard
from infra.data_stack import DataStack
from infra.names import Names
from infra.settings import Settings


class OperationsStack(Stack):
    """Watches metrics by their fixed names, so it neither waits for the other stacks nor they for it."""

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, data: DataStack, **kwargs: object
    ) -> None:
        super().__init__(scope, id, **kwargs)  # pyright: ignore[reportArgumentType]
        names = Names(settings.stage)
        operations = settings.operations
        topic = AlarmTopic(self, "Topic", name=names.alarm_topic, email=operations.email, key=data.key)
        alarms = Alarms(self, "Alarms", settings=operations, names=names, topic=topic)  # pyright: ignore[reportArgumentType]
        Dashboard(self, "Dashboard", names=names, max_count=settings.training.max_count, alarms=alarms.all)
        if operations.monthly_usd:
            Budget(
                self,
                "Budget",
                name=names.prefix,
                monthly_usd=operations.monthly_usd,
                topic_arn=topic.topic_arn,
            )
        CfnOutput(self, "TopicArn", value=topic.topic_arn)
