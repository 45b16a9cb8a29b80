"""The request of the hyperparameter tuning job, as the state machine sends it."""

import json
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets

from infra.data.stack import DataStack
from infra.names import Names, Prefix
from infra.packaging import training_archive as code_archive
from infra.settings import Settings, Training
from infra.shared.sagemaker_job import job_name
from infra.shared.sagemaker_role import volume_key
from infra.shared.tags import job_tags
from infra.training import weights as imagenet_weights
from infra.training.roles import deep_learning_container

OBJECTIVE = "validation:rmse"
METRICS = (
    "train:loss",
    "train:images_per_second",
    "validation:loss",
    "validation:accuracy",
    "validation:rmse",
    "validation:mae",
    "validation:within_one",
    "test:accuracy",
    "test:rmse",
    "test:mae",
    "test:within_one",
    "test:majority_accuracy",
)
NUMBER = r"([-+0-9.eE]+)"


def tuning_job(
    *, settings: Settings, data: DataStack, role: iam.Role, code: s3_assets.Asset
) -> dict[str, Any]:
    """CreateHyperParameterTuningJob's request but for the name, in JSONata; it takes `dataset.uri` from the
    state's input.
    """
    training, bucket = settings.training, data.bucket
    name = job_name(Names(settings.stage).tuning_jobs)
    return {
        "Tags": job_tags(settings),  # its training jobs get them, too
        "HyperParameterTuningJobConfig": {
            "Strategy": training.strategy,
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": OBJECTIVE},
            "ResourceLimits": {
                "MaxNumberOfTrainingJobs": training.max_jobs,
                "MaxParallelTrainingJobs": training.max_parallel_jobs,
            },
            "ParameterRanges": _ranges(training),
            "TrainingJobEarlyStoppingType": "Auto" if training.stops_early else "Off",
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": _hyperparameters(settings, code),
            "AlgorithmSpecification": {
                "TrainingImage": deep_learning_container(settings),
                "TrainingInputMode": "File",
                "MetricDefinitions": [
                    {"Name": name, "Regex": f"metric={name} value={NUMBER}"} for name in METRICS
                ],
            },
            "RoleArn": role.role_arn,
            "InputDataConfig": _channels(training, bucket, code),
            "OutputDataConfig": {
                "S3OutputPath": f"s3://{bucket.bucket_name}/{Prefix.MODELS}".rstrip("/"),
                **({"KmsKeyId": data.key.key_arn} if data.key else {}),
            },
            # SageMaker copies all that is below this address into each job as it starts, and the API has one
            # address for all trials: a trial that is done empties its checkpoint (engine/checkpoint.py).
            "CheckpointConfig": {
                "S3Uri": f"{{% 's3://{bucket.bucket_name}/{Prefix.CHECKPOINTS}' & {name} %}}"
            },
            "ResourceConfig": _resources(training, data.key),
            "StoppingCondition": _stopping(training),
            "RetryStrategy": {"MaximumRetryAttempts": training.retry_attempts},
            "EnableManagedSpotTraining": training.spot,
            "EnableNetworkIsolation": training.network_isolation,
            **data.network.vpc_config(),
            "Environment": _environment(training, code),
        },
    }


def _resources(training: Training, key: kms.Key | None) -> dict[str, Any]:
    disk_key = volume_key(key, instance_type=training.instance_type)
    return {
        "InstanceType": training.instance_type,
        "InstanceCount": training.instance_count,
        "VolumeSizeInGB": training.volume_gib,
        **({"VolumeKmsKeyId": disk_key} if disk_key else {}),
    }


def _ranges(training: Training) -> dict[str, Any]:
    def bounds(name: str, values: tuple[float, float], scaling: str) -> dict[str, str]:
        low, high = (str(value) for value in values)
        return {"Name": name, "MinValue": low, "MaxValue": high, "ScalingType": scaling}

    return {
        "IntegerParameterRanges": [bounds("epochs", training.epochs, "Linear")],
        "ContinuousParameterRanges": [bounds("learning-rate", training.learning_rate, "Logarithmic")],
        "CategoricalParameterRanges": [
            {"Name": "batch-size", "Values": [str(size) for size in training.batch_sizes]}
        ],
    }


def _hyperparameters(settings: Settings, code: s3_assets.Asset) -> dict[str, str]:
    training = settings.training
    flags: dict[str, Any] = {
        "arch": training.arch,
        "image-size": training.image_size,
        **({} if training.head == "soft" else {"head": training.head}),
        "answer": training.answer,
        "pretrained": training.pretrained,
        "max-count": training.max_count,
        **training.fixed,
        # OpenVINO runs INT8 as FP16 on ARM: what is measured is to be what serves.
        **({"precision": "fp16"} if settings.serving.is_arm else {}),
        **({"sagemaker_torch_distributed_enabled": True} if training.is_distributed else {}),
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": f"/opt/ml/input/data/code/{code.s3_object_key}",
    }
    # The toolkit reads each value as JSON.
    return {name: json.dumps(value) for name, value in flags.items()}


def _environment(training: Training, code: s3_assets.Asset) -> dict[str, str]:
    # The archive's digest: a model names the very code that made it.
    own = {"SOURCE_REVISION": code.asset_hash}
    if training.network_isolation:
        # The toolkit runs a bare `pip install -r requirements.txt` in the unpacked archive.
        own |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": f"/opt/ml/code/{code_archive.WHEELS}"}
    return own


def _channels(training: Training, bucket: s3.IBucket, code: s3_assets.Asset) -> list[dict[str, Any]]:
    def channel(name: str, uri: dict[str, str], **mode: str) -> dict[str, Any]:
        source = {"S3DataType": "S3Prefix", "S3DataDistributionType": "FullyReplicated", **uri}
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **mode}

    channels = [
        channel("dataset", {"S3Uri": "{% $states.input.dataset.uri %}"}, InputMode=training.input_mode),
        channel("code", {"S3Uri": code.s3_object_url}),
    ]
    if training.weights_uri:
        channels.append(channel("weights", {"S3Uri": training.weights_uri}))
    elif training.stages_weights:
        uri = f"s3://{bucket.bucket_name}/{imagenet_weights.key(training.arch)}"
        channels.append(channel("weights", {"S3Uri": uri}))
    return channels


def _stopping(training: Training) -> dict[str, int]:
    stopping = {"MaxRuntimeInSeconds": training.max_runtime_seconds}
    if training.spot:
        stopping["MaxWaitTimeInSeconds"] = training.max_wait_seconds
    return stopping
