"""The environment variables with which AWS clients reach an embedded cloud, and no other."""

import os
from collections.abc import Mapping

from embedded_cloud.identity import ACCOUNT, REGION
from embedded_cloud.settings import Settings

_LEADS_ELSEWHERE = ("AWS_", "CDK_")
_THIS_MACHINE = "127.0.0.1,localhost"


def neutral_environment(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`variables` without what could lead an AWS client to a real account, or to 127.0.0.1 by a proxy.

    Profiles, endpoints, regions and what `~/.aws` holds count for nothing. PATH, HOME and proxies stay:
    Node may be anywhere, and pip fetches the packages of a Lambda.
    """
    neutral = {name: value for name, value in variables.items() if not name.startswith(_LEADS_ELSEWHERE)}
    direct = variables.get("no_proxy") or variables.get("NO_PROXY") or ""
    if not direct.endswith(_THIS_MACHINE):
        direct = ",".join(filter(None, (direct, _THIS_MACHINE)))
    return {
        **neutral,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "no_proxy": direct,  # programs differ in which of the two they read
        "NO_PROXY": direct,
    }


def forget_account() -> None:
    """Make this process's own environment neutral, for the AWS clients in it and all that it starts."""
    neutral = neutral_environment()
    os.environ.clear()
    os.environ.update(neutral)


def client_environment(settings: Settings) -> dict[str, str]:
    """Variables for the AWS SDKs, the AWS CLI and the CDK; nothing outside the cloud is asked or written."""
    return {
        "AWS_ENDPOINT_URL": settings.endpoint_url,
        "AWS_ENDPOINT_URL_S3": settings.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",  # sync-states.… is an address of AWS alone
        "AWS_CONFIG_FILE": str(settings.data_dir / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(settings.data_dir / "aws-credentials"),
        "CDK_DEFAULT_ACCOUNT": ACCOUNT,
        "CDK_DEFAULT_REGION": REGION,
        "CDK_HOME": str(settings.data_dir / "cdk"),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
        **trust_environment(settings),
    }


def trust_environment(settings: Settings) -> dict[str, str]:
    """Variables that make botocore, Node and OpenSSL trust the cloud's own certificate.

    AWS's SDKs reach this cloud alone. With the system's roots in their file, the CDK reads 145 certificates
    for each of its connections: half of what `cdk deploy` costs here.
    """
    bundle = str(settings.certificate_bundle)
    return {
        "AWS_CA_BUNDLE": str(settings.certificate),
        "SSL_CERT_FILE": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        "NODE_EXTRA_CA_CERTS": str(settings.certificate),
    }
