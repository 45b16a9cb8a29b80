"""The image that serves: built in the account at deploy time, or, on the embedded cloud, only named."""

import hashlib
from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from cdklabs.deploy_time_build import ContainerImageBuild
from constructs import Construct

from infra.names import SERVING_REPOSITORY
from infra.settings import Settings

INFERENCE = Path(__file__).resolve().parent.parent / "inference"
LEFT_OUT = ["__pycache__", "**/__pycache__", "*.pyc", "*requirements.in"]


class ServingImage(Construct):
    """`uri` is the image of `inference/`; a changed file in there gives another one.

    `judge_uri` is the same for x86: processing jobs, which judge models in it, have no Graviton instances.
    """

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        self._repository: ecr.IRepository | None = None
        self._base_image = settings.serving.base_image
        if settings.stage == "local":
            stack = Stack.of(self)
            registry = f"{stack.account}.dkr.ecr.{stack.region}.{stack.url_suffix}"
            self.uri = self.judge_uri = f"{registry}/{SERVING_REPOSITORY}:{_digest()}"
            return
        arm = settings.serving.is_arm
        build = self._build(
            "Build", ecr_assets.Platform.LINUX_ARM64 if arm else ecr_assets.Platform.LINUX_AMD64
        )
        self._repository = build.repository
        self.uri = build.image_uri
        judge = self._build("JudgeBuild", ecr_assets.Platform.LINUX_AMD64) if arm else build
        self.judge_uri = judge.image_uri

    def _build(self, id: str, platform: ecr_assets.Platform) -> ContainerImageBuild:
        return ContainerImageBuild(
            self,
            id,
            directory=str(INFERENCE),
            exclude=LEFT_OUT,
            platform=platform,
            build_args={"BASE_IMAGE": self._base_image},
        )

    def grant_pull(self, grantee: iam.IGrantable) -> None:
        """Allow pulling the image (on the embedded cloud there is nothing to pull)."""
        if self._repository is not None:
            self._repository.grant_pull(grantee)


def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(INFERENCE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".in":
            digest.update(f"\0{path.relative_to(INFERENCE)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
