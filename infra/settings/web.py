"""Settings of the page for people in the account: its login, its limits, its firewall."""

from typing import Literal

from pydantic import Field

from infra.settings.section import Section


class Web(Section):
    """The page for people at the API's own address, behind a login; it needs api.enabled."""

    enabled: bool = Field(
        False, description="serve the page at the API, with a user pool of its own to sign in to"
    )
    mfa: Literal["required", "off"] = Field(
        "required", description="required: a code of an authenticator app beside the password; off: without"
    )
    session_hours: int = Field(
        12, ge=1, le=720, description="a login lasts this long, hours; then the password is asked for again"
    )
    requests_per_second: int = Field(
        20, ge=1, le=10_000, description="each route of the page, all people together, requests per second"
    )
    burst: int = Field(
        40, ge=1, le=5_000, description="each route of the page, all people together, requests at once"
    )
    waf: bool = Field(
        False, description="put a web ACL (AWS WAF) before the page's routes; about 9 US dollars a month"
    )
    waf_requests: int = Field(
        2_000, ge=10, le=2_000_000, description="with waf: one address, requests to the page in 5 minutes"
    )
