from collections.abc import Callable
from concurrent.futures import Future
from enum import IntEnum

from awscrt.auth import AwsCredentialsProvider, AwsSigningConfig
from awscrt.exceptions import AwsCrtError
from awscrt.http import HttpRequest
from awscrt.io import ClientBootstrap, TlsConnectionOptions

class S3RequestType(IntEnum):
    DEFAULT = 0

class S3RequestTlsMode(IntEnum):
    ENABLED = 0
    DISABLED = 1

class S3RetryMode(IntEnum):
    EXPONENTIAL_BACKOFF = 2
    NONE = 3

class S3RetryConfig:
    def __init__(
        self, max_retries: int = 0, *, max_backoff_secs: int = 0, retry_mode: S3RetryMode = ...
    ) -> None: ...

class S3Request:
    @property
    def finished_future(self) -> Future[None]: ...

class S3Client:
    def __init__(
        self,
        *,
        bootstrap: ClientBootstrap | None = None,
        region: str,
        tls_mode: S3RequestTlsMode | None = None,
        signing_config: AwsSigningConfig | None = None,
        tls_connection_options: TlsConnectionOptions | None = None,
        throughput_target_gbps: float | None = None,
        max_active_connections_override: int | None = None,
        retry_config: S3RetryConfig | None = None,
        connect_timeout_ms: int | None = None,
    ) -> None: ...
    def make_request(
        self,
        *,
        type: S3RequestType,
        request: HttpRequest,
        operation_name: str | None = None,
        on_headers: Callable[..., None] | None = None,
        on_body: Callable[..., None] | None = None,
    ) -> S3Request: ...

class S3ResponseError(AwsCrtError):
    status_code: int
    headers: list[tuple[str, str]]
    body: bytes | None
    operation_name: str | None

def create_default_s3_signing_config(
    *, region: str, credential_provider: AwsCredentialsProvider
) -> AwsSigningConfig: ...
