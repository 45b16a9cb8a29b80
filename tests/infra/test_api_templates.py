"""API Gateway's mapping between a request and the SageMaker runtime."""

import json
from pathlib import Path
from typing import Any

import pytest
from embedded_cloud.apigateway.request_mapping import integration_body, integration_headers
from embedded_cloud.apigateway.response_mapping import mapped_response
from embedded_cloud.apigateway.velocity import render

VTL = Path(__file__).parents[2] / "infra" / "api" / "templates"
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
MAPPING = {
    "requestParameters": {
        f"integration.request.header.{ATTRIBUTES}": "method.request.querystring.expected",
        "integration.request.header.X-Amzn-SageMaker-Inference-Id": "context.requestId",
        "integration.request.header.Accept": "method.request.header.Accept",
    }
}
RESPONSES: dict[str, Any] = {
    "integrationResponses": {
        "200": {
            "statusCode": "200",
            "selectionPattern": "200",
            "responseParameters": {
                "method.response.header.Content-Type": "integration.response.header.Content-Type"
            },
        },
        "424": {
            "statusCode": "424",
            "selectionPattern": "424",
            "responseTemplates": {"application/json": (VTL / "model_error.vtl").read_text()},
        },
        "502": {
            "statusCode": "502",
            "responseTemplates": {"application/json": '{"id": "$context.requestId"}'},
        },
    }
}


def headers_for(query: dict[str, Any], **headers: str) -> dict[str, str]:
    return integration_headers(
        MAPPING, headers={"Content-Type": "image/jpeg", **headers}, query=query, path={}, request_id="r-1"
    )


def answer(status: int, body: object) -> tuple[int, dict[str, str], bytes]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return mapped_response(RESPONSES, (status, {"content-type": "text/plain"}, content), request_id="r-1")


def test_the_query_and_the_requests_id_reach_the_runtimes_headers() -> None:
    assert headers_for({"expected": ["3"]}) == {
        "content-type": "image/jpeg",
        "accept": "application/json",
        "x-amzn-sagemaker-custom-attributes": "3",
        "x-amzn-sagemaker-inference-id": "r-1",
    }


def test_what_was_not_sent_maps_to_nothing_and_accept_is_json_then() -> None:
    assert "x-amzn-sagemaker-custom-attributes" not in headers_for({})
    assert headers_for({}, Accept="text/plain")["accept"] == "text/plain"


@pytest.mark.parametrize(
    ("content_type", "types", "arrives"),
    [
        ("image/jpeg", ["image/jpeg"], b"\xff\xd8"),
        ("image/jpeg; q=1", ["image/*"], b"\xff\xd8"),
        ("text/plain", ["image/jpeg"], "\ufffd\ufffd".encode()),
        (None, ["image/jpeg"], "\ufffd\ufffd".encode()),
    ],
)
def test_only_binary_media_types_arrive_as_they_were_sent(
    content_type: str | None, types: list[str], arrives: bytes
) -> None:
    assert integration_body(b"\xff\xd8", content_type=content_type, binary_types=types) == arrives


def test_a_good_answer_passes_with_its_own_type() -> None:
    assert answer(200, b"3") == (200, {"Content-Type": "text/plain"}, b"3")


def test_an_error_of_the_container_keeps_its_status_and_text() -> None:
    error = '{"error":{"code":"bad_expected_count"}}'
    status, headers, body = answer(424, {"OriginalStatusCode": 422, "OriginalMessage": error})
    assert (status, headers["Content-Type"], body.decode().strip()) == (422, "application/json", error)


@pytest.mark.parametrize(
    "error",
    [
        {"OriginalStatusCode": 0, "OriginalMessage": "timed out, account 123456789012"},
        {"OriginalStatusCode": 500, "OriginalMessage": "<html>"},
        {},
        b"not JSON",
    ],
)
def test_any_other_failure_of_the_container_is_a_502_of_ours(error: object) -> None:
    status, _, body = answer(424, error)
    assert (status, json.loads(body)["error"]["code"]) == (502, "upstream_failed")
    assert json.loads(body)["error"]["request_id"] == "r-1"


def test_a_status_without_a_pattern_of_its_own_takes_the_default() -> None:
    assert answer(403, {"message": "arn:aws:iam::123456789012:role/x"})[::2] == (502, b'{"id": "r-1"}')


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ("Endpoint bincount-dev of account 123456789012 not found.", 503, "no_model"),
        ("Rate exceeded", 503, "overloaded"),
        ("1 validation error detected: Value at 'customAttributes'", 422, "bad_expected_count"),
        ("something new", 502, "upstream_failed"),
    ],
)
def test_an_error_of_sagemaker_itself_gets_our_text(said: str, status: int, code: str) -> None:
    template = (VTL / "sagemaker_error.vtl").read_text()
    rendered = render(template, body=json.dumps({"Message": said}), context={"requestId": "r-1"})
    assert (rendered.status, json.loads(rendered.text)["error"]["code"]) == (status, code)
    assert said not in rendered.text
