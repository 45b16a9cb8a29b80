"""The model registry of a stage: one model package group."""

from aws_cdk import CustomResource
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from infra.shared.functions import CustomResourceFunction
from infra.shared.grants import sagemaker_arn
from infra.shared.nag import explain_wildcards
from infra.shared.tags import kept_on_destroy


class ModelRegistry(Construct):
    """`retain` keeps group and packages when the stack is destroyed; otherwise it is emptied first."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        retain: bool,
        runtime: lambda_.Runtime,
        log_group: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, id)
        group = sagemaker.CfnModelPackageGroup(
            self,
            "Group",
            model_package_group_name=name,
            model_package_group_description="Bin counting models",
        )
        group.apply_removal_policy(kept_on_destroy(retain))
        if not retain:
            self._empty_on_delete(group, name, runtime, log_group)

    def _empty_on_delete(
        self,
        group: sagemaker.CfnModelPackageGroup,
        name: str,
        runtime: lambda_.Runtime,
        log_group: logs.ILogGroup,
    ) -> None:
        function = CustomResourceFunction(
            self, "Emptier", module="registry_emptier", runtime=runtime, log_group=log_group
        )
        packages = sagemaker_arn(self, "model-package", f"{name}/*")
        # ListModelPackages knows no resources.
        function.add_to_role_policy(
            iam.PolicyStatement(actions=["sagemaker:ListModelPackages"], resources=["*"])
        )
        function.add_to_role_policy(
            iam.PolicyStatement(actions=["sagemaker:DeleteModelPackage"], resources=[packages])
        )
        explain_wildcards(
            function.own_role,
            {
                "Resource::*": "sagemaker:ListModelPackages knows no resources",
                f":model-package/{name}/*": "versions are numbered as they are registered",
            },
        )
        emptied = CustomResource(
            self,
            "Packages",
            service_token=function.function_arn,
            resource_type="Custom::ModelPackages",
            properties={"Group": name},
        )
        # Deleted before the group and before the function's policy.
        emptied.node.add_dependency(function, group)
