"""The account and region of the embedded cloud: one account, one region."""

ACCOUNT = "000000000000"
REGION = "us-east-1"


def sagemaker_arn(resource: str) -> str:
    """The ARN of a SageMaker resource, for example `sagemaker_arn("endpoint/bins")`."""
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{resource}"
