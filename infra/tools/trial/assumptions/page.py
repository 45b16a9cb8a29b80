"""What is assumed of the page in an account, which no trial has: it wants a person who signs in."""

from infra.tools.trial.assumption import Assumption

PART = "Answers"
_BECAUSE = "a person has to sign in, and the trial's stage has no page"

ASSUMPTIONS = (
    Assumption(
        name="page-rights",
        part=PART,
        believed="scopes that the trigger before a token adds, named after the client, are what API "
        "Gateway's authorizer looks for; another token, or an expired one, gets 401",
        ground="D",
        why="Cognito's page on the trigger, API Gateway's on scopes; `CLIENT/count` was not seen",
        shows="`counting` was given, and the page says that this person may not count",
        command="decode the part between the dots of the tab's access token: its `scope`",
        by="nobody yet",
        because=_BECAUSE,
    ),
    Assumption(
        name="page-login",
        part=PART,
        believed="the login has pages with the branding that the stack makes, the address with a part of the "
        "stack's id is free, and the token endpoint may be asked from the page's origin",
        ground="P",
        why="reports of others; the embedded cloud shows none without a branding, as they saw it",
        shows='"Login pages unavailable"; or the page asks to sign in again and again',
        command="open the output PageUrl and sign in",
        by="nobody yet",
        because=_BECAUSE,
    ),
    Assumption(
        name="page-headers",
        part=PART,
        believed="API Gateway takes off the outer quotes of a static header alone, lets S3's ETag through, "
        "and hands on If-None-Match; `/v1/page` leads to the page",
        ground="P",
        why="AWS's own samples serve pages by S3 integrations with such a policy, none with a 304",
        shows="a broken `content-security-policy`, or 502 where a file was not changed",
        command="curl -si <PageUrl>; curl -si -H 'If-None-Match: <its etag>' <PageUrl>",
        by="nobody yet",
        because=_BECAUSE,
    ),
)
