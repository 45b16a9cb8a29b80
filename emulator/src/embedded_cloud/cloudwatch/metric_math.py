"""Metric math: the expressions of alarms over series of the same periods.

A series is a list with a value or None for each period, oldest first; everything else is a number.
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any, TypeGuard, cast

Series = list[float | None]
Value = Series | float
_BINARY: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
    ast.Gt: lambda a, b: float(a > b),
    ast.GtE: lambda a, b: float(a >= b),
    ast.Lt: lambda a, b: float(a < b),
    ast.LtE: lambda a, b: float(a <= b),
    ast.Eq: lambda a, b: float(a == b),
    ast.NotEq: lambda a, b: float(a != b),
    ast.And: lambda a, b: float(bool(a) and bool(b)),
    ast.Or: lambda a, b: float(bool(a) or bool(b)),
}
_REDUCE: dict[str, Callable[[Sequence[float]], float]] = {
    "SUM": sum,
    "AVG": fmean,
    "MIN": min,
    "MAX": max,
}
_EACH: dict[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}


class MathError(Exception):
    """An expression that CloudWatch has no meaning for, or that this module does not know."""


class MetricMath:
    """Works out expressions over `series`, by their ids; all have `periods` values of `seconds` each."""

    def __init__(self, *, series: dict[str, Series], periods: int, seconds: int) -> None:
        self._series = series
        self._periods = periods
        self._seconds = seconds

    def __call__(self, expression: str) -> Series:
        """The expression's series. Raises MathError."""
        try:
            tree = ast.parse(_as_python(expression), mode="eval")
        except SyntaxError as error:
            raise MathError(f"the expression {expression!r} cannot be read: {error.msg}") from error
        value: Any = self._value(tree.body)
        if _is_several(value):
            raise MathError(f"the expression {expression!r} gives several series")
        return self._spread(value)

    def _value(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return float(node.value)
        if isinstance(node, ast.Name):
            return self._named(node.id)
        if isinstance(node, ast.List):
            return [self._spread(self._value(item)) for item in node.elts]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return self._join(operator.sub, 0.0, self._value(node.operand))
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            return self._join(_BINARY[type(node.op)], self._value(node.left), self._value(node.right))
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            function = _BINARY[type(node.ops[0])]
            return self._join(function, self._value(node.left), self._value(node.comparators[0]))
        if isinstance(node, ast.BoolOp):
            value = self._value(node.values[0])
            for other in node.values[1:]:
                value = self._join(_BINARY[type(node.op)], value, self._value(other))
            return value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._call(node.func.id, node.args)
        raise MathError(f"{ast.unparse(node)} is no part of metric math")

    def _named(self, name: str) -> Series:
        if name not in self._series:
            raise MathError(f"there is no metric {name}")
        return self._series[name]

    def _call(self, name: str, arguments: Sequence[ast.expr]) -> Any:
        if name == "METRICS":
            return list(self._series.values())
        if name == "FILL":
            return self._fill(arguments)
        values = [self._value(argument) for argument in arguments]
        if name == "IF":
            return self._if(values)
        if name == "PERIOD":
            return float(self._seconds)
        if name in _EACH:
            return self._map(_EACH[name], values[0])
        if name in _REDUCE:
            return self._reduce(_REDUCE[name], values[0])
        if name == "DIFF":
            return self._change(values[0], lambda a, b: b - a)
        if name == "RATE":
            return self._change(values[0], lambda a, b: (b - a) / self._seconds)
        raise MathError(f"the function {name} is not known here")

    def _fill(self, arguments: Sequence[ast.expr]) -> Any:
        """Missing values as a number, as another series, or (REPEAT) as the last one before."""
        given: Any = self._value(arguments[0])
        if _is_several(given):
            return [self._filled(one, arguments[1]) for one in given]
        return self._filled(self._spread(given), arguments[1])

    def _filled(self, series: Series, by: ast.expr) -> Series:
        if isinstance(by, ast.Name) and by.id == "REPEAT":
            filled: Series = []
            for value in series:
                filled.append(value if value is not None or not filled else filled[-1])
            return filled
        others = self._spread(self._value(by))
        return [other if value is None else value for value, other in zip(series, others, strict=True)]

    def _if(self, values: list[Any]) -> Series:
        otherwise: Value = values[2] if len(values) > 2 else cast("Series", [None] * self._periods)
        rows = zip(*(self._spread(v) for v in (values[0], values[1], otherwise)), strict=True)
        return [None if test is None else (yes if test else no) for test, yes, no in rows]

    def _map(self, function: Callable[[float], float], value: Value) -> Value:
        if isinstance(value, list):
            return [None if item is None else function(item) for item in value]
        return function(value)

    def _reduce(self, function: Callable[[Sequence[float]], float], value: Any) -> Value:
        """Of several series: their values of each period. Of one: one number over all of its periods."""
        if _is_several(value):
            columns = zip(*value, strict=True)
            found = [[item for item in column if item is not None] for column in columns]
            return [float(function(items)) if items else None for items in found]
        items = [item for item in cast("Series", value) if item is not None]
        return float(function(items)) if items else cast("Series", [None] * self._periods)

    def _change(self, series: Series, change: Callable[[float, float], float]) -> Series:
        changed: Series = [None]
        for before, after in zip(series, series[1:], strict=False):
            changed.append(None if before is None or after is None else change(before, after))
        return changed

    def _join(self, function: Callable[[float, float], float], left: Value, right: Value) -> Value:
        """A period has a value where both sides have one; a division by zero has none."""

        def one(a: float | None, b: float | None) -> float | None:
            if a is None or b is None:
                return None
            try:
                return float(function(a, b))
            except (ZeroDivisionError, OverflowError):
                return None

        if not isinstance(left, list) and not isinstance(right, list):
            result = one(left, right)
            return cast("Series", [None] * self._periods) if result is None else result
        pairs = zip(self._spread(left), self._spread(right), strict=True)
        return [one(a, b) for a, b in pairs]

    def _spread(self, value: Value) -> Series:
        return value if isinstance(value, list) else [value] * self._periods


def _is_several(value: Any) -> TypeGuard[list[Series]]:
    return isinstance(value, list) and bool(cast("list[Any]", value)) and isinstance(value[0], list)


def _as_python(expression: str) -> str:
    """CloudWatch's operators as Python's."""
    text = re.sub(r"\bAND\b|&&", " and ", expression)
    text = re.sub(r"\bOR\b|\|\|", " or ", text)
    return text.replace("^", "**").strip()
