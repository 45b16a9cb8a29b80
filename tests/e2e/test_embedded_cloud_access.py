"""Access to the embedded cloud: keys and signatures as AWS checks them, and public buckets."""

import io
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from embedded_cloud.cloud import Cloud

from demo.bins.generate import generate
from demo.source import SOURCE_BUCKET, upload

pytestmark = pytest.mark.e2e

PRIVATE = "private"
KEY = "a b+c/é.txt"
ANONYMOUS = Config(signature_version=UNSIGNED)
# One service of each protocol, the code of a key that does not exist, that of a wrong signature.
PROTOCOLS: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "s3": (lambda s3: s3.list_buckets(), "InvalidAccessKeyId", "SignatureDoesNotMatch"),
    "sts": (lambda sts: sts.get_caller_identity(), "InvalidClientTokenId", "SignatureDoesNotMatch"),
    "ssm": (
        lambda ssm: ssm.describe_parameters(),
        "UnrecognizedClientException",
        "InvalidSignatureException",
    ),
    "lambda": (
        lambda functions: functions.list_functions(),
        "UnrecognizedClientException",
        "InvalidSignatureException",
    ),
    "ec2": (lambda ec2: ec2.describe_vpcs(), "AuthFailure", "AuthFailure"),
    "sagemaker": (
        lambda sagemaker: sagemaker.list_models(),
        "UnrecognizedClientException",
        "InvalidSignatureException",
    ),
    "sagemaker-runtime": (
        lambda runtime: runtime.invoke_endpoint(EndpointName="x", Body=b""),
        "UnrecognizedClientException",
        "InvalidSignatureException",
    ),
}


@pytest.fixture(scope="module")
def private(cloud: Cloud) -> Any:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=PRIVATE)
    s3.put_object(Bucket=PRIVATE, Key=KEY, Body=b"secret")
    return s3


def error_code(act: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as caught:
        act()
    return caught.value.response["Error"]["Code"]


@pytest.mark.parametrize("service", PROTOCOLS)
def test_a_key_that_does_not_exist_is_rejected(cloud: Cloud, service: str):
    call, unknown, _ = PROTOCOLS[service]
    for key in ("AKIAIOSFODNN7EXAMPLE", "111111111111"):
        client = cloud.client(service, aws_access_key_id=key)
        assert error_code(lambda client=client: call(client)) == unknown


@pytest.mark.parametrize("service", PROTOCOLS)
def test_the_owner_with_a_wrong_secret_is_rejected(cloud: Cloud, service: str):
    call, _, wrong = PROTOCOLS[service]
    client = cloud.client(service, aws_secret_access_key="wrong")
    assert error_code(lambda: call(client)) == wrong


def test_keys_of_users_are_those_that_iam_made(cloud: Cloud):
    iam = cloud.client("iam")
    iam.create_user(UserName="keyed")
    key = iam.create_access_key(UserName="keyed")["AccessKey"]
    known = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    identity = cloud.client("sts", **known).get_caller_identity()
    assert identity["Arn"] == "arn:aws:iam::000000000000:user/keyed"
    wrong = cloud.client("sts", **{**known, "aws_secret_access_key": "wrong"})
    assert error_code(wrong.get_caller_identity) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("size", [10, 9_000_000])
def test_signed_uploads_of_every_kind_arrive_whole(cloud: Cloud, private: Any, size: int):
    body = b"y" * size
    private.upload_fileobj(io.BytesIO(body), PRIVATE, "parts")
    private.put_object(Bucket=PRIVATE, Key="checked", Body=io.BytesIO(body), ChecksumAlgorithm="CRC32")
    plain = cloud.client("s3", config=Config(s3={"payload_signing_enabled": True}))
    plain.put_object(Bucket=PRIVATE, Key="signed", Body=body)
    for key in ("parts", "checked", "signed"):
        assert private.get_object(Bucket=PRIVATE, Key=key)["Body"].read() == body


def test_a_presigned_url_lets_in_who_holds_it_unaltered(cloud: Cloud, private: Any):
    trusted = ssl.create_default_context(cafile=str(cloud.certificate_bundle))
    where = {"Bucket": PRIVATE, "Key": KEY}

    def status(url: str) -> int:
        try:
            return urllib.request.urlopen(url, context=trusted).status
        except urllib.error.HTTPError as error:
            return error.code

    good = private.generate_presigned_url("get_object", Params=where)
    assert status(good) == 200
    assert status(good.replace("a%20b", "a%20c")) == 403
    forger = cloud.client("s3", aws_secret_access_key="wrong")
    assert status(forger.generate_presigned_url("get_object", Params=where)) == 403


def test_nobody_reads_a_private_bucket_or_lists_and_makes_buckets(cloud: Cloud, private: Any):
    nobody = cloud.client("s3", config=ANONYMOUS)
    for act in (
        lambda: nobody.get_object(Bucket=PRIVATE, Key=KEY),
        lambda: nobody.list_objects_v2(Bucket=PRIVATE),
        nobody.list_buckets,
        lambda: nobody.create_bucket(Bucket="nobodys"),
    ):
        assert error_code(act) == "AccessDenied"


def test_everybody_reads_the_public_source_and_nobody_writes_it(cloud: Cloud, tmp_path: Path):
    generate(out=tmp_path / "bins", images=2, seed=3, counts=range(1, 2))
    upload(cloud.client("s3"), tmp_path / "bins", progress=lambda done, all_: None)
    nobody = cloud.client("s3", config=ANONYMOUS)
    listed = nobody.list_objects_v2(Bucket=SOURCE_BUCKET, Prefix="bin-images/")["Contents"]
    assert len(listed) == 2
    for item in listed:
        assert nobody.head_object(Bucket=SOURCE_BUCKET, Key=item["Key"])["ContentLength"] == item["Size"]
        assert nobody.get_object(Bucket=SOURCE_BUCKET, Key=item["Key"])["Body"].read()[:2] == b"\xff\xd8"
    assert error_code(lambda: nobody.put_object(Bucket=SOURCE_BUCKET, Key="mine", Body=b"")) == "AccessDenied"


def test_parameters_are_read_with_rights_on_each_that_is_named(cloud: Cloud):
    owner, iam = cloud.client("ssm"), cloud.client("iam")
    for name in ("/team/one", "/team/two", "/others/three"):
        owner.put_parameter(Name=name, Value="x", Type="String")
    iam.create_user(UserName="reader")
    right = {
        "Effect": "Allow",
        "Action": ["ssm:GetParameters", "ssm:DeleteParameters"],
        "Resource": "arn:aws:ssm:us-east-1:000000000000:parameter/team/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [right]})
    iam.put_user_policy(UserName="reader", PolicyName="team", PolicyDocument=policy)
    made = iam.create_access_key(UserName="reader")["AccessKey"]
    reader = cloud.client(
        "ssm", aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"]
    )

    answer = reader.get_parameters(Names=["/team/one", "/team/two"])

    assert len(answer["Parameters"]) == 2
    for call in (reader.get_parameters, reader.delete_parameters):
        assert error_code(lambda: call(Names=["/team/one", "/others/three"])) == "AccessDeniedException"  # noqa: B023
    assert len(owner.get_parameters(Names=["/team/one", "/others/three"])["Parameters"]) == 2
