"""The role of the endpoint: reads its model, writes its logs; the image grants its own pull."""

from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.sagemaker_role import SageMakerRole


class EndpointRole(SageMakerRole):
    """Assumed by SageMaker for the serving model of this stage."""

    def __init__(self, scope: Construct, id: str, *, bucket: s3.IBucket) -> None:
        super().__init__(scope, id, log_groups="/aws/sagemaker/Endpoints/*")
        bucket.grant_read(self, "models/*")
