"""An embedded cloud and a role in it, one of each per test file that asks for them."""

from embedded_cloud.fixtures import cloud, role

__all__ = ["cloud", "role"]
