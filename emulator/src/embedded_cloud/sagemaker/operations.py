"""The operations of a part of SageMaker, by AWS's names of them."""

from collections.abc import Callable
from typing import Any

Operation = Callable[[dict[str, Any]], dict[str, Any]]
Operations = dict[str, Operation]
