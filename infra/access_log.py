"""The API's access log: one JSON line a request, without the image and without what the caller asked."""

import json

# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
ACCESS_LOG_FORMAT = json.dumps(
    {
        "time": "$context.requestTime",
        "request_id": "$context.requestId",
        "method": "$context.httpMethod",
        "path": "$context.resourcePath",
        "status": "$context.status",
        "refused_by_gateway": "$context.error.responseType",
        "caller": "$context.identity.userArn",
        "api_key_id": "$context.identity.apiKeyId",
        "source_ip": "$context.identity.sourceIp",
        "answer_bytes": "$context.responseLength",
        "ms": "$context.responseLatency",
        "endpoint_ms": "$context.integrationLatency",
    }
)
