from typing import Any

import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials

class Session:
    def __init__(
        self,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        region_name: str | None = None,
        botocore_session: botocore.session.Session | None = None,
        profile_name: str | None = None,
    ) -> None: ...
    @property
    def region_name(self) -> str | None: ...
    def get_credentials(self) -> Credentials | None: ...
    def client(
        self,
        service_name: str,
        region_name: str | None = None,
        *,
        verify: bool | str | None = None,
        endpoint_url: str | None = None,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        config: Config | None = None,
    ) -> Any: ...
