"""The exit status of `bincount`, and AWS's errors as one line that says what to do."""

import os
import sys
from collections.abc import Iterable

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)

OK = 0
"""Counted; where a number was expected, every verdict is `match`."""
ERROR = 1
"""Something was not counted or not done; one line on standard error says why."""
USAGE = 2
"""The command line is wrong."""
MISMATCH = 3
"""At least one verdict is `mismatch`."""
UNCERTAIN = 4
"""No mismatch, but at least one bin is for a person to recount."""
DEGRADED = 5
"""`bincount status`: the stage is not deployed, or something of it is for a person to look at."""


def of_verdicts(verdicts: Iterable[str | None]) -> int:
    """OK, MISMATCH or UNCERTAIN."""
    found = set(verdicts)
    if "mismatch" in found:
        return MISMATCH
    return UNCERTAIN if "uncertain" in found else OK


_SIGN_IN = "sign in again (`aws sso login`), or get new credentials"
_KEYS = "these credentials are not known to AWS: check AWS_PROFILE, the keys, and the clock of this machine"
_HINTS = {
    "AccessDenied": "ask for this right",
    "AccessDeniedException": "ask for this right",
    "UnauthorizedOperation": "ask for this right",
    "ExpiredToken": _SIGN_IN,
    "ExpiredTokenException": _SIGN_IN,
    "RequestExpired": _SIGN_IN,
    "InvalidClientTokenId": _KEYS,
    "UnrecognizedClientException": _KEYS,
    "InvalidAccessKeyId": _KEYS,
    "SignatureDoesNotMatch": _KEYS,
    "InvalidSignatureException": _KEYS,
    "AuthFailure": _KEYS,
    "IncompleteSignature": _KEYS,
    "ThrottlingException": "AWS wants fewer requests: try again in a minute",
    "TooManyRequestsException": "AWS wants fewer requests: try again in a minute",
}
_ABSENT = (
    "StateMachineDoesNotExist",
    "ParameterNotFound",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "ValidationException",
    "ValidationError",
)


def words_of_aws(error: ClientError) -> str:
    """AWS's words, and what to do about them."""
    found = error.response["Error"]
    code = found.get("Code", "")
    hint = _HINTS.get(code, "see docs/troubleshooting.md")
    if code in _ABSENT:
        hint = f"is this stage deployed{_where()}? run `bincount status`"
    return f"{error.operation_name}: {code}: {found.get('Message', '')}: {hint}"


def _where() -> str:
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return f" in {region}" if region and "--region" not in sys.argv else " in this region"


def words_of_sdk(error: BotoCoreError) -> str:
    """What the AWS SDK found before AWS was asked, and what to do about it."""
    match error:
        case NoCredentialsError() | PartialCredentialsError() | CredentialRetrievalError():
            hint = "no usable AWS credentials: run `aws sso login`, or set AWS_PROFILE"
        case SSOError() | TokenRetrievalError():
            hint = _SIGN_IN
        case ConnectionError() | HTTPClientError():
            hint = "check the network, the proxy (HTTPS_PROXY) and the region's name"
        case _:
            hint = "check credentials (`aws sts get-caller-identity`), region and network"
    return f"{error}: {hint}"
