"""No test reaches a real account, whatever profile, endpoint or proxy the caller's environment names."""

from local.environment import forget_account

forget_account()
