"""The environment variables with which AWS clients reach an embedded cloud."""

from local.identity import ACCOUNT, REGION
from local.settings import Settings


def client_environment(settings: Settings) -> dict[str, str]:
    """Variables for the AWS SDKs, the AWS CLI and the CDK; nothing outside the cloud is asked or written."""
    variables = {
        "AWS_ENDPOINT_URL": settings.endpoint_url,
        "AWS_ENDPOINT_URL_S3": settings.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(settings.data_dir / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(settings.data_dir / "aws-credentials"),
        "CDK_DEFAULT_ACCOUNT": ACCOUNT,
        "CDK_DEFAULT_REGION": REGION,
        "CDK_HOME": str(settings.data_dir / "cdk"),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
    }
    if settings.strict:
        variables |= trust_environment(settings)
    return variables


def trust_environment(settings: Settings) -> dict[str, str]:
    """Variables that make botocore, Node and OpenSSL trust the cloud's own certificate."""
    bundle = str(settings.certificate_bundle)
    return {
        "AWS_CA_BUNDLE": bundle,
        "SSL_CERT_FILE": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        "NODE_EXTRA_CA_CERTS": str(settings.certificate),
    }
