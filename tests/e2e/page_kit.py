"""People of the page in an account: users, their tokens, a browser that finds AWS's names here."""

import base64
import hashlib
import json
import re
import secrets
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from tests.browser.look import Played, play
from tests.e2e.api_kit import Api
from tests.e2e.api_stack_kit import STACK

WITH_THE_PAGE = {"web.enabled": "true", "web.mfa": "off", "web.waf": "true"}
PASSWORD = "Right-Number-4"


@dataclass(frozen=True, kw_only=True)
class Page:
    """The page of an API: `url` on AWS, `pool` its users' id; `login` and `client` as in page.json."""

    api: Api
    url: str
    pool: str
    login: str
    client: str

    def invite(self, name: str, *groups: str) -> str:
        """A new user with PASSWORD, in these groups; the name to sign in with."""
        email, idp = f"{name}@example.com", self.api.cloud.client("cognito-idp")
        given = {"UserPoolId": self.pool, "Username": email}
        attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
        idp.admin_create_user(**given, UserAttributes=attributes, MessageAction="SUPPRESS")
        idp.admin_set_user_password(**given, Password=PASSWORD, Permanent=True)
        for group in groups:
            idp.admin_add_user_to_group(**given, GroupName=group)
        return email

    def tokens(self, email: str, **changed: str) -> dict[str, Any]:
        """What the login answers who signs in as a browser does; `changed` members of the last request."""
        return self.at_login("POST", "oauth2/token", {**self.code(email), **changed}).json()

    def code(self, email: str) -> dict[str, str]:
        """The request for tokens of somebody who has just signed in; the login takes it once."""
        verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        asked = {**self.asked(), "code_challenge": challenge, "code_challenge_method": "S256"}
        assert self.at_login("GET", f"oauth2/authorize?{urlencode(asked)}").status_code == 200
        signed_in = self.at_login("POST", "login", {**asked, "username": email, "password": PASSWORD})
        return {
            "grant_type": "authorization_code", "client_id": self.client, "redirect_uri": self.url,
            "code": parse_qs(urlsplit(signed_in.headers["location"]).query)["code"][0],
            "code_verifier": verifier,
        }  # fmt: skip

    def asked(self, **changed: str) -> dict[str, str]:
        """What the page asks the login, but for the challenge."""
        asked = {"client_id": self.client, "redirect_uri": self.url, "response_type": "code"}
        return {**asked, "scope": "openid", "state": "s", **changed}

    def at_login(self, method: str, path: str, form: dict[str, str] | None = None) -> httpx.Response:
        """A request to the login under its own name."""
        cloud = self.api.cloud
        trusted = ssl.create_default_context(cafile=str(cloud.certificate_bundle))
        headers = {"Host": urlsplit(self.login).netloc}
        return httpx.request(
            method, f"{cloud.url}/{path}", data=form, headers=headers, verify=trusted, timeout=60
        )

    def ask(
        self, path: str, token: str | None = None, *, method: str = "GET", body: bytes = b"", **headers: str
    ) -> Any:
        """A request below the page's path, with a token where there is one."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            given["Authorization"] = token
        return self.api.ask(f"/page/{path}", method=method, body=body, headers=given)

    def play(self, out: Path, *steps: dict[str, Any], view: str, query: str = "") -> Played:
        """Uses the page under its address on AWS."""
        here = urlsplit(self.api.cloud.url).netloc
        hosts = [f"MAP *.{name} {here}" for name in ("amazonaws.com", "amazoncognito.com")]
        return play(self.url + query, out, *steps, view=view, hosts=hosts, ignoreHTTPSErrors=True)


def page_of(api: Api) -> Page:
    """The page of a deployed API."""
    (stack,) = api.cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    facts = api.ask("/page/page.json", method="GET").json()
    assert facts.keys() == {"login"}, "nobody who has not signed in gets more"
    login = facts["login"]
    return Page(
        api=api,
        url=outputs["PageUrl"],
        pool=outputs["UserPoolId"],
        login=login["url"],
        client=login["client"],
    )


def altered(token: str, **claims: Any) -> str:
    """The token with other claims and the signature that it had."""
    head, body, signature = token.split(".")
    known = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    text = json.dumps({**known, **claims}).encode()
    return f"{head}.{base64.urlsafe_b64encode(text).decode().rstrip('=')}.{signature}"


def assets_of(page: Page, name: str) -> list[str]:
    """What a page of HTML loads."""
    return re.findall(r'(?:href|src)="([^"#]+)"', page.ask(name).text)
