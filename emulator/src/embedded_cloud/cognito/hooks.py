"""What of ministack's Cognito is replaced or used, beside the list in `ministack_hooks/hooks.py`."""

from embedded_cloud.ministack_hooks.hook import Module

_COGNITO = Module("ministack.services.cognito")
_EVENT = (
    *("pool_id", "client_id", "username", "user_attrs", "groups", "trigger_source", "version"),
    *("client_metadata", "scope"),
)

REPLACED = (
    Module("ministack.services.apigateway_v1").function(
        "_fetch_jwks", ("url",), reason="the keys of a user pool are not asked for over the network"
    ),
    _COGNITO.function("_build_pretoken_event", _EVENT, reason="the trigger gets the groups at a refresh too"),
)
USED = (
    _COGNITO.function("well_known_jwks", ("pool_id",), reason="the keys of a user pool"),
    _COGNITO.value("_pool_domain_map", reason="which user pool a login's address belongs to"),
    _COGNITO.value("_user_pools", reason="the version of a login, and its clients"),
    _COGNITO.function("_revoke_token", ("data",), reason="POST /oauth2/revoke"),
)
