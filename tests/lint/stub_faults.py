"""Prints what stubs say that is not so of the libraries of this interpreter; called by test_typings.py.

`python stub_faults.py TYPINGS STUB…`: a program of its own, since the SageMaker SDK has its own environment.
"""

import ast
import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def main() -> None:
    """Print a line for each fault."""
    typings = Path(sys.argv[1])
    for stub in map(Path, sys.argv[2:]):
        parts = stub.relative_to(typings).with_suffix("").parts
        module = importlib.import_module(".".join(part for part in parts if part != "__init__"))
        for fault in faults(ast.parse(stub.read_text()), module, module.__name__):
            print(fault)


def faults(scope: ast.Module | ast.ClassDef, real: Any, where: str) -> Iterator[str]:
    """Names that the module or class `real` does not have, other values of enumerations, other parameters."""
    for node in scope.body:
        match node:
            case ast.ClassDef(name=name) if name.startswith("_"):
                pass  # the stub's own, for its annotations
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield from _faults_of_member(node, real, name, f"{where}.{name}")
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
                if getattr(real, name, None) != value:
                    yield f"{where}.{name} is {getattr(real, name, 'absent')}, not {value}"
            case ast.AnnAssign(target=ast.Name(id=name)) if not _has(real, name):
                yield f"{where} has no {name}"
            case _:
                pass


def _faults_of_member(node: Any, real: Any, name: str, where: str) -> Iterator[str]:
    if not hasattr(real, name):
        yield f"{where} does not exist"
    elif isinstance(node, ast.ClassDef):
        yield from faults(node, getattr(real, name), where)
    elif not isinstance(member := getattr(real, name), property):
        # A class has its fields, where its __init__ takes anything.
        yield from _wrong_parameters(node.args, real if name == "__init__" else member, where)


def _wrong_parameters(arguments: ast.arguments, real: Any, where: str) -> Iterator[str]:
    found = inspect.signature(real).parameters
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in found.values())
    said = {argument.arg for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
    for name in sorted(said - set(found) - {"self", "cls"}):
        if not takes_any:
            yield f"{where} takes no {name}"
    for name, parameter in found.items():
        is_required = parameter.default is parameter.empty and parameter.kind in (
            parameter.POSITIONAL_OR_KEYWORD,
            parameter.KEYWORD_ONLY,
        )
        if is_required and name not in said:
            yield f"{where} wants {name}"


def _has(real: Any, name: str) -> bool:
    if hasattr(real, name):
        return True
    kinds = getattr(real, "__mro__", ())
    if any(name in getattr(kind, "__annotations__", {}) for kind in kinds):
        return True
    return any(
        f"self.{name} =" in inspect.getsource(kind) for kind in kinds if kind.__module__ == real.__module__
    )


if __name__ == "__main__":
    main()
