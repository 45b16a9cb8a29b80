"""Makes recordings/captured.jsonl: `python -m tests.unit.monitoring.record_captured`.

The embedded cloud captures what the real server answers about images of a model that counts brightness: right
and wrong expected counts, none, an error, and bare numbers. Times, ids and probabilities are as they came.
"""

import tempfile
from pathlib import Path

from botocore.exceptions import ClientError
from embedded_cloud.cloud import Cloud

from demo.cloud import BINCOUNT
from tests.e2e.api_stack_kit import BUCKET, CAPTURED, ENDPOINT, serve_a_model
from tests.e2e.tiny_model import bin_image

RECORDING = Path(__file__).with_name("recordings") / "captured.jsonl"


def main() -> None:
    """Writes the recording."""
    with tempfile.TemporaryDirectory() as folder, Cloud(data_dir=Path(folder), project=BINCOUNT) as cloud:
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        serve_a_model(cloud, captures=True)
        _ask(cloud)
        cloud.client("sagemaker").delete_endpoint(EndpointName=ENDPOINT)
        s3 = cloud.client("s3")
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET, Prefix=CAPTURED)["Contents"]]
        bodies = [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys]
        RECORDING.write_bytes(b"".join(bodies))


def _ask(cloud: Cloud) -> None:
    runtime = cloud.client("sagemaker-runtime")
    for number in range(30):
        shown = number % 6
        call = {"EndpointName": ENDPOINT, "Body": bin_image(shown), "ContentType": "image/jpeg"}
        if number % 3:
            call["CustomAttributes"] = f"expected-count={shown if number % 4 else shown + 2}"
        if number % 5:
            call["InferenceId"] = f"call-{number:02d}"
        if number % 10 == 9:
            call["Accept"] = "text/plain"
        runtime.invoke_endpoint(**call)
    try:
        runtime.invoke_endpoint(EndpointName=ENDPOINT, Body=b"no image", ContentType="image/jpeg")
    except ClientError:
        return


if __name__ == "__main__":
    main()
