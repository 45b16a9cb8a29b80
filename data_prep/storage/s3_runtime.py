"""Clients of AWS's C runtime, with the credentials and the trust of botocore's session."""

from functools import lru_cache

from awscrt.auth import AwsCredentials, AwsCredentialsProvider, AwsSigningConfig
from awscrt.io import (
    ClientBootstrap,
    ClientTlsContext,
    DefaultHostResolver,
    EventLoopGroup,
    TlsConnectionOptions,
    TlsContextOptions,
)
from awscrt.s3 import S3Client, S3RequestTlsMode, S3RetryConfig, S3RetryMode, create_default_s3_signing_config
from botocore.credentials import RefreshableCredentials
from botocore.httpsession import get_cert_path
from botocore.session import Session

from data_prep.errors import TransferFailed

_LONGEST_WAIT = 20
"""Seconds between two attempts; they begin at half a second and double, each times a random share."""


_TARGET = 100.0
"""Gbit/s. The runtime opens as many connections as it believes this to need, 28 by default, and with small
objects those bound it: 170 images a second against 240. `connections` is the bound that we mean."""


def build_runtime_client(
    *, session: Session, region: str, tls: bool, unsigned: bool, attempts: int, connections: int
) -> S3Client:
    """A client for the buckets of one region; `session` is botocore's, `attempts` include the first."""
    # Without a budget for retries: a throttled batch waits for its turn, it does not fail the others.
    mode = S3RetryMode.EXPONENTIAL_BACKOFF if attempts > 1 else S3RetryMode.NONE
    return S3Client(
        bootstrap=_bootstrap(),
        region=region,
        tls_mode=S3RequestTlsMode.ENABLED if tls else S3RequestTlsMode.DISABLED,
        tls_connection_options=_trust(session) if tls else None,
        signing_config=None if unsigned else _signing(session, region),
        throughput_target_gbps=_TARGET,
        max_active_connections_override=connections,
        retry_config=S3RetryConfig(max_retries=attempts - 1, max_backoff_secs=_LONGEST_WAIT, retry_mode=mode),
        connect_timeout_ms=10_000,
    )


@lru_cache(maxsize=1)
def _bootstrap() -> ClientBootstrap:
    loops = EventLoopGroup(1)  # one thread carries some thousands of requests a second
    return ClientBootstrap(loops, DefaultHostResolver(loops))


def _trust(session: Session) -> TlsConnectionOptions:
    options = TlsContextOptions()
    bundle = session.get_config_variable("ca_bundle") or get_cert_path(True)
    options.override_default_trust_store_from_path(ca_filepath=bundle)
    return ClientTlsContext(options).new_connection_options()


def _signing(session: Session, region: str) -> AwsSigningConfig:
    return create_default_s3_signing_config(region=region, credential_provider=_credentials(session))


def _credentials(session: Session) -> AwsCredentialsProvider:
    credentials = session.get_credentials()
    if credentials is None:
        raise TransferFailed(
            "no AWS credentials were found; configure them (aws configure, AWS_PROFILE), or read a public "
            "bucket unsigned"
        )

    def fetch() -> AwsCredentials:
        found = credentials.get_frozen_credentials()
        return AwsCredentials(found.access_key, found.secret_key, found.token)

    if isinstance(credentials, RefreshableCredentials):
        return AwsCredentialsProvider.new_delegate(fetch)  # asked for every request: they renew themselves
    fixed = fetch()  # asking Python for them takes a fifth of a request's CPU
    return AwsCredentialsProvider.new_static(
        fixed.access_key_id, fixed.secret_access_key, fixed.session_token
    )
