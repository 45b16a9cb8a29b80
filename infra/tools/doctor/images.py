"""The image that trains, in AWS's registry, and the one that serves, in the account's own."""

import re
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from infra.tools.doctor.finding import Finding, error_of, missing, ok
from infra.tools.doctor.subject import Subject
from infra.training.roles import deep_learning_container

_URI = re.compile(r"(?P<registry>\d{12})\.dkr\.ecr\.[^/]+/(?P<name>[^:@]+)[:@](?P<tag>.+)")
# SageMaker's page on its own containers: Docker V2 schema 2 and OCI image manifests, no index of several.
_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


def training_image(subject: Subject) -> Iterable[Finding]:
    """The registry of AWS's Deep Learning Containers has the configured tag, and lets this account read."""
    name, uri = "training-image", deep_learning_container(subject.settings)
    registry, repository, tag = _parts(uri)
    images = "https://aws.github.io/deep-learning-containers/reference/available_images/"
    try:
        found = _image(subject, uri)
    except ClientError as error:
        if error_of(error)[0] != "RepositoryNotFoundException":
            raise
        text = f"{registry} has no repository {repository} in {subject.region}"
        return [missing(name, text, next="set another `region` in cdk.json")]
    if found:
        return [ok(name, uri)]
    text = f"{registry}/{repository} has no tag {tag} in {subject.region}"
    return [missing(name, text, next=f"set training.image_tag to a tag of {images}")]


def serving_image(subject: Subject) -> Iterable[Finding]:
    """After a deploy: the built image is in the account's registry, in a form that SageMaker takes."""
    name = "image-build"
    parameter = subject.names.parameter("image")
    try:
        uri: str = subject.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]
    except ClientError as error:
        if error_of(error)[0] != "ParameterNotFound":
            raise
        return []
    step = f"npx cdk deploy {subject.names.stack('serving')} -c stage={subject.settings.stage}"
    found = _image(subject, uri)
    if not found:
        return [missing(name, f"{uri} is not in the registry any more", next=step)]
    kind = found.get("imageManifestMediaType", "")
    if kind in _INDEXES:
        return [missing(name, f"{uri} is an index ({kind}), which SageMaker refuses", next=step)]
    return [ok(name, f"{uri.rpartition('/')[2]}, {kind}")]


def _image(subject: Subject, uri: str) -> dict[str, Any] | None:
    registry, repository, tag = _parts(uri)
    kind = "imageDigest" if tag.startswith("sha256:") else "imageTag"
    answer = subject.client("ecr").batch_get_image(
        registryId=registry, repositoryName=repository, imageIds=[{kind: tag}]
    )
    return next(iter(answer["images"]), None)


def _parts(uri: str) -> tuple[str, str, str]:
    match = _URI.fullmatch(uri)
    assert match, uri
    return match["registry"], match["name"], match["tag"]
