"""Which images the embedded cloud can stand in for."""

import pytest
from embedded_cloud.hosting.images import repository_of


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("000000000000.dkr.ecr.us-east-1.amazonaws.com/toy-server:1", "toy-server"),
        ("000000000000.dkr.ecr.us-east-1.amazonaws.com/toy-server@sha256:ab", "toy-server"),
        ("localhost:5000/team/bins:1", "team/bins"),
        ("toy-server", "toy-server"),
        ("team/bins:2", "team/bins"),
    ],
)
def test_the_repository_is_the_name_without_registry_tag_and_digest(image: str, repository: str):
    assert repository_of(image) == repository
