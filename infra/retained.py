"""What outlives `cdk destroy` where `retain_data` says so, and how it is found again."""

from aws_cdk import RemovalPolicy, Stack, Tags
from constructs import Construct

PART = "part"
"""A tag on each bucket and key, by which `make adopt` and `make teardown` find them."""


def kept_on_destroy(retain: bool) -> RemovalPolicy:
    """The policy of a resource that holds data.

    A kept one goes all the same when the deployment that made it fails: it is empty, and would only stand in
    the next deployment's way.
    """
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if retain else RemovalPolicy.DESTROY


def tag_part(resource: Construct) -> None:
    """Tag a bucket or key as `<stack>/<its construct's id>`: CloudFormation names neither predictably."""
    Tags.of(resource).add(PART, f"{Stack.of(resource).stack_name}/{resource.node.id}")
