"""A policy that IAM would take, and that would grant nothing, is found."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.judges.globs import meet
from tests.judges.policies import policy_verdicts
from tests.judges.verdicts import faults_of

OBJECTS = "arn:aws:s3:::bins/*"
ANY = {"Action": "s3:GetObject", "Resource": "*"}


def faults(statement: dict[str, Any], *, version: str = "2012-10-17") -> list[str]:
    document = {"Version": version, "Statement": [{"Effect": "Allow", **statement}]}
    return faults_of(policy_verdicts({"Policy": document}, partition="aws"))


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": OBJECTS},
        {"Action": "s3:Get*", "Resource": ["arn:aws:s3:::bins", OBJECTS]},
        {"Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Action": "sts:AssumeRole", "Principal": {"Service": "sagemaker.amazonaws.com"}},
        {"Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Condition": {"StringLike": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::bins"}},
        },
    ],
)
def test_what_grants_something_is_no_fault(statement: dict[str, Any]) -> None:
    assert faults(statement) == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ({"Action": "s3:HeadObject", "Resource": OBJECTS}, "AWS has no action s3:HeadObject"),
        ({"Action": "sagemaker-runtime:InvokeEndpoint", "Resource": "*"}, "AWS has no action"),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::bins"}, "GetObject takes"),
        (
            {"Action": "s3:Get*", "Resource": "arn:aws:sqs:::bins"},
            "no action of the statement takes",
        ),
        ({"Action": "ecr:GetAuthorizationToken", "Resource": "arn:aws:ecr:::x"}, "it wants * alone"),
        ({"Action": "s3:GetObject", "Resource": "arn:aws-cn:s3:::bins/*"}, "not of the partition aws"),
        (
            {
                "Action": "s3:GetObject",
                "Resource": "*",
                "Condition": {"StringLike": {"iam:PassedToService": "x"}},
            },
            "knows the condition key",
        ),
        (
            {
                "Action": "s3:GetObject",
                "Resource": "*",
                "Condition": {"StringIs": {"aws:SourceAccount": "1"}},
            },
            "no condition operator StringIs",
        ),
    ],
)
def test_what_grants_nothing_is_a_fault(statement: dict[str, Any], words: str) -> None:
    assert any(words in fault for fault in faults(statement))


def test_an_old_version_is_a_fault() -> None:
    assert faults({"Action": "s3:GetObject", "Resource": OBJECTS}, version="2008-10-17") != []


@pytest.mark.parametrize(
    ("one", "other", "some_text_is_both"),
    [("a*", "*b", True), ("a", "a", True), ("a?c", "abc", True), ("a*", "b*", False), ("*", "", True)],
)
def test_two_forms_meet(one: str, other: str, some_text_is_both: bool) -> None:
    assert meet(one, other) is some_text_is_both


def test_the_role_of_the_page_for_studio_may_do_what_aws_knows() -> None:
    text = (Path(__file__).parents[2] / "docs" / "studio.md").read_text(encoding="utf-8")
    policy = text.split("```json")[1].split("```")[0]
    for name, value in {
        "TRAINING_ROLE": "arn:aws:iam::123456789012:role/training", "REGION": "us-east-1",
        "ACCOUNT": "123456789012", "STAGE": "dev", "BUCKET": "bins",
    }.items():  # fmt: skip
        policy = policy.replace(name, value)
    assert faults_of(policy_verdicts({"studio": json.loads(policy)}, partition="aws")) == []
