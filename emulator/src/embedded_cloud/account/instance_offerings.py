"""DescribeInstanceTypeOfferings of EC2: which instance types a region and its zones have.

The region has every type that EC2's model knows. Its zone `e` has none of the generations from the fifth on,
as us-east-1e: what a VPC of all zones stumbles over.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4
from xml.sax.saxutils import escape

from botocore.session import get_session

from embedded_cloud.errors import AwsError
from embedded_cloud.identity import REGION
from embedded_cloud.sagemaker.runtime import Response
from embedded_cloud.wire import Handler, query_error_response

_ZONES = tuple(f"{REGION}{letter}" for letter in "abcdef")
_OLD_ZONE, _OLD = f"{REGION}e", re.compile(r"[a-z]+[1-4][a-z]*\..*")
_FILTER = re.compile(r"Filter\.(\d+)\.(?:(Name)|Value\.\d+)")


def with_offerings(handle: Handler) -> Handler:
    """EC2's handler with this operation beside what ministack has."""

    async def run(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Response:
        request = dict(parse_qsl(body.decode(), keep_blank_values=True))
        if request.get("Action") != "DescribeInstanceTypeOfferings":
            return await handle(method, path, headers, body, query)
        try:
            return _answer([*_offers(request)])
        except AwsError as error:
            return query_error_response(error)

    return run


def _offers(request: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """(instance type, kind of location, location)."""
    kind = request.get("LocationType", "region")
    if kind not in ("region", "availability-zone"):
        raise AwsError("InvalidParameterValue", f"Value ({kind}) for parameter LocationType is invalid.")
    filters = _filters(request)
    model: Any = get_session().get_service_model("ec2")
    types: list[str] = model.shape_for("InstanceType").enum
    for location in (REGION,) if kind == "region" else _ZONES:
        for instance_type in types:
            if location == _OLD_ZONE and not _OLD.fullmatch(instance_type):
                continue
            found = {"instance-type": instance_type, "location": location}
            if all(found[name] in values for name, values in filters.items()):
                yield instance_type, kind, location


def _filters(request: Mapping[str, str]) -> dict[str, set[str]]:
    names: dict[str, str] = {}
    values: dict[str, set[str]] = {}
    for key, value in request.items():
        match = _FILTER.fullmatch(key)
        if match and match[2]:
            names[match[1]] = value
        elif match:
            values.setdefault(match[1], set()).add(value)
    for name in names.values():
        if name not in ("instance-type", "location"):
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return {name: values.get(number, set()) for number, name in names.items()}


def _answer(offers: list[tuple[str, str, str]]) -> Response:
    items = "".join(
        f"<item><instanceType>{escape(each)}</instanceType><locationType>{kind}</locationType>"
        f"<location>{location}</location></item>"
        for each, kind, location in offers
    )
    content = (
        '<DescribeInstanceTypeOfferingsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        f"<requestId>{uuid4()}</requestId><instanceTypeOfferingSet>{items}</instanceTypeOfferingSet>"
        "</DescribeInstanceTypeOfferingsResponse>"
    )
    return 200, {"Content-Type": "text/xml"}, content.encode()
