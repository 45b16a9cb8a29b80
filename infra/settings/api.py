"""Settings of the HTTPS API: who may call it, how often, and its route for labels."""

from typing import Annotated, Literal

from pydantic import Field

from infra.settings.section import Section, rule

KeyName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class Api(Section):
    """The API that services call over HTTPS, its callers, and how often they may call."""

    enabled: bool = Field(True, description="build the API; without it callers use the endpoint itself")
    auth: Literal["iam", "api_key"] = Field(
        "iam",
        description="iam: requests are signed (SigV4) and need execute-api:Invoke; api_key: an `x-api-key`",
    )
    api_keys: tuple[KeyName, ...] = Field(
        (), max_length=50, description="with api_key: one key for each of these callers"
    )
    requests_per_second: int = Field(
        50, ge=1, le=10_000, description="all callers together, requests per second"
    )
    burst: int = Field(100, ge=1, le=5_000, description="all callers together, requests at once")
    key_requests_per_second: int = Field(
        10, ge=1, le=10_000, description="with api_key: one caller, requests per second"
    )
    key_burst: int = Field(20, ge=1, le=5_000, description="with api_key: one caller, requests at once")
    key_requests_per_day: int = Field(
        100_000, ge=1, le=1_000_000_000, description="with api_key: one caller, requests per day"
    )
    logging_role: bool = Field(
        True,
        description="set API Gateway's logging role, which an account has once a region; "
        "false where another stack sets it",
    )

    @rule("api_keys", "auth")
    def _has_keys_where_they_count(self) -> str | None:
        if self.auth == "api_key" and not self.api_keys:
            return 'api.auth "api_key" needs at least one name here, such as ["warehouse"]'
        if self.auth == "iam" and self.api_keys:
            return 'these are for api.auth "api_key": set that, or remove them'
        return None

    @rule("api_keys")
    def _distinguishes_callers(self) -> str | None:
        return "must differ from one another" if len(set(self.api_keys)) < len(self.api_keys) else None


class Labels(Section):
    """The API's route for labels; it needs api.enabled. How long labels are kept: storage.labels_days."""

    enabled: bool = Field(True, description="take labels at the API (`POST /labels`, `bincount label`)")
    requests_per_second: int = Field(
        10, ge=1, le=1_000, description="labels of all callers together, requests per second"
    )
    burst: int = Field(20, ge=1, le=1_000, description="labels of all callers together, requests at once")
