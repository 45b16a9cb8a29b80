"""The role of the endpoint: reads its model, writes its logs and answers; the image grants its pull."""

from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.bucket_access import let_encrypt_volumes, let_read, let_write
from infra.sagemaker_role import SageMakerRole
from infra.stage_network import StageNetwork


class EndpointRole(SageMakerRole):
    """Assumed by SageMaker for the serving model of this stage."""

    def __init__(self, scope: Construct, id: str, *, bucket: s3.IBucket, network: StageNetwork) -> None:
        super().__init__(scope, id, log_groups="/aws/sagemaker/Endpoints/*", network=network)
        let_encrypt_volumes(self, bucket)
        let_read(self, bucket, "models/")
        let_write(self, bucket, "capture/")
