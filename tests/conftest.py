"""No test reaches a real account, whatever profile, endpoint or proxy the caller's environment names."""

import infra  # noqa: F401  (before any aws_cdk: its cache stays out of the home folder)
from local.environment import forget_account

forget_account()
