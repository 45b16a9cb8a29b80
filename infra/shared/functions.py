"""Lambda functions: plain, with a package of dependencies, or behind a custom resource."""

from pathlib import Path

from aws_cdk import Duration, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.packaging.lambda_package import archive_of, build
from infra.shared.nag import acknowledge

LAMBDA_PYTHON = "3.13"


def lambda_python() -> tuple[lambda_.Runtime, str]:
    """The runtime, and the version to bundle wheels for."""
    return lambda_.Runtime.PYTHON_3_13, LAMBDA_PYTHON


def acknowledge_runtime(function: lambda_.Function) -> None:
    """Give cdk-nag the reason why the function does not run on the newest Python that the CDK knows."""
    reason = "the locked wheels are made for and tested on this Python; it is raised with them"
    acknowledge(function, rule="AwsSolutions-L1", reason=reason)


class LambdaRole(iam.Role):
    """In place of AWSLambdaBasicExecutionRole, which may write to every log group of the account.

    Lambda passes a role only to functions of the role's own account and sends no source account when it
    assumes it, so the trust has no further condition.
    """

    def __init__(self, scope: Construct, id: str, *, log_group: logs.ILogGroup) -> None:
        principal = iam.ServicePrincipal("lambda.amazonaws.com")
        super().__init__(scope, id, assumed_by=principal)  # pyright: ignore[reportArgumentType]
        # The group's ARN ends with ":*" already, which means its streams.
        log_group.grant_write(self)


LAMBDAS = Path(__file__).resolve().parents[1] / "runtime"


class PlainFunction(lambda_.Function):
    """`module` of infra/runtime and the modules that it imports (`along`); it needs nothing but what the
    Lambda runtime has. `own_role` is its role, to grant more to. `memory_mib` None: Lambda's default; `name`
    None: one that CloudFormation makes."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        module: str,
        along: tuple[str, ...] = (),
        runtime: lambda_.Runtime,
        log_group: logs.ILogGroup,
        timeout: Duration,
        memory_mib: int | None = None,
        environment: dict[str, str] | None = None,
        name: str | None = None,
    ) -> None:
        role = LambdaRole(scope, f"{id}Role", log_group=log_group)
        files = [f"!{name}.py" for name in (module, *along)]
        super().__init__(
            scope,
            id,
            role=role,  # pyright: ignore[reportArgumentType]
            runtime=runtime,
            handler=f"{module}.handler",
            function_name=name,
            code=lambda_.Code.from_asset(str(LAMBDAS), exclude=["*", *files]),
            memory_size=memory_mib,
            environment=environment,
            timeout=timeout,
            log_group=log_group,
        )
        self.own_role = role
        acknowledge_runtime(self)


_ARCHITECTURES = {"x86_64": lambda_.Architecture.X86_64, "arm64": lambda_.Architecture.ARM_64}


class PackagedFunction(lambda_.Function):
    """`directory` is what infra/packaging/lambda_package.py built for `architecture` (x86_64 or arm64).

    It works on the bucket in its environment's BUCKET, for 15 minutes at most (Lambda's limit) or as long as
    `timeout` says. `own_role` is its role, to grant more to. `disk_mib` None: Lambda's default.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        directory: Path,
        architecture: str,
        handler: str,
        memory_mib: int,
        disk_mib: int | None = None,
        bucket_name: str,
        environment: dict[str, str] | None = None,
        timeout: Duration | None = None,
        runtime: lambda_.Runtime,
        log_group: logs.ILogGroup,
    ) -> None:
        role = LambdaRole(scope, f"{id}Role", log_group=log_group)
        super().__init__(
            scope,
            id,
            role=role,  # pyright: ignore[reportArgumentType]
            runtime=runtime,
            architecture=_ARCHITECTURES[architecture],
            handler=handler,
            # The directory's name is a digest of all that went in; pip's own records would change each time.
            code=lambda_.Code.from_asset(str(archive_of(directory)), asset_hash=directory.name),
            memory_size=memory_mib,
            ephemeral_storage_size=None if disk_mib is None else Size.mebibytes(disk_mib),
            timeout=timeout or Duration.minutes(15),
            environment={"BUCKET": bucket_name, **(environment or {})},
            log_group=log_group,
        )
        self.own_role = role
        acknowledge_runtime(self)


class ClientFunction(PackagedFunction):
    """The client's own code, so that pages, tables and records are one wherever they are made."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        handler: str,
        memory_mib: int,
        disk_mib: int | None = None,
        bucket_name: str,
        log_group: logs.ILogGroup,
    ) -> None:
        runtime, python = lambda_python()
        super().__init__(
            scope,
            id,
            directory=build(
                package="client/bincount",
                requirements="client/requirements-recount.txt",
                architecture="arm64",
                python=python,
            ),
            architecture="arm64",
            handler=handler,
            memory_mib=memory_mib,
            disk_mib=disk_mib,
            bucket_name=bucket_name,
            runtime=runtime,
            log_group=log_group,
        )


class CustomResourceFunction(PlainFunction):
    """`module` of infra/runtime with what every custom resource needs."""

    def __init__(
        self, scope: Construct, id: str, *, module: str, runtime: lambda_.Runtime, log_group: logs.ILogGroup
    ) -> None:
        super().__init__(
            scope,
            id,
            module=module,
            along=("custom_resource",),
            runtime=runtime,
            log_group=log_group,
            timeout=Duration.minutes(2),
        )
