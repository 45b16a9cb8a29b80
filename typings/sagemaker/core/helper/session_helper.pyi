from collections.abc import Mapping
from typing import Any

import boto3

class Session:
    boto_session: boto3.Session
    def __init__(
        self,
        boto_session: boto3.Session | None = None,
        *,
        sagemaker_config: Mapping[str, Any] | None = None,
        default_bucket: str | None = None,
        default_bucket_prefix: str | None = None,
    ) -> None: ...
