"""Which images the embedded cloud can stand in for."""

from typing import Any

from botocore.exceptions import ClientError

from embedded_cloud.aws import Aws
from embedded_cloud.identity import ACCOUNT
from embedded_cloud.settings import Project


def repository_of(image: str) -> str:
    """The repository in an image's address: `123.dkr.ecr.region.amazonaws.com/bins:1` is `bins`."""
    path = image.split("@", 1)[0]
    first, _, rest = path.partition("/")
    is_registry = rest and ("." in first or ":" in first)
    return (rest if is_registry else path).split(":", 1)[0]


def is_replaced(image: str, *, project: Project, aws: Aws, role: str | None) -> bool:
    """Whether the project's programs run in place of `image`.

    They do for its server_repository, and for what a build pushed to this account's registry and `role` may
    pull.
    """
    repository = repository_of(image)
    if repository == project.server_repository:
        return True
    if not image.startswith(f"{ACCOUNT}.dkr.ecr."):
        return False
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2] or "latest"
    wanted = {"imageDigest": digest} if digest else {"imageTag": tag}
    try:
        found: dict[str, Any] = aws.client("ecr", role=role).batch_get_image(
            repositoryName=repository, imageIds=[wanted]
        )
    except ClientError:
        return False
    return bool(found["images"])
