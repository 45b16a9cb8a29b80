"""Where an event goes that could not start a state machine."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledge import acknowledge


class Undelivered(sqs.Queue):
    """A dead-letter queue for rules and schedules; an alarm rings while something waits in it.

    SQS's own key encrypts it: an event holds names and no data, and EventBridge needs no right to a key.
    """

    def __init__(self, scope: Construct, id: str, *, name: str) -> None:
        super().__init__(
            scope,
            id,
            queue_name=name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),  # the longest that SQS keeps a message
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(self, rule="AwsSolutions-SQS3", reason="it is a dead-letter queue itself")
