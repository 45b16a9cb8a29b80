"""`make weights STAGE=dev`: a network's ImageNet weights into the stage's bucket, from this machine."""

import argparse
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra import settings
from infra.names import Names
from infra.packaging.requirements import PackageError
from infra.runtime import weights
from infra.training import weights as imagenet_weights


def main() -> int:
    """Stage the weights; 0, or 1 after a failure that was reported."""
    options = _options()
    try:
        context = settings.context_of_cdk_json([*options.context, f"stage={options.stage}"])
        chosen = settings.load(context.get, given=context)
        training = chosen.training
        if training.weights_uri:
            print(f"nothing to do: stage {options.stage} takes its weights from {training.weights_uri}")
            return 0
        if training.pretrained == "none":
            print(f"nothing to do: stage {options.stage} trains from scratch (training.pretrained is none)")
            return 0
        bucket = options.bucket or _bucket(stage=options.stage, region=chosen.region)
        request = _request(
            options.arch or training.arch,
            source=options.source or training.weights_source,
            sha256=options.sha256 or training.weights_sha256,
            bucket=bucket,
        )
        weights.stage(s3=boto3.client("s3", region_name=chosen.region), say=print, **request)
    except (
        settings.SettingsError,
        weights.WeightsUnavailable,
        weights.WrongWeights,
        PackageError,
        BotoCoreError,
        ClientError,
    ) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _request(arch: str, *, source: str, sha256: str, bucket: str) -> dict[str, str]:
    fault = imagenet_weights.name_fault(arch) or imagenet_weights.weights_fault(arch, sha256=sha256)
    if fault:
        raise settings.SettingsError(fault)
    is_packaged = arch in imagenet_weights.PACKAGED and not source
    packaged = imagenet_weights.packaged_file(arch).as_uri() if is_packaged else ""
    return imagenet_weights.request(arch=arch, source=source, sha256=sha256, bucket=bucket, packaged=packaged)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.tools.stage_weights", description=__doc__)
    parser.add_argument("--stage", required=True, help="a stage of cdk.json that is deployed")
    parser.add_argument("--arch", help="network (default: training.arch)")
    parser.add_argument("--source", help="address above the files (default: training.weights_source)")
    parser.add_argument("--sha256", help="digest of that source's file (default: the known one)")
    parser.add_argument("--bucket", help="the stage's bucket (default: the Data stack's output)")
    parser.add_argument(
        "-c",
        dest="context",
        action="append",
        default=[],
        metavar="SETTING=VALUE",
        help="as cdk deploy had it",
    )
    return parser.parse_args()


def _bucket(*, stage: str, region: str) -> str:
    name = Names(stage).stack("data")
    stacks = boto3.client("cloudformation", region_name=region).describe_stacks(StackName=name)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
    return outputs["BucketName"]


if __name__ == "__main__":
    sys.exit(main())
