"""After the deploy: the state that AWS reports of it, as far as free calls show it."""

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from infra.api.rest_api import TLS_POLICY
from infra.tools import leftovers
from infra.tools.doctor.finding import Finding, error_of, missing, ok, unknown
from infra.tools.doctor.subject import Subject


def mail(subject: Subject) -> Iterable[Finding]:
    """Whether the address that alarms go to has confirmed its subscription."""
    name, address = "alarms reach a person", subject.settings.operations.email
    if not address:
        step = f"set operations.email of stage {subject.settings.stage} in cdk.json, and deploy"
        return [
            unknown(
                name, "operations.email is empty: only other subscribers of the topic get alarms", next=step
            )
        ]
    topic = subject.arn("sns", subject.names.alarm_topic)
    try:
        found = leftovers.pages(
            subject.client("sns"), "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic
        )
        ours = [each for each in found if each["Endpoint"] == address]
    except ClientError as error:
        if error_of(error)[0] not in ("NotFound", "NotFoundException"):
            raise
        return [ok(name, f"{address} is asked by mail at the deploy, and must confirm")]
    if any(each["SubscriptionArn"].startswith("arn:") for each in ours):
        return [ok(name, f"{address} has confirmed")]
    step = f"open the mail of AWS Notifications to {address}, and confirm"
    return [missing(name, f"{address} has not confirmed its subscription", next=step)]


def api(subject: Subject) -> Iterable[Finding]:
    """API Gateway took the security policy and the access mode (endpoint-strict-mode)."""
    name, names = "endpoint-strict-mode", subject.names
    pages = leftovers.pages(subject.client("apigateway"), "get_rest_apis", "items")
    for found in [each for each in pages if each["name"] == names.prefix]:
        policy, mode = found.get("securityPolicy"), found.get("endpointAccessMode")
        step = f"npx cdk deploy {names.stack('api')} -c stage={subject.settings.stage}"
        if (policy, mode) == (TLS_POLICY, "STRICT"):
            yield ok(name, f"{found['id']}: {policy}, {mode}")
        elif policy is None and mode is None:
            step = f"aws apigateway get-rest-api --rest-api-id {found['id']} --region {subject.region}"
            yield unknown(name, f"{found['id']}: AWS reports neither policy nor mode", next=step)
        else:
            yield missing(name, f"{found['id']} has {policy}, {mode}; expected {TLS_POLICY}", next=step)


def endpoint(subject: Subject) -> Iterable[Finding]:
    """It serves, captures as the settings say, and has its log group with the settings' retention."""
    name, settings = subject.names.endpoint, subject.settings
    try:
        found: dict[str, Any] = subject.client("sagemaker").describe_endpoint(EndpointName=name)
    except ClientError as error:
        if "Could not find" not in error_of(error)[1]:
            raise
        return
    status = found["EndpointStatus"]
    asks = f"aws sagemaker describe-endpoint --endpoint-name {name} --region {subject.region}"
    if status in ("Failed", "OutOfService", "UpdateRollbackFailed"):
        yield missing("endpoint", f"{status}: {found.get('FailureReason', 'no reason given')}", next=asks)
    elif status == "InService":
        yield ok("endpoint", f"{name} is InService")
    else:
        yield unknown("endpoint", f"{name} is {status}", next=asks)
    capture = found.get("DataCaptureConfig", {})
    percent = capture.get("CurrentSamplingPercentage", 0) if capture.get("EnableCapture") else 0
    if percent == settings.capture.percent:
        yield ok("capture", f"{percent} % of the answers")
    else:
        text = f"{percent} % of the answers are captured, the settings say {settings.capture.percent} %"
        deploy = f"npx cdk deploy {subject.names.stack('serving')} -c stage={settings.stage}"
        yield missing("capture", text, next=deploy)


def typed_parameter(subject: Subject) -> Iterable[Finding]:
    """What the serving stack last read of the parameter that the release writes is its present value."""
    name, stack = "typed-parameter", subject.names.stack("serving")
    try:
        (found,) = subject.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error_of(error)[0] != "ValidationError":
            raise
        return []
    key = subject.names.parameter("model")
    read = [p.get("ResolvedValue") for p in found.get("Parameters", []) if p.get("ParameterValue") == key]
    value = subject.client("ssm").get_parameter(Name=key)["Parameter"]["Value"]
    if read == [value]:
        return [ok(name, f"{stack} read {value} from {key}")]
    step = "bincount models list; bincount models rollback VERSION releases an approved one again"
    return [unknown(name, f"{key} is {value}, {stack} read {read or 'no such parameter'}", next=step)]
