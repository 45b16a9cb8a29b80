from collections.abc import Callable
from typing import Any, Literal

class OptimizeResult(dict[str, Any]): ...

def minimize_scalar(
    fun: Callable[[float], float], *, bounds: tuple[float, float], method: Literal["bounded"]
) -> OptimizeResult: ...
