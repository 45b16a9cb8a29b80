"""AWS::S3::Bucket with its Tags, which ministack's own type leaves out.

The CDK empties a bucket at `cdk destroy` only where it finds its tag on it.
"""

from typing import Any

Handler = dict[str, Any]


def with_bucket_tags(handler: Handler, tags: Any) -> Handler:
    """ministack's handler of the type, which also keeps the tags; `tags` is ministack's map of each
    bucket's.
    """

    def create(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        name, attributes = handler["create"](logical_id, properties, stack)
        _tag(tags, name, properties)
        return name, attributes

    def update(
        physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str
    ) -> tuple[str, dict[str, Any]]:
        name, attributes = handler["update"](physical_id, old, new, stack)
        _tag(tags, name, new)
        return name, attributes

    return {**handler, "create": create, "update": update}


def _tag(tags: Any, bucket: str, properties: dict[str, Any]) -> None:
    given = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    if given:
        tags[bucket] = given
    else:
        tags.pop(bucket, None)
