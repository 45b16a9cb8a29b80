"""The OpenAPI document of the API, and `GET /openapi.json`, with which API Gateway itself answers it."""

import json
from pathlib import Path
from typing import Any

from aws_cdk import aws_apigateway as apigateway

from infra.api.count_method import IMAGE_TYPES
from infra.api.label_openapi import label_operation
from infra.shared.state_language import Json

_SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"
_ERRORS = {
    "400": "The body is no image",
    "403": "The caller may not do this, or there is no such path",
    "406": "Accept names neither JSON nor text",
    "408": "The image came too slowly",
    "413": "The image is too large, in bytes or pixels",
    "415": "The Content-Type is no image's",
    "422": "The expected count is no whole number from 0 to 999999, or explain is not 0 or 1",
    "429": "More requests than are allowed",
    "500": "The server or the API failed",
    "502": "The endpoint failed",
    "503": "No model serves, or it is busy",
    "504": "The endpoint did not answer in time",
}


def openapi(*, url: str, auth: str, labels: bool) -> dict[str, Any]:
    """The document (OpenAPI 3.1). `auth` is `iam` or `api_key`, as in the settings; `labels`: whether it
    takes them."""
    errors = {status: _error(text) for status, text in _ERRORS.items()}
    shared = {status: errors[status] for status in ("403", "415", "429", "500", "504")}
    document = {
        "description": "This document",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "bincount",
            "version": "1",
            "description": "Counts what lies in an image of a bin and compares it with what should.",
        },
        "servers": [{"url": url}],
        "security": [{auth: []}],
        "paths": {
            "/count": {"post": {**_count(), "responses": {"200": _answer(), **errors}}},
            "/openapi.json": {
                "get": {
                    "operationId": "openapi",
                    "summary": "The description of this API",
                    "responses": {"200": document, **shared},
                }
            },
            **({"/labels": {"post": label_operation(errors)}} if labels else {}),
        },
        "components": {
            "schemas": {"Answer": _schema("answer"), "Error": _schema("error")},
            "securitySchemes": {auth: _security_scheme(auth)},
        },
    }


def as_template(document: dict[str, Any]) -> str:
    """JSON in which API Gateway's template language finds nothing to do.

    `$` and `#` begin its references and directives; inside JSON strings they can be written as escapes.
    """
    return json.dumps(document).replace("$", "\\u0024").replace("#", "\\u0023")


def _count() -> dict[str, Any]:
    return {
        "operationId": "count",
        "summary": "Count the objects in one image",
        "parameters": [
            {
                "name": "expected",
                "in": "query",
                "required": False,
                "description": "The number of objects that should be there; asks for a verdict. explain=1 "
                "behind a comma, or alone, asks for where the model looked: 3,explain=1.",
                "schema": {
                    "anyOf": [
                        {"type": "integer", "minimum": 0, "maximum": 999_999},
                        {"type": "string", "pattern": "^([0-9]{1,6},)?explain=[01]$"},
                    ]
                },
            }
        ],
        "requestBody": {
            "required": True,
            "description": "The image, at most 6291456 bytes.",
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in IMAGE_TYPES},
        },
    }


def _answer() -> dict[str, Any]:
    return {
        "description": "The count, and how sure it is",
        "headers": {
            "X-Bincount-Answer": {
                "description": "What a bare number does not say: review=true,at-least=false,verdict=match",
                "schema": {"type": "string"},
            }
        },
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Answer"}},
            "text/plain": {"schema": {"type": "string", "pattern": "^[0-9]+$"}},
        },
    }


def _error(description: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": description, "content": content}


def _security_scheme(auth: str) -> dict[str, Any]:
    if auth == "api_key":
        return {"type": "apiKey", "in": "header", "name": "x-api-key"}
    return {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "AWS Signature Version 4 for the service execute-api",
        "x-amazon-apigateway-authtype": "awsSigv4",
    }


def _schema(name: str) -> dict[str, Any]:
    """A schema of docs/schemas as a component, its references as OpenAPI's."""
    schema = json.loads((_SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    for member in ("$schema", "$id"):
        del schema[member]
    return _with_component_references(schema, component=name.capitalize())


def _with_component_references(value: Json, *, component: str) -> Any:
    if isinstance(value, list):
        return [_with_component_references(item, component=component) for item in value]
    if not isinstance(value, dict):
        return value
    members = {key: _with_component_references(item, component=component) for key, item in value.items()}
    reference = members.get("$ref")
    if isinstance(reference, str):
        file, _, pointer = reference.partition("#")
        name = file.removesuffix(".schema.json").capitalize() or component
        members["$ref"] = f"#/components/schemas/{name}{pointer}"
    return members


_JSON = "application/json"
_URL = "@url@"


def add_openapi_method(
    *, resource: apigateway.Resource, url: str, auth: str, labels: bool, options: dict[str, Any]
) -> None:
    """Let GET on `resource` answer the OpenAPI document of the API at `url`."""
    # The URL holds references that CloudFormation fills in, and they must not be escaped.
    template = as_template(openapi(url=_URL, auth=auth, labels=labels)).replace(_URL, url)
    resource.add_method(
        "GET",
        apigateway.MockIntegration(
            passthrough_behavior=apigateway.PassthroughBehavior.NEVER,
            request_templates={_JSON: '{"statusCode": 200}'},
            integration_responses=[
                apigateway.IntegrationResponse(status_code="200", response_templates={_JSON: template})
            ],
        ),
        method_responses=[apigateway.MethodResponse(status_code="200")],
        **options,
    )
