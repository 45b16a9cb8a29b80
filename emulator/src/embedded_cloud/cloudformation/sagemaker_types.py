"""AWS::SageMaker::Model, EndpointConfig, Endpoint and ModelPackageGroup."""

import copy
import logging
from typing import Any

from embedded_cloud.cloudformation.generated_names import generated_name
from embedded_cloud.errors import AwsError
from embedded_cloud.sagemaker.service import SageMaker
from embedded_cloud.sagemaker.shapes import shapes_of

Provisioned = tuple[str, dict[str, Any]]
_LOG = logging.getLogger("embedded_cloud.cloudformation")


class SageMakerType:
    """A type whose every change but one of tags needs a new resource; `kind` is the type's last word.

    Ref is the ARN. A name is made up where the template gives none, as CloudFormation does.
    """

    def __init__(self, *, kind: str, sagemaker: SageMaker) -> None:
        self._kind = kind
        self._sagemaker = sagemaker

    def handler(self) -> dict[str, Any]:
        """What ministack's table of types wants."""
        return {
            "create": self.create,
            "update": self.update,
            "update_with_logical_id": True,
            "delete": self.delete,
        }

    def create(self, logical_id: str, properties: dict[str, Any], stack: str) -> Provisioned:
        """Makes the resource. Raises ValueError with AWS's reason, which rolls the stack back."""
        request = self._request(f"Create{self._kind}", properties)
        request.setdefault(f"{self._kind}Name", generated_name(logical_id))
        self._call(f"Create{self._kind}", request)
        return self._provisioned(request[f"{self._kind}Name"])

    def update(
        self,
        physical_id: str,
        old: dict[str, Any],
        new: dict[str, Any],
        stack: str,
        logical_id: str | None = None,
    ) -> Provisioned:
        """Changes the resource, or makes another; CloudFormation deletes the old one after the update."""
        if self._needs_another(old, new):
            return self.create(logical_id or self._kind, new, stack)
        return self._change(physical_id, old, new)

    def delete(self, physical_id: str, properties: dict[str, Any]) -> None:
        """Deletes the resource; one that is gone already counts as deleted."""
        try:
            self._sagemaker.call(f"Delete{self._kind}", {f"{self._kind}Name": physical_id.rsplit("/", 1)[-1]})
        except AwsError as error:
            if "Could not find" not in error.message and "does not exist" not in error.message:
                raise ValueError(error.message) from error
            _LOG.info("%s was deleted outside its stack", physical_id)

    def _needs_another(self, old: dict[str, Any], new: dict[str, Any]) -> bool:
        """Whether an update makes a new resource. Raises ValueError where the old one keeps its name."""
        if _without_tags(old) == _without_tags(new):
            return False
        name_key = f"{self._kind}Name"
        if name_key in new and old.get(name_key) == new[name_key]:
            raise ValueError(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {new[name_key]} and update the stack again."
            )
        return True

    def _change(self, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Provisioned:
        """Changes the resource in place: here its tags."""
        self._tag(physical_id, new)
        return self._provisioned(physical_id.rsplit("/", 1)[-1])

    def _provisioned(self, name: str) -> Provisioned:
        record = self._sagemaker.call(f"Describe{self._kind}", {f"{self._kind}Name": name})
        arn = record[f"{self._kind}Arn"]
        attributes = {"Id": arn, f"{self._kind}Name": name, f"{self._kind}Arn": arn}
        if self._kind == "ModelPackageGroup":
            attributes |= {
                "ModelPackageGroupStatus": "Completed",
                "CreationTime": str(record["CreationTime"]),
            }
        return arn, attributes

    def _request(self, operation: str, properties: dict[str, Any]) -> dict[str, Any]:
        try:
            return shapes_of("sagemaker").coerce(operation=operation, properties=copy.deepcopy(properties))
        except AwsError as error:
            raise ValueError(f"Model validation failed: {error.message}") from error

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._sagemaker.call(operation, request)
        except AwsError as error:
            raise ValueError(
                f"{error.message} (Service: SageMaker, Status Code: 400, {error.code})"
            ) from error

    def _tag(self, arn: str, properties: dict[str, Any]) -> None:
        if properties.get("Tags"):
            self._sagemaker.call("AddTags", {"ResourceArn": arn, "Tags": properties["Tags"]})


class ChangedInPlace(SageMakerType):
    """A type whose resources keep their name through an update; only a new name makes a new resource."""

    def _needs_another(self, old: dict[str, Any], new: dict[str, Any]) -> bool:
        return old.get(f"{self._kind}Name") != new.get(f"{self._kind}Name")


class ModelPackageGroupType(ChangedInPlace):
    """A group is changed in place: its description is all that can change. It can be imported."""

    def handler(self) -> dict[str, Any]:
        """What ministack's table of types wants."""
        return {**super().handler(), "import": self.adopt}

    def adopt(self, identifier: dict[str, str]) -> Provisioned:
        """Takes the group of that ARN as it is; a change set was refused where there is none."""
        return self._provisioned(identifier["ModelPackageGroupArn"].rsplit("/", 1)[-1])

    def _change(self, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Provisioned:
        """Changes the description."""
        group = self._sagemaker.model_package_groups.get(physical_id)
        group["ModelPackageGroupDescription"] = new.get("ModelPackageGroupDescription")
        return super()._change(physical_id, old, new)


class EndpointType(ChangedInPlace):
    """An endpoint: create and update wait until it is in service, so they must run on a worker thread."""

    _CFN_ONLY = ("RetainAllVariantProperties", "ExcludeRetainedVariantProperties", "RetainDeploymentConfig")

    def create(self, logical_id: str, properties: dict[str, Any], stack: str) -> Provisioned:
        """Makes the endpoint and waits. An endpoint that fails is deleted and fails the resource."""
        wanted = {key: value for key, value in properties.items() if key not in self._CFN_ONLY}
        arn, attributes = super().create(logical_id, wanted, stack)
        record = self._sagemaker.endpoints.wait(attributes["EndpointName"])
        if record["EndpointStatus"] != "InService":
            self.delete(arn, properties)
            raise ValueError(f"Resource handler returned message: {record.get('FailureReason')}")
        return arn, attributes

    def _change(self, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Provisioned:
        """Moves the endpoint to its new configuration and waits; a failed move fails the resource."""
        if old.get("EndpointConfigName") == new.get("EndpointConfigName"):
            return super()._change(physical_id, old, new)
        name = physical_id.rsplit("/", 1)[-1]
        unnamed = {key: value for key, value in new.items() if key != "Tags"}
        self._call("UpdateEndpoint", self._request("UpdateEndpoint", {**unnamed, "EndpointName": name}))
        record = self._sagemaker.endpoints.wait(name)
        config = new["EndpointConfigName"]
        if record["EndpointStatus"] != "InService" or record["EndpointConfigName"] != config:
            raise ValueError(f"Resource handler returned message: {record.get('FailureReason')}")
        return self._provisioned(name)


def sagemaker_types(sagemaker: SageMaker) -> dict[str, dict[str, Any]]:
    """The handlers of all SageMaker types, by type name."""
    types: dict[str, SageMakerType] = {
        "AWS::SageMaker::Model": SageMakerType(kind="Model", sagemaker=sagemaker),
        "AWS::SageMaker::EndpointConfig": SageMakerType(kind="EndpointConfig", sagemaker=sagemaker),
        "AWS::SageMaker::Endpoint": EndpointType(kind="Endpoint", sagemaker=sagemaker),
        "AWS::SageMaker::ModelPackageGroup": ModelPackageGroupType(
            kind="ModelPackageGroup", sagemaker=sagemaker
        ),
    }
    return {name: resource_type.handler() for name, resource_type in types.items()}


def _without_tags(properties: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key != "Tags"}
