"""`POST /labels`: a small Lambda checks and stores what people counted; who may send it has a policy."""

from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.names import Prefix
from infra.settings import Settings
from infra.shared.grants import grant_read, grant_write
from infra.shared.monitoring_function import MonitoringFunction
from infra.shared.nag import explain_wildcards

PATH = "labels"


class LabelFunction(MonitoringFunction):
    """Reads and writes labels and nothing else; it cannot delete any."""

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, bucket: s3.IBucket, key: kms.Key | None
    ) -> None:
        super().__init__(
            scope,
            id,
            part="labels",
            settings=settings,
            bucket=bucket,
            key=key,
            memory_mib=512,
            environment={"CAPTURE_PERCENT": str(settings.capture.percent)},
            # API Gateway gives up after 29 s.
            timeout=Duration.seconds(28),
            logs_id=f"{id}Logs",
        )
        grant_read(self.own_role, bucket, Prefix.LABEL_HISTORY)
        grant_write(self.own_role, bucket, Prefix.LABELS, Prefix.LABEL_HISTORY)


def add_label_method(
    *, parent: apigateway.Resource | apigateway.IResource, function: LabelFunction, options: dict[str, Any]
) -> apigateway.Method:
    """Let POST labels below `parent` invoke `function`; `options` say which callers may."""
    integration = apigateway.LambdaIntegration(
        function,  # pyright: ignore[reportArgumentType]
        allow_test_invoke=False,
    )
    return parent.add_resource(PATH).add_method("POST", integration, **options)


class LabellerPolicy(iam.ManagedPolicy):
    """May label and find the API's address, and no more: no count, no release, no object of the bucket.

    Attach it to the role, user or group of the people who recount.
    """

    def __init__(self, scope: Construct, id: str, *, method: apigateway.Method) -> None:
        # CloudFormation gives a stack an id that nobody knows before: a request by name is held to this.
        name = f"{Stack.of(scope).stack_name}/*"
        stack = Stack.of(scope).format_arn(service="cloudformation", resource="stack", resource_name=name)
        super().__init__(
            scope,
            id,
            description="May send labels (POST /labels) and read the address of the API",
            statements=[
                iam.PolicyStatement(actions=["execute-api:Invoke"], resources=[method.method_arn]),
                iam.PolicyStatement(actions=["cloudformation:DescribeStacks"], resources=[stack]),
            ],
        )
        explain_wildcards(self, {f":stack/{name}": "CloudFormation ends a stack's ARN with an id"})
