"""AWS::Cognito::ManagedLoginBranding, without which a client's managed login shows no page."""

import uuid
from typing import Any

Properties = dict[str, Any]
Provisioned = tuple[str, dict[str, Any]]


class Brandings:
    """Those that there are: `branded(client)` says whether an app client has one."""

    def __init__(self) -> None:
        self._clients: dict[str, str] = {}  # branding's id -> client's

    def branded(self, client: str) -> bool:
        """Whether the managed login has pages for this app client."""
        return client in self._clients.values()

    def create(self, logical_id: str, properties: Properties, stack: str) -> Provisioned:
        """Makes one. Raises ValueError where the client has one, as CreateManagedLoginBranding does."""
        client = properties["ClientId"]
        if self.branded(client):
            raise ValueError(f"ManagedLoginBrandingExistsException: client {client} has a branding")
        if not properties.get("UseCognitoProvidedValues") and not properties.get("Settings"):
            raise ValueError("InvalidParameterException: Settings or UseCognitoProvidedValues is required")
        branding = str(uuid.uuid4())
        self._clients[branding] = client
        return f"{properties['UserPoolId']}|{branding}", {"ManagedLoginBrandingId": branding}

    def update(self, physical_id: str, old: Properties, new: Properties, *others: Any) -> Provisioned:
        """Changes one in place, or puts another in its place where it is of another client."""
        branding = physical_id.rpartition("|")[2]
        if old["ClientId"] == new["ClientId"]:
            return physical_id, {"ManagedLoginBrandingId": branding}
        self.delete(physical_id, old)
        return self.create("", new, "")

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Removes it; one that is gone is no fault."""
        self._clients.pop(physical_id.rpartition("|")[2], None)

    def handler(self) -> dict[str, Any]:
        """For CloudFormation's types."""
        return {"create": self.create, "update": self.update, "delete": self.delete}
