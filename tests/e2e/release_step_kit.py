"""The release's deciding function on a cloud without a deployment, with the code of infra/runtime."""

import io
import json
import sys
import zipfile
from pathlib import Path

from embedded_cloud.cloud import Cloud

LAMBDAS = Path(__file__).parents[2] / "infra" / "runtime"
STEP = "release-step"


def python_function(
    cloud: Cloud, *, name: str, files: dict[str, str], actions: list[str], **settings: str
) -> None:
    """A function `name` of these files, with the handler `<first file>.handler`; it may do `actions`."""
    service = {"Service": "lambda.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
    iam = cloud.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    if actions:
        allowed = [{"Effect": "Allow", "Action": actions, "Resource": "*"}]
        rights = json.dumps({"Version": "2012-10-17", "Statement": allowed})
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=rights)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
        Role=role,
        Handler=f"{next(iter(files)).removesuffix('.py')}.handler",
        Code={"ZipFile": buffer.getvalue()},
        Timeout=60,
        Environment={"Variables": settings},
    )


def step_function(cloud: Cloud, *, table: str, parameter: str, stack: str, stage: str) -> str:
    """`release_step`, which may only read; its name."""
    modules = ("release_step", "release_plan", "release_outcome")
    files = {f"{module}.py": (LAMBDAS / f"{module}.py").read_text() for module in modules}
    reads = ["dynamodb:GetItem", "ssm:GetParameter", "cloudformation:DescribeStacks"]
    reads += ["states:DescribeExecution", "sagemaker:Describe*", "sagemaker:List*"]
    named = {"TABLE": table, "PARAMETER": parameter, "STACK": stack, "ENDPOINT": stage, "GROUP": stage}
    python_function(cloud, name=STEP, files=files, actions=reads, **named)
    return STEP
