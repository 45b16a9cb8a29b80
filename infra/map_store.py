"""What a Distributed Map reads and writes, without the rights on the whole bucket that the CDK would add."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn


class MapItems(sfn.S3JsonItemReader):
    """The list of items in the stage's bucket; the state machine's role is granted its prefix elsewhere."""

    def provide_policy_statements(self) -> list[iam.PolicyStatement]:
        """None: `let_read` grants what is read."""
        return []


class MapResults(sfn.ResultWriterV2):
    """The results in the stage's bucket; the state machine's role is granted their prefix elsewhere."""

    def provide_policy_statements(self) -> list[iam.PolicyStatement]:
        """None: `let_write` grants what is written."""
        return []
