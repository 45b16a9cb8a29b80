"""The request of the gate's processing job, as the state machine sends it."""

from typing import Any

from aws_cdk import aws_iam as iam

from infra.data.stack import DataStack
from infra.names import NO_MODEL, Names
from infra.settings import Gate, Settings
from infra.shared.sagemaker_job import job_name
from infra.shared.sagemaker_role import volume_key
from infra.shared.tags import job_tags

ROOT = "/opt/ml/processing"


def evaluation_job(*, settings: Settings, data: DataStack, role: iam.Role) -> dict[str, Any]:
    """CreateProcessingJob's request but for the name, in JSONata.

    It takes from the state's input `dataset`, `candidate`, `champion` and `image`.
    """
    gate = settings.gate
    name = job_name(Names(settings.stage).evaluation_jobs)
    disk_key = volume_key(data.key, instance_type=gate.instance_type)
    return {
        "Tags": job_tags(settings),
        "RoleArn": role.role_arn,
        "AppSpecification": {
            "ImageUri": "{% $states.input.image %}",
            "ContainerEntrypoint": ["python", "-m", "inference.evaluate"],
            "ContainerArguments": _arguments(gate),
        },
        "ProcessingInputs": f"{{% {_inputs()} %}}",
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "verdict",
                    "S3Output": {
                        "LocalPath": f"{ROOT}/output",
                        "S3Uri": f"{{% 's3://{data.bucket.bucket_name}/evaluations/' & {name} %}}",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ],
            **({"KmsKeyId": data.key.key_arn} if data.key else {}),
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": gate.instance_type,
                "VolumeSizeInGB": gate.volume_gib,
                **({"VolumeKmsKeyId": disk_key} if disk_key else {}),
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": gate.max_runtime_seconds},
        "NetworkConfig": {"EnableNetworkIsolation": True, **data.network.vpc_config()},
    }


def _arguments(settings: Gate) -> list[str]:
    arguments = {
        "input": f"{ROOT}/input",
        "output": f"{ROOT}/output",
        "dataset-id": "{% $states.input.dataset.dataset_id %}",
        "challenger": "{% $states.input.candidate.model_data %}",
        "champion": "{% $states.input.champion %}",
        "min-accuracy": str(settings.min_accuracy),
        "max-rmse": str(settings.max_rmse),
        "min-within-one": str(settings.min_within_one),
        "min-coverage": str(settings.min_coverage),
        "level": str(settings.level),
        "min-images": str(settings.min_images),
    }
    return [word for name, value in arguments.items() for word in (f"--{name}", value)]


def _inputs() -> str:
    """A JSONata expression: the champion's archive is an input only where a model serves."""
    # In folders the test images are among all of `val/`; shards are apart.
    bins = "$states.input.dataset.uri & ($states.input.dataset.shards ? 'shards/test-' : 'val/')"
    always = ", ".join(
        (
            _input("bins", bins),
            _input("manifest", "$states.input.dataset.uri & 'manifest.jsonl.gz'"),
            _input("challenger", "$states.input.candidate.model_data"),
        )
    )
    champion = _input("champion", "$states.input.champion")
    return f"$append([{always}], $states.input.champion = '{NO_MODEL}' ? [] : [{champion}])"


def _input(name: str, uri: str) -> str:
    return (
        f"{{'InputName': '{name}', 'S3Input': {{'S3Uri': {uri}, 'LocalPath': '{ROOT}/input/{name}', "
        "'S3DataType': 'S3Prefix', 'S3InputMode': 'File'}}"
    )
