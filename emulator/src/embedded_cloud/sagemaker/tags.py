"""AddTags, ListTags, DeleteTags."""

import threading
from typing import Any

from embedded_cloud.sagemaker.store import Operations


class Tags:
    """The tags of every resource, by ARN."""

    def __init__(self) -> None:
        self._tags: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()
        self.operations: Operations = {"AddTags": self.add, "ListTags": self.list, "DeleteTags": self.delete}

    def add(self, request: dict[str, Any]) -> dict[str, Any]:
        """Adds to or overwrites the tags of a resource."""
        self.set(request["ResourceArn"], request["Tags"])
        return self.list(request)

    def set(self, arn: str, tags: list[dict[str, str]]) -> None:
        """The same for a resource that has just been made."""
        with self._lock:
            self._tags.setdefault(arn, {}).update({tag["Key"]: tag["Value"] for tag in tags})

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """All tags of a resource; none for one that never had any."""
        with self._lock:
            tags = self._tags.get(request["ResourceArn"], {})
            return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """Takes the named tags from a resource."""
        with self._lock:
            for key in request["TagKeys"]:
                self._tags.get(request["ResourceArn"], {}).pop(key, None)
        return {}
