"""Puts this folder into ministack's Cognito and CloudFormation."""

from embedded_cloud.cognito.branding import Brandings
from embedded_cloud.cognito.groups import with_groups
from embedded_cloud.cognito.keys import with_own_keys
from embedded_cloud.cognito.login_hosts import with_aws_hosts
from embedded_cloud.ministack_hooks.parts import apigateway_v1, cognito, provisioners
from embedded_cloud.sagemaker.administration import Application

_MANAGED_LOGIN = 2
_BRANDINGS = Brandings()


def install() -> None:
    """Once in a process."""
    cognito._build_pretoken_event = with_groups(cognito._build_pretoken_event, cognito._user_pools)
    apigateway_v1._fetch_jwks = with_own_keys(
        apigateway_v1._fetch_jwks, pools=cognito._user_pools, keys_of=cognito.well_known_jwks
    )
    provisioners._RESOURCE_HANDLERS["AWS::Cognito::ManagedLoginBranding"] = _BRANDINGS.handler()


def at_aws_hosts(application: Application) -> Application:
    """`application` with AWS's own host names in front."""

    def revoke(token: str) -> None:
        cognito._revoke_token({"Token": token})

    return with_aws_hosts(application, shows_pages=_shows_pages, revoke=revoke)


def _shows_pages(domain: str, client: str) -> bool | None:
    pool = cognito._user_pools.get(cognito._pool_domain_map.get(domain, ""))
    if pool is None or client not in pool["_clients"]:
        return None
    version = pool.get("_managed_login_versions", {}).get(domain, 1)
    return version != _MANAGED_LOGIN or _BRANDINGS.branded(client)
