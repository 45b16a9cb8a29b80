"""What is assumed of the account, and of a deploy."""

import re

from infra.settings import Settings
from infra.tools.trial.assumption import TRIAL, Assumption, Seen, Verdict, every, fact, only_if, passed

BEFORE, DURING = "Before the deploy", "While it is deployed"
NO_IMAGE = r"\becr\b|pull(ing)?\b.*\bimage|image\b.*\bpull"


def _pulled(seen: Seen) -> Verdict:
    """A job that got as far as Training has pulled its image; one that failed before says why."""
    jobs: list[str] = seen.fact("pipeline", "job_statuses", [])
    ran = tuple(job for job in jobs if "Training" in job or "Completed" in job)
    failed = tuple(job for job in jobs if "Failed" in job and re.search(NO_IMAGE, job, re.IGNORECASE))
    if ran or failed:
        return Verdict(state="held" if ran else "broken", step="pipeline", words=ran or failed)
    return Verdict(state="not reached", step="pipeline", reason="no training job has got so far")


def _have_a_key(groups: list[str]) -> bool:
    """Of each: its name and the key's address."""
    return all(":key/" in group for group in groups)


def _sets_role(settings: Settings) -> bool:
    return settings.api.enabled and settings.api.logging_role


ASSUMPTIONS = (
    Assumption(
        name="quotas",
        part=BEFORE,
        believed="the account may run what the stage needs ([quotas](quotas.md))",
        ground="D",
        why="Service Quotas; a new account's are nearly all 0",
        shows="`ResourceLimitExceeded` in the pipeline's Tune or at the endpoint",
        command="make doctor STAGE=<stage>",
        by="doctor, trial",
        check=every(
            passed("pipeline", signs="ResourceLimitExceeded", state="Tune"),
            passed("approve", signs="ResourceLimitExceeded|limit"),
        ),
    ),
    Assumption(
        name="training-image",
        part=BEFORE,
        believed="the registry of the Deep Learning Containers lets this account pull the configured "
        "tag in its region",
        ground="D",
        why="AWS's list of images and accounts",
        shows="the training job fails before its first log line",
        command="aws ecr batch-get-image --registry-id <dlc account> --repository-name pytorch "
        "--image-ids imageTag=<tag>",
        by="doctor, trial",
        check=every(
            passed("pipeline", signs=NO_IMAGE, state="Tune"),
            _pulled,
        ),
    ),
    Assumption(
        name="base-image",
        part=BEFORE,
        believed="the digest in `serving.base_image` can be pulled from public.ecr.aws",
        ground="B",
        why="the digest was looked up from here; a registry may drop it",
        shows="CodeBuild's build fails at its first line",
        command="make base-image-digest",
        by="trial",
        check=passed("deploy", signs="public.ecr.aws|manifest unknown|pull rate"),
    ),
    Assumption(
        name="logging-role",
        part=BEFORE,
        believed="`AWS::ApiGateway::Account` needs a RestApi in the account first",
        ground="D",
        why="its documentation; the order in our stack follows it",
        shows='the API stack fails with "CloudWatch Logs role ARN must be set"',
        command=TRIAL,
        by="trial",
        check=only_if(
            _sets_role,
            "api.logging_role is false: another stack sets the role",
            passed("deploy", signs="CloudWatch Logs role ARN"),
        ),
    ),
    Assumption(
        name="endpoint-strict-mode",
        part=DURING,
        believed="API Gateway takes the security policy and the STRICT access mode that the API stack "
        "sets, and callers get in",
        ground="M",
        why="CloudFormation's schema and botocore have the fields; no public stack was found that uses them",
        shows="the API stack fails at `AWS::ApiGateway::RestApi`, or every call is refused",
        command="aws apigateway get-rest-api --rest-api-id <id>",
        by="doctor, trial",
        check=only_if(
            lambda settings: settings.api.enabled,
            "the stage has no API",
            every(
                passed("deploy", signs="RestApi|securityPolicy|accessMode"),
                passed("count", signs=r"forbidden|answered 403|SSL|TLS|no answer"),
            ),
        ),
    ),
    Assumption(
        name="kms-logs",
        part=DURING,
        believed="the key policy is enough for encrypted log groups before their first line",
        ground="D",
        why="CloudWatch Logs' page on KMS",
        shows="the data stack fails at `AWS::Logs::LogGroup`",
        command=TRIAL,
        by="trial",
        check=only_if(
            lambda settings: settings.storage.encryption == "kms",
            "the stage has no key of its own",
            every(
                passed("deploy", signs=r"kms|AWS::Logs::LogGroup"),
                fact("deploy", "log_groups", right=_have_a_key),
            ),
        ),
    ),
    Assumption(
        name="image-build",
        part=DURING,
        believed="CodeBuild builds `inference/Dockerfile` with BuildKit, in Docker's manifest format",
        ground="P",
        why="deploy-time-build's own tests; the options are ours",
        shows='SageMaker refuses the image: "Unsupported manifest media type"',
        command="aws ecr describe-images --repository-name <that of bincount-<stage>-serving>",
        by="doctor, trial",
        check=every(
            passed("deploy", signs="codebuild|build"),
            passed("approve", signs="manifest"),
        ),
    ),
    Assumption(
        name="arm-image-build",
        part=DURING,
        believed="the same for arm64, for an endpoint on Graviton",
        ground="P",
        why="as above",
        shows="the build fails, or the server ends with `exec format error`",
        command=f"{TRIAL} TRIAL='-c serving.instance_type=ml.c7g.large'",
        by="trial",
        check=only_if(
            lambda settings: settings.serving.is_arm,
            "the trial's endpoint is x86: give -c serving.instance_type=ml.c7g.large",
            passed("approve", signs="exec format|platform"),
        ),
    ),
    Assumption(
        name="import-retained",
        part=DURING,
        believed="a stack takes over the buckets, the key and the model package group that a destroyed "
        "stage left",
        ground="D",
        why="CloudFormation's list of types that can be imported",
        shows='"already exists" or "cannot be imported" at the second deploy',
        command="make adopt STAGE=<stage>",
        by="trial",
        check=passed("again", signs=r"import|already exists|adopt|Bucket|ModelPackageGroup"),
    ),
    Assumption(
        name="budget-tag",
        part=DURING,
        believed="the budget counts by the tag `system` once that is activated",
        ground="D",
        why="AWS Budgets' page on cost allocation tags",
        shows="the budget stays at 0 dollars",
        command="aws budgets describe-budgets --account-id ACCOUNT",
        by="nobody yet",
        because="a tag counts from a day after its activation on; a trial is over by then",
    ),
    Assumption(
        name="created-network",
        part=DURING,
        believed="jobs and endpoint reach S3, ECR, the logs and CloudWatch by the VPC endpoints of "
        "`network.vpc` alone",
        ground="D",
        why="SageMaker's pages on jobs and endpoints in a VPC",
        shows="a job or the endpoint hangs, then fails for want of its image or data",
        command=f"{TRIAL} TRIAL='-c network.vpc=created'",
        by="trial",
        check=only_if(
            lambda settings: settings.network.vpc != "off",
            "the trial has no VPC, which costs: give -c network.vpc=created",
            every(passed("pipeline", state="Evaluate"), passed("approve")),
        ),
    ),
)
