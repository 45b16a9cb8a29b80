"""An embedded cloud and a role in it; no test reaches a real account."""

from embedded_cloud.environment import forget_account
from embedded_cloud.fixtures import cloud, role

__all__ = ["cloud", "role"]

forget_account()
