"""Alarms that ring as CloudWatch's, on the metrics that the services here publish, and what follows."""

import contextlib
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import (
    BUCKET,
    SERVER_IMAGE,
    fill_bucket,
    make_configs,
    make_role,
    served_weight,
    settled_endpoint,
    sums_of,
    toy_project,
    wait_until,
)

ROLE_ACTIONS = ["s3:*", "logs:*", "cloudwatch:DescribeAlarms"]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder: Path = tmp_path_factory.mktemp("alarms")
    with Cloud(data_dir=folder, project=toy_project(folder), longest_bake_seconds=300) as cloud:
        fill_bucket(cloud)
        yield cloud


def seconds_left(wanted: float) -> None:
    """Waits for the next minute if this one ends sooner: values put in two minutes are two data points."""
    left = 60 - time.time() % 60
    if left < wanted:
        time.sleep(left + 0.1)


@pytest.fixture(autouse=True)
def time_within_a_minute() -> None:
    """What a test puts in several calls lies in one minute."""
    seconds_left(25)


def alarm(name: str, **members: Any) -> dict[str, Any]:
    """A PutMetricAlarm request: one value above 5 in a minute rings."""
    return {
        "AlarmName": name,
        "Namespace": "Test",
        "MetricName": name,
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        **members,
    }


def put(cloud: Cloud, name: str, *values: float, minutes_ago: int = 1, **dimensions: str) -> None:
    """Values of a metric, in the minute that began so many minutes ago."""
    seconds_left(5)
    moment = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    given = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    datum = {"MetricName": name, "Timestamp": moment, "Values": list(values), "Dimensions": given}
    cloud.client("cloudwatch").put_metric_data(Namespace="Test", MetricData=[datum])


def state_of(cloud: Cloud, name: str) -> str:
    """The alarm's state now."""
    found = cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return found[0]["StateValue"]


def rings(cloud: Cloud, name: str, state: str = "ALARM") -> None:
    """Waits until the alarm has that state."""
    wait_until(lambda: state_of(cloud, name), lambda found: found == state)


class TestStates:
    def test_a_new_alarm_has_no_data_and_then_its_state(self, cloud: Cloud):
        client = cloud.client("cloudwatch")
        client.put_metric_alarm(**alarm("new"))
        client.put_metric_alarm(**alarm("new-missing", TreatMissingData="missing"))
        assert state_of(cloud, "new-missing") == "INSUFFICIENT_DATA"
        rings(cloud, "new", "OK")
        assert state_of(cloud, "new-missing") == "INSUFFICIENT_DATA"

    def test_a_breach_rings_and_says_why(self, cloud: Cloud):
        client = cloud.client("cloudwatch")
        client.put_metric_alarm(**alarm("sums"))
        rings(cloud, "sums", "OK")
        put(cloud, "sums", 3, 3)
        rings(cloud, "sums")
        described = client.describe_alarms(AlarmNames=["sums"])["MetricAlarms"][0]
        assert "[6.0] was greater than the threshold (5.0)" in described["StateReason"]
        assert json.loads(described["StateReasonData"])["recentDatapoints"] == [6.0]
        history = client.describe_alarm_history(AlarmName="sums", HistoryItemType="StateUpdate")
        summaries = [item["HistorySummary"] for item in history["AlarmHistoryItems"]]
        assert "Alarm updated from OK to ALARM" in summaries

    def test_only_its_own_dimensions_count(self, cloud: Cloud):
        dimensions = [{"Name": "endpoint", "Value": "mine"}]
        cloud.client("cloudwatch").put_metric_alarm(**alarm("dimensions", Dimensions=dimensions))
        put(cloud, "dimensions", 9)
        put(cloud, "dimensions", 9, endpoint="other")
        rings(cloud, "dimensions", "OK")
        put(cloud, "dimensions", 9, endpoint="mine")
        rings(cloud, "dimensions")

    def test_two_of_three(self, cloud: Cloud):
        request = alarm("two-of-three", EvaluationPeriods=3, DatapointsToAlarm=2)
        cloud.client("cloudwatch").put_metric_alarm(**request)
        put(cloud, "two-of-three", 9, minutes_ago=3)
        rings(cloud, "two-of-three", "OK")
        put(cloud, "two-of-three", 9, minutes_ago=1)
        rings(cloud, "two-of-three")

    def test_a_percentile(self, cloud: Cloud):
        request = alarm("percentile", ExtendedStatistic="p90")
        del request["Statistic"]
        cloud.client("cloudwatch").put_metric_alarm(**request)
        put(cloud, "percentile", *([1] * 98), 99, 99)
        rings(cloud, "percentile", "OK")
        put(cloud, "percentile", *([99] * 20))
        rings(cloud, "percentile")

    def test_metric_math_in_a_stack(self, cloud: Cloud):
        def metric(name: str) -> dict[str, Any]:
            return {"Metric": {"Namespace": "Test", "MetricName": name}, "Period": "60", "Stat": "Sum"}

        properties = {
            "AlarmName": "share",
            "EvaluationPeriods": 1,
            "Threshold": 0.5,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            "Metrics": [
                {"Id": "share", "Expression": "IF(calls > 1, FILL(faults, 0) / calls, 0)"},
                {"Id": "faults", "MetricStat": metric("faults"), "ReturnData": False},
                {"Id": "calls", "MetricStat": metric("calls"), "ReturnData": False},
            ],
        }
        resources = {"Share": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}}
        cloud.client("cloudformation").create_stack(
            StackName="math", TemplateBody=json.dumps({"Resources": resources})
        )
        wait_until(
            lambda: cloud.client("cloudwatch").describe_alarms(AlarmNames=["share"])["MetricAlarms"], bool
        )
        put(cloud, "calls", 10)
        rings(cloud, "share", "OK")
        put(cloud, "faults", 6)
        rings(cloud, "share")


def make_queue(cloud: Cloud, name: str, *, service: str) -> str:
    """A queue that lets a service in; its URL."""
    arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
    statement = {"Effect": "Allow", "Principal": {"Service": service}}
    statement |= {"Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return cloud.client("sqs").create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]


class TestConsequences:
    def test_a_change_is_an_event_and_a_message(self, cloud: Cloud):
        sqs, events = cloud.client("sqs"), cloud.client("events")
        queue = make_queue(cloud, "changes", service="events.amazonaws.com")
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": ["notified"]}}
        events.put_rule(Name="changes", EventPattern=json.dumps(pattern))
        events.put_targets(Rule="changes", Targets=[{"Id": "queue", "Arn": arn}])
        topic = cloud.client("sns").create_topic(Name="people")["TopicArn"]
        people = make_queue(cloud, "people", service="sns.amazonaws.com")
        people_arn = arn.replace("changes", "people")
        cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=people_arn)
        cloud.client("cloudwatch").put_metric_alarm(**alarm("notified", AlarmActions=[topic]))
        put(cloud, "notified", 9)
        rings(cloud, "notified")

        def received(url: str) -> list[dict[str, Any]]:
            messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            return [json.loads(message["Body"]) for message in messages]

        changes = wait_until(lambda: received(queue), bool)
        detail = changes[-1]["detail"]
        assert changes[-1]["detail-type"] == "CloudWatch Alarm State Change"
        assert (detail["state"]["value"], detail["previousState"]["value"]) == ("ALARM", "INSUFFICIENT_DATA")
        assert detail["configuration"]["metrics"][0]["metricStat"]["metric"]["name"] == "notified"
        notified = wait_until(lambda: received(people), bool)
        assert json.loads(notified[0]["Message"])["NewStateValue"] == "ALARM"

    def test_metrics_are_taken_out_of_log_lines(self, cloud: Cloud):
        logs = cloud.client("logs")
        logs.create_log_group(logGroupName="server")
        logs.create_log_stream(logGroupName="server", logStreamName="one")
        metrics = [{"Name": "review", "Unit": "None"}]
        directive = {"Namespace": "BinCount", "Dimensions": [["endpoint"]], "Metrics": metrics}
        now = int(time.time() * 1000)
        line = {"_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]}, "endpoint": "e", "review": 1}
        events = [{"timestamp": now, "message": text} for text in (json.dumps(line), "plain text")]
        logs.put_log_events(logGroupName="server", logStreamName="one", logEvents=events)
        assert sums_of(cloud, "BinCount", "review", endpoint="e") == [1.0]


def make_api(cloud: Cloud, *, name: str, status: int) -> str:
    """A REST API whose one method answers that status by itself; returns its stage's address here."""
    client = cloud.client("apigateway")
    api = client.create_rest_api(name=name)["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    method = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    client.put_method(**method, authorizationType="NONE")
    client.put_method_response(**method, statusCode=str(status))
    template = {"application/json": json.dumps({"statusCode": status})}
    client.put_integration(**method, type="MOCK", requestTemplates=template)
    client.put_integration_response(**method, statusCode=str(status))
    client.create_deployment(restApiId=api, stageName="v1")
    return cloud.api_url(f"https://{api}.execute-api.us-east-1.amazonaws.com/v1/")


class TestGateways:
    @pytest.mark.parametrize(("status", "metric"), [(200, None), (404, "4XXError"), (500, "5XXError")])
    def test_each_request_is_counted(self, cloud: Cloud, status: int, metric: str | None):
        name = f"answers-{status}"
        url = make_api(cloud, name=name, status=status)
        trust = ssl.create_default_context(cafile=str(cloud.certificate_bundle))
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(url, context=trust).close()
        where = {"ApiName": name, "Stage": "v1"}
        assert sum(sums_of(cloud, "AWS/ApiGateway", "Count", **where)) == 1
        for error in ("4XXError", "5XXError"):
            assert sum(sums_of(cloud, "AWS/ApiGateway", error, **where)) == int(error == metric)


@pytest.fixture(scope="module")
def role(cloud: Cloud) -> str:
    return make_role(cloud, name="endpoints", actions=ROLE_ACTIONS)


def deployment(kind: str, *, seconds: int, alarms: list[str]) -> dict[str, Any]:
    """A DeploymentConfig; the canary takes half of the traffic."""
    routing: dict[str, Any] = {"Type": kind, "WaitIntervalInSeconds": seconds}
    if kind == "CANARY":
        routing["CanarySize"] = {"Type": "CAPACITY_PERCENT", "Value": 50}
    policy = {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": seconds}
    rollback = {"Alarms": [{"AlarmName": name} for name in alarms]}
    return {"BlueGreenUpdatePolicy": policy, "AutoRollbackConfiguration": rollback}


def make_config(cloud: Cloud, role: str, name: str) -> str:
    """A configuration of that name with a model of that name and role, which answers as `two`."""
    container = {"Image": SERVER_IMAGE, "ModelDataUrl": f"s3://{BUCKET}/models/two.tar.gz"}
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1}
    variant["InstanceType"] = "ml.m5.large"
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    return name


@pytest.fixture(scope="module")
def endpoint(cloud: Cloud, role: str) -> str:
    make_configs(cloud, role, {"one": SERVER_IMAGE, "two": SERVER_IMAGE})
    cloud.client("sagemaker").create_endpoint(EndpointName="watched", EndpointConfigName="one")
    assert settled_endpoint(cloud, "watched")["EndpointStatus"] == "InService"
    return "watched"


class TestEndpoints:
    def test_each_request_is_counted(self, cloud: Cloud, endpoint: str):
        runtime = cloud.client("sagemaker-runtime")
        served_weight(cloud, endpoint)
        with pytest.raises(runtime.exceptions.ModelError):
            runtime.invoke_endpoint(EndpointName=endpoint, Body=b"not an image")
        where = {"EndpointName": endpoint, "VariantName": "AllTraffic"}
        assert sum(sums_of(cloud, "AWS/SageMaker", "Invocations", **where)) == 2
        assert sum(sums_of(cloud, "AWS/SageMaker", "Invocation4XXErrors", **where)) == 1
        assert sum(sums_of(cloud, "AWS/SageMaker", "Invocation5XXErrors", **where)) == 0
        assert sum(sums_of(cloud, "AWS/SageMaker", "ModelLatency", **where)) > 0
        assert sum(sums_of(cloud, "AWS/SageMaker", "OverheadLatency", **where)) >= 0

    @pytest.mark.parametrize("kind", ["CANARY", "ALL_AT_ONCE"])
    def test_an_alarm_while_it_bakes_takes_an_update_back(self, cloud: Cloud, endpoint: str, kind: str):
        sagemaker, name = cloud.client("sagemaker"), f"bad-{kind}"
        cloud.client("cloudwatch").put_metric_alarm(**alarm(name))
        rings(cloud, name, "OK")
        config = deployment(kind, seconds=600, alarms=[name])
        sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName="two", DeploymentConfig=config)
        wait_until(lambda: served_weight(cloud, endpoint), lambda weight: weight == 2)
        if kind == "CANARY":  # the other half is still served by the old fleet
            wait_until(lambda: served_weight(cloud, endpoint), lambda weight: weight == 1)
        assert sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "Updating"
        put(cloud, name, 9)
        described = wait_until(
            lambda: sagemaker.describe_endpoint(EndpointName=endpoint),
            lambda found: found["EndpointStatus"] == "InService",
        )
        assert described["EndpointConfigName"] == "one"
        assert name in described["FailureReason"]
        assert {served_weight(cloud, endpoint) for _ in range(10)} == {1}

    def test_a_quiet_bake_ends_with_the_new_model(self, cloud: Cloud, endpoint: str):
        cloud.client("cloudwatch").put_metric_alarm(**alarm("quiet"))
        config = deployment("CANARY", seconds=1, alarms=["quiet"])
        cloud.client("sagemaker").update_endpoint(
            EndpointName=endpoint, EndpointConfigName="two", DeploymentConfig=config
        )
        assert settled_endpoint(cloud, endpoint)["EndpointConfigName"] == "two"
        assert {served_weight(cloud, endpoint) for _ in range(10)} == {2}

    @pytest.mark.parametrize(("visible", "status"), [(2, "InService"), (1, "Failed"), (0, "Failed")])
    def test_the_role_must_see_each_alarm(self, cloud: Cloud, endpoint: str, visible: int, status: str):
        names = [f"watched-{visible}-{kind}" for kind in ("errors", "latency")]
        for name in names:
            cloud.client("cloudwatch").put_metric_alarm(**alarm(name))
        arns = [f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{name}" for name in names]
        look = {"Action": "cloudwatch:DescribeAlarms", "Resource": [*arns[:visible], arns[0] + "-other"]}
        role = make_role(cloud, name=f"sees-{visible}", actions=["s3:*", "logs:*"], statements=[look])
        config, mine = make_config(cloud, role, f"sees-{visible}"), f"{endpoint}-{visible}"
        sagemaker = cloud.client("sagemaker")
        sagemaker.create_endpoint(EndpointName=mine, EndpointConfigName="one")
        assert settled_endpoint(cloud, mine)["EndpointStatus"] == "InService"
        sagemaker.update_endpoint(
            EndpointName=mine,
            EndpointConfigName=config,
            DeploymentConfig=deployment("CANARY", seconds=1, alarms=names),
        )
        described = settled_endpoint(cloud, mine)
        assert described["EndpointStatus"] == status, described
        assert ("cloudwatch:DescribeAlarms" in described.get("FailureReason", "")) == (status == "Failed")
        assert {served_weight(cloud, mine) for _ in range(10)} == {2 if status == "InService" else 1}

    @pytest.mark.parametrize("change", ["create", "update"])
    def test_a_change_that_breaks_off_fails(self, cloud: Cloud, role: str, endpoint: str, change: str):
        sagemaker, mine = cloud.client("sagemaker"), f"broken-{change}"
        if change == "update":
            sagemaker.create_endpoint(EndpointName=mine, EndpointConfigName="one")
            assert settled_endpoint(cloud, mine)["EndpointStatus"] == "InService"
        config = make_config(cloud, role, mine)
        sagemaker.delete_model(ModelName=mine)
        getattr(sagemaker, f"{change}_endpoint")(EndpointName=mine, EndpointConfigName=config)
        described = settled_endpoint(cloud, mine)
        assert described["EndpointStatus"] == "Failed"
        assert f"model/{mine}" in described["FailureReason"]
        sagemaker.delete_endpoint(EndpointName=mine)
