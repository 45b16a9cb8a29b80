"""API Gateway's authorizer for a user pool, and the login of one: what each of them refuses."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from embedded_cloud.cognito.branding import Brandings
from embedded_cloud.cognito.groups import with_groups
from embedded_cloud.cognito.keys import with_own_keys
from embedded_cloud.cognito.login_hosts import with_aws_hosts
from embedded_cloud.ministack_hooks.parts import apigateway_v1, cognito

SCOPES = ["abc/count"]


@pytest.fixture(autouse=True)
def own_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = with_own_keys(
        apigateway_v1._fetch_jwks, pools=cognito._user_pools, keys_of=cognito.well_known_jwks
    )
    monkeypatch.setattr(apigateway_v1, "_fetch_jwks", fetch)


def new_pool() -> str:
    return json.loads(cognito._create_user_pool({"PoolName": "people"})[2])["UserPool"]["Id"]


@pytest.fixture(scope="module")
def pool() -> str:
    return new_pool()


def refused(pool: str, token: str, *, scopes: list[str]) -> bool:
    """Whether a method of an API with this pool's authorizer turns a token away."""
    authorizer = {"providerARNs": [cognito._pool_arn(pool)]}
    check: Awaitable[Any] = apigateway_v1._validate_cognito_authorizer(
        authorizer, {"authorizationScopes": scopes}, {"Authorization": token}, {}, {}
    )
    _, error = asyncio.run(_awaited(check))
    return error is not None


async def _awaited(check: Awaitable[Any]) -> Any:
    return await check


def access(pool: str, *, key_of: str | None = None, **changed: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": f"https://cognito-idp.us-east-1.amazonaws.com/{pool}", "token_use": "access",
        "client_id": "abc",
        "scope": "openid abc/count", "iat": now - 10, "exp": now + 600, "sub": "ann",
    }  # fmt: skip
    return cognito._signed_jwt({**claims, **changed}, key_of or pool, "access")


def test_a_token_of_the_pool_with_the_scope_passes(pool: str) -> None:
    assert not refused(pool, access(pool), scopes=SCOPES)


def test_every_other_token_is_refused(pool: str) -> None:
    now = int(time.time())
    head, body, _ = access(pool).split(".")
    _, other_body, signature = access(pool, sub="eve").split(".")
    tokens = {
        "expired": access(pool, exp=now - 1),
        "of another client": access(pool, client_id="xyz", scope="openid xyz/count"),
        "without the scope": access(pool, scope="openid abc/label"),
        "an ID token's": access(pool, scope=None),
        "of another pool": access(new_pool()),
        "signed by another pool": access(pool, key_of=new_pool()),
        "altered": f"{head}.{body}.{signature}",
        "of nobody": f"{head}.{other_body}.",
        "no token": "Bearer",
    }
    assert [name for name, token in tokens.items() if not refused(pool, token, scopes=SCOPES)] == []


def test_the_trigger_gets_the_groups_at_a_refresh_too() -> None:
    pools = {"p": {"_users": {"ann": {"_groups": ["counting"]}}}}

    def event(**members: Any) -> dict[str, Any]:
        return members

    build = with_groups(event, pools)
    assert build(pool_id="p", username="ann", groups=[])["groups"] == ["counting"]
    assert build(pool_id="p", username="bob", groups=[])["groups"] == []


def answered(shown: bool | None, *, host: str, path: str) -> tuple[list[str], list[Any]]:
    """Paths that reached the cloud, and what was answered before."""
    reached: list[str] = []
    sent: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["path"])

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"body": b""}

    shows: Callable[[str, str], bool | None] = lambda domain, client: shown  # noqa: E731
    scope = {
        "type": "http",
        "path": path,
        "headers": [(b"host", host.encode())],
        "query_string": b"client_id=abc",
    }
    served = with_aws_hosts(application, shows_pages=shows, revoke=lambda token: None)
    asyncio.run(_awaited(served({**scope, "method": "GET"}, receive, send)))
    return reached, sent


def test_a_login_without_a_branding_has_no_pages() -> None:
    login = {"host": "people.auth.us-east-1.amazoncognito.com", "path": "/oauth2/authorize"}
    assert answered(True, **login)[0] == ["/oauth2/authorize"]
    reached, sent = answered(False, **login)
    assert not reached and b"Login pages unavailable" in sent[1]["body"]
    assert answered(None, **login)[1][0]["status"] == 404
    brandings = Brandings()
    wanted = {"UserPoolId": "p", "ClientId": "abc", "UseCognitoProvidedValues": True}
    made, _ = brandings.create("Branding", wanted, "stack")
    with pytest.raises(ValueError, match="has a branding"):
        brandings.create("Again", wanted, "stack")
    brandings.delete(made, wanted)
    assert not brandings.branded("abc")


def test_an_api_answers_under_its_own_name() -> None:
    host = "0a1b2c3d.execute-api.us-east-1.amazonaws.com"
    assert answered(None, host=host, path="/v1/page/index.html")[0] == [
        "/_aws/execute-api/0a1b2c3d/v1/page/index.html"
    ]
