"""Which images the embedded cloud can stand in for."""

import pytest
from embedded_cloud.hosting.images import repository_of


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("000000000000.dkr.ecr.us-east-1.amazonaws.com/bincount-inference:1", "bincount-inference"),
        ("000000000000.dkr.ecr.us-east-1.amazonaws.com/bincount-inference@sha256:ab", "bincount-inference"),
        ("localhost:5000/team/bins:1", "team/bins"),
        ("bincount-inference", "bincount-inference"),
        ("team/bins:2", "team/bins"),
    ],
)
def test_the_repository_is_the_name_without_registry_tag_and_digest(image: str, repository: str):
    assert repository_of(image) == repository
