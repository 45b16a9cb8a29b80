"""Cognito trigger before each token: a person's groups become scopes of the access token.

A scope is `<app client>/<right>`. API Gateway asks for those of the page's own client, so that a token of any
other client, group or none opens nothing, and without this trigger nobody can do anything. A group that is
taken away counts at the next token.
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
"""

from typing import Any

RIGHTS = {"counting": "count", "labelling": "label", "reading": "read"}
"""Group of the user pool -> what its people may do on the page."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """The event with `<client>/<right>` among the access token's scopes for each group with a right."""
    groups: list[str] = event["request"]["groupConfiguration"].get("groupsToOverride") or []
    client = event["callerContext"]["clientId"]
    scopes = [f"{client}/{right}" for group, right in RIGHTS.items() if group in groups]
    event["response"]["claimsAndScopeOverrideDetails"] = {"accessTokenGeneration": {"scopesToAdd": scopes}}
    return event
