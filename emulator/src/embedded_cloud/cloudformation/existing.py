"""A stack cannot make what is there already: a name that was kept by an earlier stack, or made by hand.

ministack makes some types anew over what exists, and so hides what stops the next `cdk deploy` on AWS.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from embedded_cloud.errors import AwsError

Properties = Mapping[str, Any]
Exists = Callable[[Properties], str | None]
Lookups = Mapping[str, tuple[tuple[str, ...], Callable[..., str | None]]]


class Existing:
    """Reports which name of a resource is taken.

    `lookups` is ministack's table of what can be imported: the keys of a type's identifier, and a function
    that gives None where such a thing exists. `names` holds for further types the property that names it and
    the names that are taken.
    """

    def __init__(
        self, *, lookups: Lookups, names: Mapping[str, tuple[str, Callable[[], Iterable[str]]]]
    ) -> None:
        self._lookups = lookups
        self._names = names

    @property
    def types(self) -> list[str]:
        """The types that are looked after."""
        return [*self._lookups, *self._names]

    def refuse(self, resource_type: str, properties: Properties) -> None:
        """Raises AwsError, in CloudFormation's words, where the name is taken."""
        taken = self._taken(resource_type, properties)
        if taken:
            raise AwsError(
                "AlreadyExists",
                f"Resource of type '{resource_type}' with identifier '{taken}' already exists.",
            )

    def _taken(self, resource_type: str, properties: Properties) -> str | None:
        if resource_type in self._names:
            key, taken = self._names[resource_type]
            name = properties.get(key)
            return str(name) if name is not None and name in set(taken()) else None
        keys, problem = self._lookups[resource_type]
        identifier = [properties.get(key) for key in keys]
        if not all(isinstance(value, str) and value for value in identifier):
            return None  # a name that CloudFormation makes up is free
        return "|".join(map(str, identifier)) if problem(*identifier) is None else None
