"""CloudFormation in the embedded cloud: endpoints as resources, conditions, rollback."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import (
    BUCKET,
    SERVER_IMAGE,
    served_weight,
    wait_until,
)

KEEP = {"Parameters": [{"ParameterKey": "Model", "UsePreviousValue": True}]}


def serving_template(role: str) -> dict[str, Any]:
    """A serving stack whose resources are under the Condition `a model is approved`."""
    conditional = {"Condition": "HasModel"}
    container = {"Image": SERVER_IMAGE, "ModelDataUrl": {"Ref": "Model"}}
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": {"Fn::GetAtt": ["TheModel", "ModelName"]},
        "InitialInstanceCount": "1",
        "InitialVariantWeight": "1",
        "InstanceType": "ml.m5.large",
    }
    config_name = {"Fn::GetAtt": ["TheConfig", "EndpointConfigName"]}
    target = {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "ResourceId": "endpoint/serving/variant/AllTraffic",
        "MinCapacity": "1",
        "MaxCapacity": "2",
        "RoleARN": role,
    }
    types: dict[str, tuple[str, dict[str, Any]]] = {
        "TheModel": ("AWS::SageMaker::Model", {"ExecutionRoleArn": role, "PrimaryContainer": container}),
        "TheConfig": ("AWS::SageMaker::EndpointConfig", {"ProductionVariants": [variant]}),
        "TheEndpoint": (
            "AWS::SageMaker::Endpoint",
            {"EndpointName": "serving", "EndpointConfigName": config_name},
        ),
        "TheTarget": ("AWS::ApplicationAutoScaling::ScalableTarget", target),
    }
    resources: dict[str, Any] = {
        name: {**conditional, "Type": kind, "Properties": properties}
        for name, (kind, properties) in types.items()
    }
    resources["TheTarget"]["DependsOn"] = "TheEndpoint"
    resources["Topic"] = {"Type": "AWS::SNS::Topic"}
    return {
        "Parameters": {"Model": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/bins/model"}},
        "Conditions": {"HasModel": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Model"}, "none"]}]}},
        "Resources": resources,
        "Outputs": {"Name": {**conditional, "Value": {"Fn::GetAtt": ["TheEndpoint", "EndpointName"]}}},
    }


@pytest.fixture(scope="module")
def template(cloud: Cloud, role: str) -> dict[str, Any]:
    cloud.client("ssm").put_parameter(Name="/bins/model", Value="none", Type="String")
    return serving_template(role)


class TestServingStack:
    """One stack through its life, in order."""

    def test_without_a_model_there_is_no_endpoint(self, cloud: Cloud, template: dict[str, Any]):
        cloud.client("cloudformation").create_stack(StackName="serving", TemplateBody=json.dumps(template))
        assert self.settled(cloud)["StackStatus"] == "CREATE_COMPLETE"
        assert cloud.client("sagemaker").list_endpoints(NameContains="serving")["Endpoints"] == []

    def test_what_exists_may_not_refer_to_what_does_not(self, cloud: Cloud, template: dict[str, Any]):
        wrong = json.loads(json.dumps(template))
        del wrong["Outputs"]["Name"]["Condition"]
        with pytest.raises(
            ClientError, match=r"Unresolved resource dependencies \[TheEndpoint\] in the Outputs"
        ):
            cloud.client("cloudformation").update_stack(StackName="serving", TemplateBody=json.dumps(wrong))

    def test_an_approved_model_brings_the_endpoint_up(self, cloud: Cloud, template: dict[str, Any]):
        stack = self.release(cloud, "one")
        assert stack["StackStatus"] == "UPDATE_COMPLETE"
        assert [(row["OutputKey"], row["OutputValue"]) for row in stack["Outputs"]] == [("Name", "serving")]
        assert served_weight(cloud, "serving") == 1
        (read,) = stack["Parameters"]
        assert (read["ParameterValue"], read["ResolvedValue"]) == (
            "/bins/model",
            f"s3://{BUCKET}/models/one.tar.gz",
        )
        scaling = cloud.client("application-autoscaling")
        targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        assert [target["MaxCapacity"] for target in targets] == [2]

    def test_an_update_to_another_model_leaves_no_old_model(self, cloud: Cloud, template: dict[str, Any]):
        assert self.release(cloud, "two")["StackStatus"] == "UPDATE_COMPLETE"
        assert served_weight(cloud, "serving") == 2
        assert len(cloud.client("sagemaker").list_models(NameContains="TheModel")["Models"]) == 1

    def test_an_update_to_a_model_that_does_not_start_rolls_back(
        self, cloud: Cloud, template: dict[str, Any]
    ):
        before = cloud.client("sagemaker").describe_endpoint(EndpointName="serving")["EndpointConfigName"]
        assert self.release(cloud, "broken")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        after = cloud.client("sagemaker").describe_endpoint(EndpointName="serving")
        assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", before)
        assert served_weight(cloud, "serving") == 2

    def test_a_change_set_from_before_an_update_is_obsolete(self, cloud: Cloud, template: dict[str, Any]):
        cloudformation, name = cloud.client("cloudformation"), {"ChangeSetName": "early"}
        change = {"StackName": "serving", "UsePreviousTemplate": True, **KEEP}
        tags = [{"Key": "owner", "Value": "somebody"}]
        self.release(cloud, "one")
        cloudformation.create_change_set(**change, **name, Tags=tags)
        wait_until(
            lambda: cloudformation.describe_change_set(StackName="serving", **name)["Status"],
            lambda status: status == "CREATE_COMPLETE",
        )
        uri = {"Name": "/bins/model", "Value": f"s3://{BUCKET}/models/two.tar.gz"}
        cloud.client("ssm").put_parameter(**uri, Type="String", Overwrite=True)
        cloudformation.update_stack(**change)
        with pytest.raises(ClientError, match="UPDATE_IN_PROGRESS state and can not be updated"):
            cloudformation.create_change_set(**change, ChangeSetName="meanwhile")
        assert self.settled(cloud)["StackStatus"] == "UPDATE_COMPLETE"
        with pytest.raises(ClientError, match="OBSOLETE"):
            cloudformation.execute_change_set(StackName="serving", **name)
        assert served_weight(cloud, "serving") == 2

    def test_deleting_the_stack_takes_the_endpoint_away(self, cloud: Cloud, template: dict[str, Any]):
        cloudformation = cloud.client("cloudformation")
        cloudformation.delete_stack(StackName="serving")
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName="serving", WaiterConfig={"Delay": 1}
        )
        assert cloud.client("sagemaker").list_endpoints(NameContains="serving")["Endpoints"] == []

    def release(self, cloud: Cloud, model: str) -> dict[str, Any]:
        uri = f"s3://{BUCKET}/models/{model}.tar.gz"
        cloud.client("ssm").put_parameter(Name="/bins/model", Value=uri, Type="String", Overwrite=True)
        cloud.client("cloudformation").update_stack(
            StackName="serving",
            UsePreviousTemplate=True,
            **KEEP,
        )
        return self.settled(cloud)

    @staticmethod
    def settled(cloud: Cloud) -> dict[str, Any]:
        cloudformation = cloud.client("cloudformation")
        return wait_until(
            lambda: cloudformation.describe_stacks(StackName="serving")["Stacks"][0],
            lambda stack: not stack["StackStatus"].endswith("_IN_PROGRESS"),
        )
