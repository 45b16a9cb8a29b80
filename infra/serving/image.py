"""The image that serves: built in the account at deploy time, from `inference/` and bincount_core.

`python -m infra.serving.image` prints the folder that it is built from, for a `docker build` by hand.
"""

from pathlib import Path

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from cdklabs.deploy_time_build import ContainerImageBuild
from constructs import Construct, IConstruct

from infra.names import Names
from infra.packaging.bundle_files import copy_files, core_files, digest_of, files_of
from infra.packaging.requirements import built_once
from infra.settings import Settings
from infra.shared.logs import StageLogs
from infra.shared.nag import acknowledge, explain_wildcards

ROOT = Path(__file__).resolve().parents[2]
INFERENCE = ROOT / "inference"
# The folder holds what the image needs and no more. A .dockerignore may not be in it: the CDK would apply it
# to the upload as well, and upload no Dockerfile.
LEFT_OUT = ("__pycache__", "*.pyc", "*requirements.in")
NOT_OURS = "made by cdklabs.deploy-time-build, which offers no narrower one"
BASIC_EXECUTION = "Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
PUBLIC_IMAGES = "Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonElasticContainerRegistryPublicReadOnly"


def build_context(inference: Path = INFERENCE) -> Path:
    """The folder below build/image, made once per content: a Docker build context with its Dockerfile."""
    files = {**files_of(inference, left_out=LEFT_OUT), **core_files()}

    def make(folder: Path, scratch: Path) -> None:
        copy_files(files, folder=folder)

    return built_once(ROOT / "build" / "image" / digest_of(files), build=make)


class ServingImage(Construct):
    """`uri` is the image of `inference/` with bincount_core; a changed file in there gives another one.

    `evaluation_uri` is the same for x86: processing jobs, which evaluate models in it, have no Graviton.
    """

    def __init__(self, scope: Construct, id: str, *, settings: Settings, key: kms.Key | None) -> None:
        super().__init__(scope, id)
        self._base_image = settings.serving.base_image
        self._names = Names(settings.stage)
        arm = settings.serving.is_arm
        build = self._build(
            "Build", ecr_assets.Platform.LINUX_ARM64 if arm else ecr_assets.Platform.LINUX_AMD64
        )
        self._repository = build.repository
        self.uri = build.image_uri
        evaluation = self._build("EvaluationBuild", ecr_assets.Platform.LINUX_AMD64) if arm else build
        self.evaluation_uri = evaluation.image_uri
        self._configure_builds({build, evaluation}, days=settings.log_retention_days, key=key)

    def _build(self, id: str, platform: ecr_assets.Platform) -> ContainerImageBuild:
        return ContainerImageBuild(
            self,
            id,
            directory=str(build_context(INFERENCE)),
            platform=platform,
            build_args={"BASE_IMAGE": self._base_image},
        )

    def grant_pull(self, grantee: iam.IGrantable) -> None:
        """Allow pulling the image."""
        self._repository.grant_pull(grantee)

    def _configure_builds(self, builds: set[ContainerImageBuild], *, days: int, key: kms.Key | None) -> None:
        """What cdklabs.deploy-time-build makes beside the stack's own resources: findings, and its logs."""
        for child in Stack.of(self).node.children:
            if child.node.id.startswith("ContainerImageBuild"):
                _acknowledge_project(child)
                self._name_project(child, days=days, key=key)
            elif child.node.id.startswith("DeployTimeBuildCustomResourceHandler"):
                acknowledge(child, rule=f"AwsSolutions-IAM4[{BASIC_EXECUTION}]", reason=NOT_OURS)
                acknowledge(child, rule="AwsSolutions-L1", reason=NOT_OURS)
                for group in (node for node in child.node.find_all() if isinstance(node, logs.CfnLogGroup)):
                    group.retention_in_days = days
                    group.kms_key_id = key.key_arn if key else None
                    group.apply_removal_policy(RemovalPolicy.DESTROY)
                    # Named after the function, it comes after it. A function that runs first makes the group
                    # itself, and CloudFormation then fails: it is there already.
                    for build in builds:
                        build.node.add_dependency(group)

    def _name_project(self, made: IConstruct, *, days: int, key: kms.Key | None) -> None:
        """CodeBuild would make a group that keeps its lines without end, under a name without the stage."""
        (project,) = (node for node in made.node.find_all() if isinstance(node, codebuild.CfnProject))
        architecture = "arm64" if "Arm64" in made.node.id else "amd64"
        project.name = self._names.stack(f"image-{architecture}")
        group = f"/aws/codebuild/{project.name}"
        logs_ = StageLogs(self, f"BuildLogs{architecture.title()}", days=days, key=key, name=group)
        project.node.add_dependency(logs_)


def _acknowledge_project(project: IConstruct) -> None:
    acknowledge(
        project, rule=f"AwsSolutions-IAM4[{PUBLIC_IMAGES}]", reason="the base image is pulled from it"
    )
    acknowledge(
        project, rule="AwsSolutions-CB4", reason="the project stores no artifacts: the image goes to ECR"
    )
    explain_wildcards(
        project,
        {
            "Resource::*": "ecr:GetAuthorizationToken knows no resources",
            "Action::s3:GetBucket*": NOT_OURS,
            "Action::s3:GetObject*": NOT_OURS,
            "Action::s3:List*": NOT_OURS,
            f"-{Stack.of(project).region}/*": "the build reads its source from the CDK's assets",
            ">:*": "the streams of the project's own log group",
            ">-*": "report groups are named after the project",
        },
    )


if __name__ == "__main__":
    print(build_context())
