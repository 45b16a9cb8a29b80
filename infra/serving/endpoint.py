"""The endpoint of the approved model with its role, and nothing at all while no model is approved."""

from aws_cdk import CfnCondition, CfnResource
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from infra.data.network import StageNetwork
from infra.data.stack import DataStack
from infra.names import VARIANT, Names, Prefix
from infra.settings import Capture, Settings
from infra.shared.grants import grant_read, grant_volume_encryption, grant_write
from infra.shared.sagemaker_role import SageMakerRole, volume_key


class EndpointRole(SageMakerRole):
    """Assumed by SageMaker for the serving model of this stage."""

    def __init__(self, scope: Construct, id: str, *, bucket: s3.IBucket, network: StageNetwork) -> None:
        super().__init__(scope, id, log_groups="/aws/sagemaker/Endpoints/*", network=network)
        grant_volume_encryption(self, bucket)
        grant_read(self, bucket, Prefix.MODELS)
        grant_write(self, bucket, Prefix.CAPTURE)


INVOCATIONS = "SageMakerVariantInvocationsPerInstance"
CONCURRENCY = "SageMakerVariantConcurrentRequestsPerModelHighResolution"


class ModelEndpoint(Construct):
    """Model, endpoint config, endpoint and autoscaling, all under `condition`.

    The endpoint's and the variant's names are fixed; CloudFormation names model and config, so that a
    change of either makes new ones and the endpoint moves over (blue/green), back again where one of `alarms`
    (names) rings meanwhile. Nothing outside `condition` may refer to a resource in here.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        data: DataStack,
        image: str,
        model_data: str,
        role: iam.Role,
        alarms: list[str],
        condition: CfnCondition,
    ) -> None:
        super().__init__(scope, id)
        names = Names(settings.stage)
        name, network = names.endpoint, data.network
        self._settings = settings.serving
        self._alarms = alarms
        model = sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=role.role_arn,
            enable_network_isolation=True,
            vpc_config=_vpc(network),
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=image, model_data_url=model_data, environment={"BINCOUNT_ENDPOINT": name}
            ),
        )
        # SageMaker reads the archive with the role at creation: its policy must be attached by then.
        model.node.add_dependency(role)
        config = sagemaker.CfnEndpointConfig(
            self,
            "Config",
            kms_key_id=volume_key(data.key, instance_type=settings.serving.instance_type),
            data_capture_config=_capture(settings.capture, data),
            production_variants=[
                sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                    variant_name=VARIANT,
                    model_name=model.attr_model_name,
                    instance_type=settings.serving.instance_type,
                    initial_instance_count=settings.serving.min_instances,
                    initial_variant_weight=1,
                )
            ],
        )
        self.endpoint = sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=name,
            endpoint_config_name=config.attr_endpoint_config_name,
            retain_all_variant_properties=True,
            deployment_config=self._deployment(),
        )
        resources: list[CfnResource] = [model, config, self.endpoint, *self._autoscaling(name)]
        for resource in resources:
            resource.cfn_options.condition = condition

    def _deployment(self) -> sagemaker.CfnEndpoint.DeploymentConfigProperty:
        settings = self._settings
        rollback = sagemaker.CfnEndpoint.AutoRollbackConfigProperty(
            alarms=[sagemaker.CfnEndpoint.AlarmProperty(alarm_name=name) for name in self._alarms]
        )
        return sagemaker.CfnEndpoint.DeploymentConfigProperty(
            auto_rollback_configuration=rollback if self._alarms else None,
            blue_green_update_policy=sagemaker.CfnEndpoint.BlueGreenUpdatePolicyProperty(
                traffic_routing_configuration=self._routing(),
                termination_wait_in_seconds=settings.bake_seconds,
            ),
        )

    def _routing(self) -> sagemaker.CfnEndpoint.TrafficRoutingConfigProperty:
        """How the traffic moves to the new fleet: at once, one step ahead, or step by step."""
        settings = self._settings
        step = sagemaker.CfnEndpoint.CapacitySizeProperty(
            type="CAPACITY_PERCENT", value=settings.canary_percent or settings.linear_percent or 100
        )
        kind = "CANARY" if settings.canary_percent else "LINEAR" if settings.linear_percent else "ALL_AT_ONCE"
        return sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(
            type=kind,
            canary_size=step if kind == "CANARY" else None,
            linear_step_size=step if kind == "LINEAR" else None,
            wait_interval_in_seconds=settings.bake_seconds,
        )

    def _autoscaling(self, name: str) -> list[CfnResource]:
        settings = self._settings
        by_concurrency = settings.scale_on == "concurrency"
        target = autoscaling.CfnScalableTarget(
            self,
            "Scaling",
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=f"endpoint/{name}/variant/{VARIANT}",
            min_capacity=settings.min_instances,
            max_capacity=settings.max_instances,
        )
        target.add_resource_dependency(self.endpoint)
        policy = autoscaling.CfnScalingPolicy(
            self,
            "ScalingPolicy",
            policy_name=f"{name}-{settings.scale_on}",
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=(
                autoscaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty(
                    target_value=(
                        settings.concurrency_per_instance
                        if by_concurrency
                        else settings.invocations_per_instance
                    ),
                    scale_in_cooldown=settings.scale_in_cooldown_seconds,
                    scale_out_cooldown=settings.scale_out_cooldown_seconds,
                    predefined_metric_specification=(
                        autoscaling.CfnScalingPolicy.PredefinedMetricSpecificationProperty(
                            predefined_metric_type=CONCURRENCY if by_concurrency else INVOCATIONS
                        )
                    ),
                )
            ),
        )
        return [target, policy]


def _vpc(network: StageNetwork) -> sagemaker.CfnModel.VpcConfigProperty | None:
    if not network.subnets:
        return None
    return sagemaker.CfnModel.VpcConfigProperty(
        subnets=network.subnets, security_group_ids=network.security_groups
    )


def _capture(
    settings: Capture, data: DataStack
) -> sagemaker.CfnEndpointConfig.DataCaptureConfigProperty | None:
    """Answers (and images, where wanted) as JSON lines below capture/, with the request's Inference-Id."""
    if not settings.percent:
        return None
    modes = ["Input", "Output"] if settings.inputs else ["Output"]
    return sagemaker.CfnEndpointConfig.DataCaptureConfigProperty(
        enable_capture=True,
        initial_sampling_percentage=settings.percent,
        destination_s3_uri=f"s3://{data.bucket.bucket_name}/{Prefix.CAPTURE}".rstrip("/"),
        kms_key_id=data.key.key_arn if data.key else None,
        capture_options=[
            sagemaker.CfnEndpointConfig.CaptureOptionProperty(capture_mode=mode) for mode in modes
        ],
        capture_content_type_header=sagemaker.CfnEndpointConfig.CaptureContentTypeHeaderProperty(
            json_content_types=["application/json"]
        ),
    )
