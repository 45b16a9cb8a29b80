"""What each stack holds, by properties (logical ids are hashed and may change)."""

import json

import pytest
from aws_cdk.assertions import Match

from infra.settings import STAGES
from tests.infra.conftest import synthesize
from tests.infra.machines import Templates, job_request, machine_of, main_path, states_of


@pytest.mark.parametrize("stage", STAGES)
def test_the_bucket_is_private_versioned_encrypted_and_tls_only(templates: Templates, stage: str) -> None:
    data = templates[stage]["data"]
    data.has_resource_properties(
        "AWS::S3::Bucket",
        {
            "VersioningConfiguration": {"Status": "Enabled"},
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "BucketEncryption": Match.any_value(),
        },
    )
    data.has_resource_properties(
        "AWS::S3::BucketPolicy",
        {
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
                        )
                    ]
                )
            }
        },
    )


@pytest.mark.parametrize("stage", STAGES)
def test_the_pipeline_goes_from_a_request_to_a_registered_model(templates: Templates, stage: str) -> None:
    states = states_of(templates, stage, "pipeline")
    order = main_path(states, "Open", IsAccepted="Registered")
    assert [name for name in order if states[name]["Type"] != "Choice"] == [
        "Open",
        "Index",
        "Plan",
        "Arrange",
        "Seal",
        "PublishDataset",
        "StageWeights",
        "Tune",
        "DescribeBest",
        "ReadEvaluationImage",
        "ReadServingImage",
        "ReadChampion",
        "Evaluate",
        "ReadVerdict",
        "Register",
        "Registered",
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_maps_are_distributed_batched_and_write_their_results_to_s3(templates: Templates, stage: str) -> None:
    states = states_of(templates, stage, "pipeline")
    for name in ("Index", "Arrange"):
        assert states[name]["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
        assert states[name]["ItemBatcher"]["BatchInput"] == {
            "step": name.lower(),
            "dataset_id": "{% $states.input.dataset.dataset_id %}",
        }
        assert states[name]["ResultWriter"]["Resource"].endswith(":s3:putObject")
        worker = states[name]["ItemProcessor"]["States"][f"{name}Batch"]
        assert "Lambda.TooManyRequestsException" in worker["Retry"][0]["ErrorEquals"]


@pytest.mark.parametrize("stage", STAGES)
def test_the_tuning_job_varies_the_three_hyperparameters(templates: Templates, stage: str) -> None:
    states = states_of(templates, stage, "pipeline")
    tune = job_request(states["Tune"])
    ranges = tune["HyperParameterTuningJobConfig"]["ParameterRanges"]
    names = sorted(r["Name"] for kind in ranges.values() for r in kind)
    assert names == [
        "batch-size",
        "epochs",
        "learning-rate",
    ]
    fixed = tune["TrainingJobDefinition"]["StaticHyperParameters"]
    assert json.loads(fixed["sagemaker_submit_directory"]).endswith(".gz")
    assert all(isinstance(value, str) for value in fixed.values()), "SageMaker takes strings only"


@pytest.mark.parametrize("stage", STAGES)
def test_a_throttled_lambda_waits_for_its_turn(templates: Templates, stage: str) -> None:
    """A new account runs fewer functions at a time than a map starts."""
    states = states_of(templates, stage, "pipeline")
    worker = states["Arrange"]["ItemProcessor"]["States"]["ArrangeBatch"]
    (retry,) = [r for r in worker["Retry"] if "Lambda.TooManyRequestsException" in r["ErrorEquals"]]
    assert retry["MaxAttempts"] * retry["MaxDelaySeconds"] >= 3600


@pytest.mark.parametrize("stage", STAGES)
def test_replaced_checkpoints_are_kept_for_a_day(templates: Templates, stage: str) -> None:
    """The bucket is versioned, and a job replaces its checkpoint every few minutes."""
    (bucket,) = [
        each["Properties"]["LifecycleConfiguration"]["Rules"]
        for name, each in templates[stage]["data"].find_resources("AWS::S3::Bucket").items()
        if "Logs" not in name
    ]
    (rule,) = [each for each in bucket if each.get("Prefix") == "checkpoints/"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
    assert [each for each in bucket if each.get("Prefix") == "datasets/" and "Noncurrent" in str(each)] == []


@pytest.mark.parametrize("stage", STAGES)
def test_each_tuning_job_has_a_checkpoint_folder_of_its_own(templates: Templates, stage: str) -> None:
    """SageMaker copies all that is below the address into every job as it starts."""
    tune = states_of(templates, stage, "pipeline")["Tune"]
    request = job_request(tune)
    address = request["TrainingJobDefinition"]["CheckpointConfig"]["S3Uri"]
    assert address.startswith("{% 's3://")
    name = request["HyperParameterTuningJobName"].removeprefix("{% ")
    assert address.endswith(f"/checkpoints/' & {name}")


def test_an_own_bucket_its_key_labels_and_corrections_may_be_read() -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-1111-2222-333344445555"
    parts = synthesize(
        "dev",
        **{
            "data_prep.source_bucket": "my-photographs",
            "data_prep.source_prefix": "hall 7/",
            "data_prep.source_key_arn": key,
            "data_prep.source_kind": "table",
            "data_prep.labels": "s3://our-labels/2026.csv",
            "data_prep.corrections": "s3://our-labels/corrections.jsonl",
            "data_prep.unsigned": False,
        },
    )
    read = ["s3:GetObject", "s3:ListBucket"]
    images = ["arn:aws:s3:::my-photographs", "arn:aws:s3:::my-photographs/hall?7/*"]
    labels = ["arn:aws:s3:::our-labels", "arn:aws:s3:::our-labels/2026.csv"]
    corrections = ["arn:aws:s3:::our-labels", "arn:aws:s3:::our-labels/corrections.jsonl"]
    for statement in (
        {"Action": read, "Resource": Match.array_with(images)},
        {"Action": read, "Resource": Match.array_with(labels)},
        {"Action": read, "Resource": Match.array_with(corrections)},
        {"Action": "kms:Decrypt", "Resource": key},
    ):
        parts["data"].has_resource_properties(
            "AWS::IAM::Policy",
            {"PolicyDocument": {"Statement": Match.array_with([Match.object_like(statement)])}},
        )


def test_lists_and_weights_in_other_buckets_may_be_read() -> None:
    parts = synthesize(
        "dev",
        **{
            "data_prep.file_list": "s3://lists/mine/list.json",
            "training.weights_uri": "s3://weights/imagenet/",
        },
    )
    for part, resources in (
        ("data", ["arn:aws:s3:::lists", "arn:aws:s3:::lists/mine/list.json"]),
        ("training", ["arn:aws:s3:::weights", "arn:aws:s3:::weights/imagenet/*"]),
    ):
        statement = {"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": Match.array_with(resources)}
        parts[part].has_resource_properties(
            "AWS::IAM::Policy",
            {"PolicyDocument": {"Statement": Match.array_with([Match.object_like(statement)])}},
        )


@pytest.mark.parametrize("stage", STAGES)
def test_the_tuning_job_name_stays_within_32_characters(templates: Templates, stage: str) -> None:
    pipeline = machine_of(templates, stage, "pipeline")
    name = job_request(pipeline["States"]["Tune"])["HyperParameterTuningJobName"]
    assert f"'bins-{stage}-' & $substring(" in name
    assert "0, 16)" in name
    assert len(f"bins-{stage}-") + 16 <= 32


@pytest.mark.parametrize("part", ["training", "recount"])
@pytest.mark.parametrize("stage", STAGES)
def test_passing_a_role_is_bound_to_sagemaker(templates: Templates, stage: str, part: str) -> None:
    templates[stage][part].has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {
                                "Action": "iam:PassRole",
                                "Condition": {
                                    "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
                                },
                            }
                        )
                    ]
                )
            }
        },
    )


@pytest.mark.parametrize("stage", STAGES)
def test_the_pipeline_may_look_at_the_image_that_it_registers(templates: Templates, stage: str) -> None:
    policies = templates[stage]["training"].find_resources("AWS::IAM::Policy").values()
    statements = [s for policy in policies for s in policy["Properties"]["PolicyDocument"]["Statement"]]
    (images,) = [s for s in statements if s["Action"] == ["ecr:BatchGetImage", "ecr:DescribeImages"]]
    assert f":repository/bincount-{stage}-serving-*" in json.dumps(images["Resource"])


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_serving_image_is_built_in_the_account(templates: Templates, stage: str) -> None:
    templates[stage]["serving"].resource_count_is("AWS::CodeBuild::Project", 1)
    templates[stage]["serving"].has_resource_properties(
        "AWS::SSM::Parameter", {"Name": f"/bincount/{stage}/image"}
    )


@pytest.mark.parametrize("stage", STAGES)
def test_the_endpoint_keeps_its_names_and_its_autoscaled_count(templates: Templates, stage: str) -> None:
    serving = templates[stage]["serving"]
    serving.has_resource_properties(
        "AWS::SageMaker::Endpoint", {"EndpointName": f"bincount-{stage}", "RetainAllVariantProperties": True}
    )
    serving.has_resource_properties("AWS::SageMaker::EndpointConfig", {"EndpointConfigName": Match.absent()})
    serving.has_resource_properties("AWS::SageMaker::Model", {"ModelName": Match.absent()})
    serving.has_resource_properties(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        {"ResourceId": f"endpoint/bincount-{stage}/variant/AllTraffic"},
    )


@pytest.mark.parametrize("stage", STAGES)
def test_no_account_number_is_in_a_template(templates: Templates, stage: str) -> None:
    """But AWS's own registry of training images, which is public."""
    for template in templates[stage].values():
        text = json.dumps(template.to_json()).replace("763104351884", "")
        assert not [word for word in text.replace('"', " ").replace(":", " ").split() if _is_account(word)]


def _is_account(word: str) -> bool:
    return len(word) == 12 and word.isdigit()
