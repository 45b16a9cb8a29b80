"""Which errors of a Lambda call a state machine tries again, in Amazon States Language."""

from typing import Any

BUSY = ["Lambda.TooManyRequestsException"]
FAULTS = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
]


def lambda_retries() -> list[dict[str, Any]]:
    """A busy account is waited for; a fault of the service is tried six times; an error of ours never."""
    return [
        {
            "ErrorEquals": BUSY,
            "IntervalSeconds": 2,
            "MaxAttempts": 60,
            "BackoffRate": 2,
            "MaxDelaySeconds": 60,
            "JitterStrategy": "FULL",
        },
        {
            "ErrorEquals": FAULTS,
            "IntervalSeconds": 2,
            "MaxAttempts": 6,
            "BackoffRate": 2,
            "JitterStrategy": "FULL",
        },
    ]
