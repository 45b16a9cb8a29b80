"""What CreateProcessingJob is asked for, for programs of the serving image: JSONata over a state's input."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from infra.settings import Settings
from infra.shared.sagemaker_role import volume_key
from infra.shared.tags import job_tags

ROOT = "/opt/ml/processing"


def processing_job(
    *,
    settings: Settings,
    role: iam.Role,
    key: kms.Key | None,
    network: dict[str, Any],
    module: str,
    arguments: list[str],
    inputs: Any,
    outputs: Mapping[str, tuple[str, str]],
    instance_type: str,
    max_runtime_seconds: int,
) -> dict[str, Any]:
    """The request but for the name: `python -m <module>`, without a network, on one instance.

    The image is the state's `image`. `outputs`: name to folder below ROOT and S3 address, which it is
    uploaded to at the job's end.
    """
    disk_key = volume_key(key, instance_type=instance_type)
    return {
        "Tags": job_tags(settings),
        "RoleArn": role.role_arn,
        "AppSpecification": {
            "ImageUri": "{% $states.input.image %}",
            "ContainerEntrypoint": ["python", "-m", module],
            "ContainerArguments": arguments,
        },
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": name,
                    "S3Output": {"LocalPath": f"{ROOT}/{folder}", "S3Uri": to, "S3UploadMode": "EndOfJob"},
                }
                for name, (folder, to) in outputs.items()
            ],
            **({"KmsKeyId": key.key_arn} if key else {}),
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": instance_type,
                "VolumeSizeInGB": settings.gate.volume_gib,
                **({"VolumeKmsKeyId": disk_key} if disk_key else {}),
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": max_runtime_seconds},
        "NetworkConfig": {"EnableNetworkIsolation": True, **network},
    }
