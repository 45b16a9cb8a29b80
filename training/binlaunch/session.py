"""The SDK's session: bound to the stage's bucket, reporting to nobody."""

# The SDK has an environment of its own (make launch-env):
# pyright: reportMissingModuleSource=false

from __future__ import annotations

import logging
import os

import boto3
from sagemaker.core.helper.session_helper import Session

from binlaunch.stage import Stage

PREFIX = "launch"
"""Below it in the stage's bucket lies what jobs from working trees are started with; their role reads it."""


def sdk_session(*, stage: Stage, session: boto3.Session) -> Session:
    """A session whose uploads go below `launch/`, with settings of its own, not ~/.config/sagemaker's."""
    # The SDK would reject a role that may not do everywhere and unconditionally what it would itself grant
    # one (network interfaces, any metric); the stage's role may do what its jobs need.
    os.environ["SAGEMAKER_VALIDATE_ROLE"] = "false"
    logging.getLogger("sagemaker").setLevel(logging.WARNING)
    return Session(
        boto_session=session,
        default_bucket=stage.bucket,
        default_bucket_prefix=PREFIX,
        sagemaker_config={
            "SchemaVersion": "1.0",
            "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
        },
    )
