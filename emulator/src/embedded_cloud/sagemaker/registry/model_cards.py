"""The operations on model cards: Create, Describe, Update, List, Delete; and what a card may hold."""

import json
import time
from typing import Any, cast

from embedded_cloud.errors import AwsError, validation_error
from embedded_cloud.identity import ACCOUNT, sagemaker_arn
from embedded_cloud.sagemaker.store import ErrorOfName, Operations, Record, Store, page_of

_ARN = sagemaker_arn("model-card/{name}")
_BY = {"IamIdentity": {"Arn": f"arn:aws:iam::{ACCOUNT}:root", "PrincipalId": ACCOUNT}}
_SECTIONS = {
    "model_overview",
    "model_package_details",
    "intended_uses",
    "business_details",
    "training_details",
    "evaluation_details",
    "additional_information",
}
_PACKAGE_OVERVIEW = {"model_creator", "model_artifact"}
_RATINGS = ("High", "Medium", "Low", "Unknown")


def check_content(content: str, *, of_package: bool) -> None:
    """Refuses what the schema of a model card has no place for, in its first two levels.

    A model package's card has no `model_package_details`, and of the overview `model_creator` and
    `model_artifact` only (SageMaker's API reference, ModelPackageModelCard).
    """
    try:
        card = json.loads(content)
    except ValueError as error:
        raise validation_error(f"Model card content is not JSON: {error}") from error
    if not isinstance(card, dict):
        raise validation_error("Model card content must be a JSON object.")
    sections = cast("dict[str, Any]", card)
    known = _SECTIONS - {"model_package_details"} if of_package else _SECTIONS
    unknown = sorted(sections.keys() - known)
    if of_package:
        unknown += sorted(sections.get("model_overview", {}).keys() - _PACKAGE_OVERVIEW)
    if unknown:
        raise validation_error(f"Model card content: additional properties are not allowed: {unknown}")
    rating = sections.get("intended_uses", {}).get("risk_rating", "Unknown")
    if rating not in _RATINGS:
        raise validation_error(f"Model card content: risk_rating {rating!r} is none of {', '.join(_RATINGS)}")


class ModelCards:
    """Model cards; a change of the content makes the next version, of which only the last is kept here."""

    def __init__(self) -> None:
        self.store = Store(
            kind="ModelCard",
            missing=ErrorOfName("ResourceNotFound", f"ModelCard {_ARN} does not exist."),
            taken=ErrorOfName("ConflictException", f"Modelcard {_ARN} already exists"),
        )
        self.operations: Operations = {
            "CreateModelCard": self.create,
            "DescribeModelCard": lambda request: self.get(request["ModelCardName"]),
            "UpdateModelCard": self.update,
            "DeleteModelCard": self.delete,
            "ListModelCards": self.list,
        }

    def get(self, name_or_arn: str) -> Record:
        """The card of that name or ARN."""
        return self.store.get(name_or_arn.rsplit("/", 1)[-1])

    def create(self, request: dict[str, Any]) -> Record:
        """The first version of a card."""
        check_content(request["Content"], of_package=False)
        name, now = request["ModelCardName"], time.time()
        record: Record = {
            **request,
            "ModelCardArn": _ARN.format(name=name),
            "ModelCardVersion": 1,
            "CreationTime": now,
            "LastModifiedTime": now,
            "CreatedBy": _BY,
            "LastModifiedBy": _BY,
        }
        return self.store.add(name, record)

    def update(self, request: dict[str, Any]) -> Record:
        """Another status, or another content, which is the next version. An archived card stays as it is."""
        record = self.get(request["ModelCardName"])
        if record["ModelCardStatus"] == "Archived":
            raise AwsError("ConflictException", f"Model Card {record['ModelCardArn']} is in Archived state")
        if "Content" in request:
            check_content(request["Content"], of_package=False)
            record["Content"] = request["Content"]
            record["ModelCardVersion"] += 1
        record["ModelCardStatus"] = request.get("ModelCardStatus", record["ModelCardStatus"])
        record["LastModifiedTime"] = time.time()
        return record

    def delete(self, request: dict[str, Any]) -> Record:
        """Forgets a card with all its versions."""
        self.store.remove(self.get(request["ModelCardName"])["ModelCardName"])
        return {}

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """A page of cards."""
        return page_of(
            self.store.all(),
            request,
            member="ModelCardSummaries",
            name_key="ModelCardName",
            status_key="ModelCardStatus",
        )
