"""Releases on the embedded cloud in its strict mode: gate, approval, blue/green under load, every way back.

The tests are one journey on one deployment: each goes on where the one before it ended.
"""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import wait_until

from demo.cloud import BINCOUNT
from infra.names import Names
from infra.tools.teardown import tear_down
from tests.e2e.release_kit import STAGE, Releases, gray_bin, reason

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Releases]:
    out = tmp_path_factory.mktemp("release")
    with Cloud(data_dir=out / "cloud", project=BINCOUNT) as cloud:
        yield Releases(cloud, out)


@pytest.fixture(scope="module")
def gated() -> dict[str, dict]:
    """What the pipeline answered for each model, by its name."""
    return {}


def test_a_stage_deploys_without_a_model(releases: Releases) -> None:
    deployment = releases.deployment()
    deployment.bootstrap()
    releases.outputs = deployment.deploy()
    releases.fill_source()
    assert releases.serving() == ("none", "nothing", "")


def test_an_evaluated_model_waits_in_the_registry_for_a_person(releases: Releases, gated) -> None:
    gated["plain"] = releases.gate("plain", step=46)
    package = releases.package(gated["plain"])
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    properties = package["CustomerMetadataProperties"]
    assert properties["dataset_id"] == gated["plain"]["dataset"]["dataset_id"]
    assert (properties["champion"], properties["verdict"]) == ("none", "accepted")
    assert 0.5 < float(properties["accuracy"]) < 0.9
    address = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    bucket, _, key = address.removeprefix("s3://").partition("/")
    verdict = json.loads(releases.cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    assert verdict["challenger"]["metrics"]["accuracy"] == float(properties["accuracy"])
    assert not releases.executions()
    job = properties["report"].split("/")[-2]
    sagemaker = releases.cloud.client("sagemaker")
    arn = sagemaker.describe_processing_job(ProcessingJobName=job)["ProcessingJobArn"]
    assert {"Key": "system", "Value": STAGE} in sagemaker.list_tags(ResourceArn=arn)["Tags"]


def test_its_approval_is_the_first_release(releases: Releases, gated) -> None:
    with releases.releases() as ended:
        releases.decide(gated["plain"])
    assert [item["status"] for item in ended] == ["SUCCEEDED"], ended
    assert releases.serving()[:2] == (gated["plain"]["candidate"]["model_data"], "plain")


def test_a_better_challenger_replaces_it_without_a_failed_request(releases: Releases, gated) -> None:
    gated["better"] = releases.gate("better", step=40)
    assert gated["better"]["verdict"]["comparison"]["accuracy"]["challenger"] == 1.0
    with releases.load() as load, releases.releases() as ended:
        releases.decide(gated["better"])
    assert [item["status"] for item in ended] == ["SUCCEEDED"], ended
    assert load.failures == []
    assert load.models == {"plain", "better"} and load.answered > 100
    assert releases.serving()[1] == "better"


def test_a_worse_challenger_is_rejected_and_changes_nothing(releases: Releases, gated) -> None:
    before, started = releases.serving(), releases.executions().keys()
    rejected = releases.gate("worse", step=60)
    assert rejected["verdict"]["accepted"] is False
    assert "against the champion's 1.0000" in rejected["verdict"]["reasons"][0]
    package = releases.package(rejected)
    assert package["ModelApprovalStatus"] == "Rejected"
    assert rejected["verdict"]["reasons"][0] in package["ModelPackageDescription"]
    assert (releases.serving(), releases.executions().keys()) == (before, started)


def test_a_model_whose_server_cannot_start_never_takes_a_request(releases: Releases, gated) -> None:
    before = releases.serving()
    broken = releases.gate("broken", step=40)
    key = broken["candidate"]["model_data"].split("/", 3)[3]
    releases.cloud.client("s3").put_object(Bucket=releases.bucket, Key=key, Body=b"no archive any more")
    with releases.load() as load, releases.releases() as ended:
        releases.decide(broken)
    assert [item["status"] for item in ended] == ["FAILED", "SUCCEEDED"]
    assert f"{before[0]} serves again" in ended[0]["cause"]
    assert "nothing to put back" in reason(ended[1])
    assert (load.failures, load.models) == ([], {"better"})
    assert releases.serving() == before
    package = releases.package(broken)
    assert package["ModelApprovalStatus"] == "Rejected"
    assert package["ApprovalDescription"].startswith("Release failed: ")


def test_an_answer_other_than_the_gates_puts_the_former_model_back(releases: Releases, gated) -> None:
    misled = releases.gate("misled", step=40)
    key = f"{misled['evaluation'].split('/', 3)[3]}/smoke.jpg"
    known = json.loads(
        releases.cloud.client("s3")
        .get_object(Bucket=releases.bucket, Key=key.replace("smoke.jpg", "verdict.json"))["Body"]
        .read()
    )["smoke"]["count"]
    other = gray_bin(0 if known else 3)
    releases.cloud.client("s3").put_object(Bucket=releases.bucket, Key=key, Body=other)
    with releases.load() as load, releases.releases() as ended:
        releases.decide(misled)
    assert [item["status"] for item in ended] == ["FAILED", "SUCCEEDED"]
    assert "smoke test: the endpoint answered" in ended[0]["cause"]
    assert load.failures == []
    assert load.models == {"better", "misled"}
    assert releases.serving()[:2] == (gated["better"]["candidate"]["model_data"], "better")


def test_an_aborted_release_is_put_back_by_another_execution(releases: Releases, gated) -> None:
    before = releases.serving()[:2]
    aborted = releases.gate("aborted", step=40)
    with releases.releases() as ended:
        releases.decide(aborted)
        running = wait_until(
            lambda: [item for item in releases.executions().values() if item["status"] == "RUNNING"], bool
        )
        parameter = {"Name": "/bincount/local/model"}
        ssm = releases.cloud.client("ssm")
        wait_until(
            lambda: ssm.get_parameter(**parameter)["Parameter"]["Value"],
            lambda value: value == aborted["candidate"]["model_data"],
        )
        releases.cloud.client("stepfunctions").stop_execution(executionArn=running[0]["executionArn"])
    assert [item["status"] for item in ended] == ["ABORTED", "FAILED", "SUCCEEDED"]
    assert "ended before it was complete" in ended[1]["cause"]
    assert releases.serving()[:2] == before
    assert releases.package(aborted)["ModelApprovalStatus"] == "Rejected"


def test_stale_and_duplicate_approvals_do_no_harm(releases: Releases, gated) -> None:
    before = releases.serving()
    with releases.releases() as ended:  # an older package is approved anew
        releases.decide(gated["plain"], "Rejected")
        releases.decide(gated["plain"], "Approved")
    assert "is not the newest approved one" in reason(ended[0])
    event = {"detail": {"ModelPackageArn": gated["better"]["model_package"]}}
    stepfunctions = releases.cloud.client("stepfunctions")
    with releases.releases(at_least=2) as ended:
        for _ in range(2):
            stepfunctions.start_execution(
                stateMachineArn=releases.outputs[f"{STAGE}-serving"]["ReleaseArn"], input=json.dumps(event)
            )
    assert ["serves already" in reason(item) for item in ended] == [True, True]
    assert releases.serving() == before


def test_of_two_approvals_at_once_the_newest_package_serves(releases: Releases, gated) -> None:
    pair = [releases.gate(name, step=40) for name in ("older", "newest")]
    gated |= dict(zip(("older", "newest"), pair, strict=True))
    with releases.load() as load, releases.releases(at_least=2) as ended, ThreadPoolExecutor(2) as pool:
        list(pool.map(releases.decide, pair))
    assert [item["status"] for item in ended] == ["SUCCEEDED", "SUCCEEDED"], ended
    assert load.failures == []
    assert releases.serving()[1] == "newest"


def test_a_rollback_brings_an_older_model_back_without_a_failed_request(releases: Releases, gated) -> None:
    with releases.load() as load, releases.releases() as ended:
        releases.roll_back(gated["better"])
    assert [item["status"] for item in ended] == ["SUCCEEDED"], ended
    answer = {"model_package": gated["better"]["model_package"]}
    assert json.loads(ended[0]["output"]).items() >= answer.items()
    assert load.failures == []
    assert load.models == {"newest", "better"}
    assert releases.serving()[:2] == (gated["better"]["candidate"]["model_data"], "better")
    for name in ("older", "newest"):
        package = releases.package(gated[name])
        assert package["ModelApprovalStatus"] == "Rejected"
        assert package["ApprovalDescription"].startswith("Rolled back to version 2 by the execution ")


def test_a_rollback_that_fails_its_smoke_test_is_put_back(releases: Releases, gated) -> None:
    before = releases.serving()[:2]
    key = f"{gated['plain']['evaluation'].split('/', 3)[3]}/smoke.jpg"
    s3 = releases.cloud.client("s3")
    kept = s3.get_object(Bucket=releases.bucket, Key=key)["Body"].read()
    verdict = gated["plain"]["evaluation"].split("/", 3)[3] + "/verdict.json"
    known = json.loads(s3.get_object(Bucket=releases.bucket, Key=verdict)["Body"].read())["smoke"]["count"]
    s3.put_object(Bucket=releases.bucket, Key=key, Body=gray_bin(0 if known else 3))
    with releases.releases() as ended:
        releases.roll_back(gated["plain"])
    s3.put_object(Bucket=releases.bucket, Key=key, Body=kept)
    assert [item["status"] for item in ended] == ["FAILED", "SUCCEEDED"]
    assert f"{before[0]} serves again: smoke test" in ended[0]["cause"]
    assert releases.serving()[:2] == before
    approvals = [releases.package(gated[name])["ModelApprovalStatus"] for name in ("plain", "better")]
    assert approvals == ["Approved", "Approved"]


def test_a_deploy_during_a_release_leaves_the_served_model_alone(releases: Releases) -> None:
    changed = {"tags": '{"owner": "somebody-else"}'}
    meanwhile = releases.gate("meanwhile", step=40)
    with releases.releases() as ended, ThreadPoolExecutor(1) as pool:
        deployed = pool.submit(releases.deployment(**changed).deploy)
        # The Training stack is the one ahead of the Serving stack.
        wait_until(releases.stacks, lambda stacks: stacks[f"{STAGE}-training"] != "CREATE_COMPLETE")
        releases.decide(meanwhile)
        # Where both come to the Serving stack at once, CloudFormation rejects the deploy: it is done again.
        rejected = deployed.exception()
    assert [item["status"] for item in ended] == ["SUCCEEDED"], ended
    assert rejected is None or re.search("OBSOLETE|IN_PROGRESS state", str(rejected)), rejected
    assert releases.serving()[:2] == (meanwhile["candidate"]["model_data"], "meanwhile")
    releases.deployment(**changed).deploy()
    assert releases.stacks()[f"{STAGE}-data"] == "UPDATE_COMPLETE"
    assert releases.serving()[:2] == (meanwhile["candidate"]["model_data"], "meanwhile")
    releases.deployment(**changed).diff()


def test_destroy_leaves_nothing(releases: Releases) -> None:
    releases.deployment().destroy()
    assert not [name for name in releases.stacks() if name.startswith("bincount-")]
    assert releases.cloud.client("dynamodb").list_tables()["TableNames"] == []
    sagemaker = releases.cloud.client("sagemaker")
    assert not sagemaker.list_endpoints()["Endpoints"]
    assert not sagemaker.list_models()["Models"]
    assert not sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    names = [bucket["Name"] for bucket in releases.cloud.client("s3").list_buckets()["Buckets"]]
    assert not [name for name in names if name.startswith("bincount-")]


def test_teardown_removes_the_logs_that_sagemaker_and_lambda_made(releases: Releases) -> None:
    assert releases.logs() != []
    client = releases.cloud.client
    tear_down(client=client, names=Names("local"), say=lambda _: None)
    assert releases.logs() == []
