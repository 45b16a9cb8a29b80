"""AWS's registry of Deep Learning Containers, as far as an account may ask ECR about it: BatchGetImage."""

import hashlib
import json
from typing import Any

from embedded_cloud.errors import AwsError
from embedded_cloud.identity import ACCOUNT
from embedded_cloud.sagemaker.runtime import Response
from embedded_cloud.wire import Handler, error_response

REGISTRY = "763104351884"
"""That of us-east-1, from AWS's list of its accounts."""
IMAGES = {"pytorch": ("2.14-cpu-amzn2023-sagemaker", "2.14-cu133-amzn2023-sagemaker")}
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def with_training_images(handle: Handler) -> Handler:
    """ECR's handler, which answers for AWS's registry too. ministack knows one registry."""

    async def run(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Response:
        request: dict[str, Any] = json.loads(body or b"{}")
        asks = headers.get("x-amz-target", "").endswith(".BatchGetImage")
        if not asks or request.get("registryId", ACCOUNT) == ACCOUNT:
            return await handle(method, path, headers, body, query)
        try:
            content = json.dumps(_batch_get_image(request)).encode()
        except AwsError as error:
            return error_response(error)
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, content

    return run


def _batch_get_image(request: dict[str, Any]) -> dict[str, Any]:
    registry, name = request["registryId"], request["repositoryName"]
    if registry != REGISTRY or name not in IMAGES:
        text = f"The repository with name '{name}' does not exist in the registry with id '{registry}'"
        raise AwsError("RepositoryNotFoundException", text)
    images: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    for wanted in request["imageIds"]:
        tag = wanted.get("imageTag")
        if tag not in IMAGES[name]:
            reason = {"failureCode": "ImageNotFound", "failureReason": "Requested image not found"}
            failures.append({"imageId": wanted, **reason})
            continue
        manifest = json.dumps({"schemaVersion": 2, "mediaType": _MANIFEST})
        digest = f"sha256:{hashlib.sha256(f'{name}:{tag}'.encode()).hexdigest()}"
        images.append(
            {
                "registryId": registry,
                "repositoryName": name,
                "imageId": {"imageDigest": digest, "imageTag": tag},
                "imageManifest": manifest,
                "imageManifestMediaType": _MANIFEST,
            }
        )
    return {"images": images, "failures": failures}
