"""A site to be recounted: images, a model that counts them by brightness, a cloud, a manifest."""

import json
import os
import subprocess
import sys
from pathlib import Path

import openvino as ov
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import make_role, settled_endpoint
from PIL import Image

from demo.cloud import INFERENCE_IMAGE
from tests.e2e.common_stage import CommonStage
from tests.unit.inference.conftest import MODEL_JSON, brightness_network, encode

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = {
    "aisle 1/00001": 3,  # shows 3
    "aisle 1/00002": 5,  # shows 3
    "aisle 2/ü": 2,  # between 2 and 3
    "aisle 2/00001": 4,  # a PNG that shows 4
    "aisle 2/many": 12,  # shows 5, no class for 12
    "broken": 1,
    "empty": 1,
    "forgotten": 2,  # no image
}


def gray(level: int, format: str = "JPEG") -> bytes:
    """An image that the model of these tests counts as level / 40 objects."""
    return encode(Image.new("RGB", (64, 48), (level, level, level)), format)


IMAGES = {
    "aisle 1/00001.jpg": gray(120),
    "aisle 1/00002.JPG": gray(120),
    "aisle 2/ü.jpeg": gray(100),
    "aisle 2/00001.png": gray(160, "PNG"),
    "aisle 2/many.jpg": gray(200),
    "broken.jpg": b"hello",
    "empty.jpg": b"",
    "nobody asked.webp": gray(40, "WEBP"),
    "notes.txt": b"no image",
}


class Site:
    """A cloud with the data and recount stacks, an approved model, an endpoint, and the images twice."""

    def __init__(self, cloud: Cloud, out: Path) -> None:
        self.cloud = cloud
        self.out = out
        self.folder = out / "images"
        self.manifest = out / "consignments.csv"
        self.bucket = ""

    def run(self, *arguments: str | Path, check: int | None = None) -> subprocess.CompletedProcess[str]:
        """`bincount …` with the exit status that is expected of it."""
        done = subprocess.run(
            [sys.executable, "-m", "bincount", *map(str, arguments)],
            capture_output=True, text=True, timeout=300, env=self.environment(), cwd=self.out,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        if check is not None:
            assert done.returncode == check, done.stdout + done.stderr
        return done

    def environment(self) -> dict[str, str]:
        """The variables of a person's shell, a real account's among them, which stage local must not use."""
        client_file = self.out / "cloud" / "client.json"
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}/client:{ROOT}/core",
            "BINCOUNT_STAGE": "local",
            "BINCOUNT_CLOUD": str(client_file),
            "AWS_PROFILE": "somebody-else",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "HTTP_PROXY": "http://127.0.0.1:9",
        }


def _approve_a_model(site: Site) -> None:
    """The brightness model as archive, as SSM parameters, and behind an endpoint."""
    folder = site.out / "model"
    folder.mkdir()
    network = brightness_network(classes=len(MODEL_JSON["classes"]["counts"]))
    ov.save_model(network, folder / "model.xml", compress_to_fp16=False)
    (folder / "model.json").write_text(json.dumps(MODEL_JSON))
    archive = site.out / "model.tar.gz"
    subprocess.run(["tar", "-czf", archive, "-C", folder, "."], check=True)
    site.cloud.client("s3").upload_file(str(archive), site.bucket, "models/one/output/model.tar.gz")
    uri = f"s3://{site.bucket}/models/one/output/model.tar.gz"
    # A recount runs on the image for x86, whatever the endpoint runs on.
    images = dict.fromkeys(("/bincount/local/image", "/bincount/local/evaluation-image"), INFERENCE_IMAGE)
    for name, value in {"/bincount/local/model": uri, **images}.items():
        site.cloud.client("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
    sagemaker = site.cloud.client("sagemaker")
    role = make_role(site.cloud, name="all", actions=["*"])
    container = {"Image": INFERENCE_IMAGE, "ModelDataUrl": uri}
    sagemaker.create_model(ModelName="one", ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "AllTraffic", "ModelName": "one", "InitialInstanceCount": 1}
    variant["InstanceType"] = "ml.c5.large"
    sagemaker.create_endpoint_config(EndpointConfigName="one", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="bincount-local", EndpointConfigName="one")


def _put_images(site: Site) -> None:
    for name, body in IMAGES.items():
        path = site.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        site.cloud.client("s3").put_object(Bucket=site.bucket, Key=f"sites/one/{name}", Body=body)
    # As a German Excel saves it: semicolons, a byte order mark, a column of its own, a blank row at the end.
    lines = [f"{identity};A-{n};{expected},0" for n, (identity, expected) in enumerate(EXPECTED.items())]
    site.manifest.write_text("\r\n".join(["id;place;expected", *lines, ";;"]), encoding="utf-8-sig")
    assert settled_endpoint(site.cloud, "bincount-local")["EndpointStatus"] == "InService"


def site_on(common: CommonStage) -> Site:
    """The site on the common stage."""
    found = Site(common.cloud, common.out)
    found.bucket = common.bucket
    _approve_a_model(found)
    _put_images(found)
    return found
