"""The programs that a build finds, as far as builds here use them: aws, docker, curl, unzip.

`docker` builds nothing: an image is the digest of the folder it would be built from. What is pushed is a
manifest of that, in the emulated ECR with the build's own rights, and the embedded cloud runs the project's
server in its place.
"""

import hashlib
import json
import os
import sys
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def main() -> int:
    """Runs the program whose name is `sys.argv[0]`; its exit code."""
    program, arguments = sys.argv[0], sys.argv[1:]
    programs: dict[str, Callable[[list[str]], None]] = {
        "aws": _aws,
        "docker": _docker,
        "curl": _curl,
        "unzip": _unzip,
    }
    try:
        programs[program](arguments)
    except Exception as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 1
    return 0


def _client(service: str) -> Any:
    import boto3  # here: most of these programs need none, and it is most of their start

    return boto3.client(service)


def _aws(arguments: list[str]) -> None:
    match arguments[:2]:
        case ["s3", "cp"]:
            source, target = arguments[2:4]
            bucket, _, key = source.removeprefix("s3://").partition("/")
            _client("s3").download_file(bucket, key, target)
        case ["ecr", "get-login-password"]:
            answer: dict[str, Any] = _client("ecr").get_authorization_token()
            print(answer["authorizationData"][0]["authorizationToken"])
        case ["ecr-public", "get-login-password"]:
            print("public images are not pulled here")
        case _:
            raise ValueError(f"the embedded cloud's build has no `aws {' '.join(arguments[:2])}`")


def _docker(arguments: list[str]) -> None:
    match arguments:
        case ["login", *_]:
            sys.stdin.read()
        case ["buildx", "ls"] | ["images"]:
            print("\n".join(_images()))
        case ["buildx", "build", *options]:
            context = Path(options[-1])
            if not (context / "Dockerfile").is_file():
                raise FileNotFoundError(f"no Dockerfile in {context.resolve()}")
            name = next(
                part.removeprefix("name=")
                for option in options
                for part in option.split(",")
                if part.startswith("name=")
            )
            _keep({**_images(), name: _digest_of(context)})
        case ["tag", source, target]:
            images = _images()
            _keep({**images, target: images[source]})
        case ["push", target]:
            _push(target, digest=_images()[target])
        case _:
            raise ValueError(f"the embedded cloud's build has no `docker {' '.join(arguments)}`")


def _push(target: str, *, digest: str) -> None:
    repository, _, tag = target.partition("/")[2].partition(":")
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": f"sha256:{digest}"}
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": {**config, "size": 0},
        "layers": [],
    }
    _client("ecr").put_image(
        repositoryName=repository,
        imageTag=tag,
        imageManifest=json.dumps(manifest),
        imageManifestMediaType=_MANIFEST,
    )
    print(f"{tag}: pushed, sha256:{digest}")


def _digest_of(context: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(context.rglob("*")):
        if path.is_file():
            digest.update(f"\0{path.relative_to(context)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _kept() -> Path:
    return Path(os.environ["HOME"]) / "images.json"


def _images() -> dict[str, str]:
    return json.loads(_kept().read_text()) if _kept().exists() else {}


def _keep(images: dict[str, str]) -> None:
    _kept().write_text(json.dumps(images))


def _curl(arguments: list[str]) -> None:
    """`curl -i -X METHOD -H 'Content-Type:' -d @FILE URL`."""
    method = arguments[arguments.index("-X") + 1]
    body = arguments[arguments.index("-d") + 1]
    data = Path(body[1:]).read_bytes() if body.startswith("@") else body.encode()
    request = urllib.request.Request(arguments[-1], data=data, method=method, headers={"Content-Type": ""})
    with urllib.request.urlopen(request) as answer:
        print(f"HTTP {answer.status}")


def _unzip(arguments: list[str]) -> None:
    with zipfile.ZipFile(arguments[-1]) as archive:
        archive.extractall()
