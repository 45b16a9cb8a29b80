"""What the caller's environment says of accounts, endpoints and proxies counts for nothing."""

import os

from embedded_cloud.environment import neutral_environment

CALLER = {
    "PATH": "/opt/node/bin:/usr/bin",
    "HOME": "/home/somebody",
    "AWS_PROFILE": "prod",
    "AWS_ENDPOINT_URL_SSM": "https://ssm.eu-west-1.amazonaws.com",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_CONFIG_FILE": "/home/somebody/.aws/config",
    "CDK_DEFAULT_ACCOUNT": "111111111111",
    "http_proxy": "http://proxy:3128",
    "NO_PROXY": "intranet",
}


def test_accounts_and_endpoints_go_and_proxies_are_for_other_machines() -> None:
    assert neutral_environment(CALLER) == {
        "PATH": "/opt/node/bin:/usr/bin",
        "HOME": "/home/somebody",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "http_proxy": "http://proxy:3128",
        "no_proxy": "intranet,127.0.0.1,localhost",
        "NO_PROXY": "intranet,127.0.0.1,localhost",
    }


def test_forgetting_twice_is_forgetting_once() -> None:
    once = neutral_environment(CALLER)
    assert neutral_environment(once) == once
