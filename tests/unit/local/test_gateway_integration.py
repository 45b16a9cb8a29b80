"""API Gateway's mapping between a request and the SageMaker runtime."""

from typing import Any

from local.apigateway.sagemaker_integration import integration_headers, mapped_response

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
MAPPING = {
    "requestParameters": {
        f"integration.request.header.{ATTRIBUTES}": "method.request.querystring.expected-count",
        "integration.request.header.Accept": "'application/json'",
    }
}
TEMPLATE = (
    "#set($context.responseOverride.status = $input.path('$.OriginalStatusCode'))\n"
    "$input.path('$.OriginalMessage')"
)
RESPONSES: dict[str, Any] = {
    "integrationResponses": {
        "200": {"statusCode": "200"},
        "424": {
            "statusCode": "424",
            "selectionPattern": "424",
            "responseTemplates": {"application/json": TEMPLATE},
        },
    }
}


def headers_for(query: dict[str, Any]) -> dict[str, str]:
    return integration_headers(MAPPING, headers={"Content-Type": "image/jpeg"}, query=query, path={})


def test_the_query_reaches_the_custom_attributes_header():
    assert headers_for({"expected-count": ["3"]}) == {
        "content-type": "image/jpeg",
        "x-amzn-sagemaker-custom-attributes": "3",
        "accept": "application/json",
    }


def test_a_query_that_was_not_sent_maps_to_nothing():
    assert "x-amzn-sagemaker-custom-attributes" not in headers_for({})


def test_a_good_answer_passes_through():
    status, _, body = mapped_response(RESPONSES, (200, {"content-type": "application/json"}, b'{"count":3}'))
    assert (status, body) == (200, b'{"count":3}')


def test_a_model_error_gets_the_containers_own_status_and_text_back():
    error = b'{"OriginalStatusCode": 422, "OriginalMessage": "{\\"error\\": 1}"}'
    status, _, body = mapped_response(RESPONSES, (424, {"content-type": "application/json"}, error))
    assert (status, body) == (422, b'{"error": 1}')
