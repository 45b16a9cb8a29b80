"""What is left of a stage is looked for in its own region, though S3 lists all buckets of an account."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.tools.leftovers import buckets, buckets_of

REGIONS = {"bincount-dev-data-bucket-1": "eu-west-1", "bincount-dev-data-bucket-2": "us-east-1"}
PART = "bincount-dev-data/Bucket"


def s3_of(region: str) -> tuple[Any, Stubber]:
    """S3 as it answers in `region`: ListBuckets names the buckets of the region that it is asked for."""
    client = boto3.client("s3", region_name=region, aws_access_key_id="a", aws_secret_access_key="b")
    stubber = Stubber(client)
    here = [{"Name": name, "BucketRegion": region} for name, its in REGIONS.items() if its == region]
    asked = {"Prefix": "bincount-dev-data-", "BucketRegion": region}
    stubber.add_response("list_buckets", {"Buckets": here}, asked)
    return client, stubber


@pytest.mark.parametrize(("name", "region"), REGIONS.items())
def test_teardown_sees_no_bucket_of_another_region(name: str, region: str) -> None:
    client, stubber = s3_of(region)
    with stubber:
        assert buckets(client, prefix="bincount-dev-data-") == [name]


def test_adopt_sees_no_bucket_of_another_region() -> None:
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(client) as stubber:
        asked = {"Prefix": "bincount-", "BucketRegion": "us-east-1"}
        stubber.add_response("list_buckets", {"Buckets": [{"Name": "bincount-dev-data-bucket-2"}]}, asked)
        tags = {"TagSet": [{"Key": "part", "Value": PART}]}
        stubber.add_response("get_bucket_tagging", tags, {"Bucket": "bincount-dev-data-bucket-2"})
        assert buckets_of(client, part=PART) == ["bincount-dev-data-bucket-2"]
