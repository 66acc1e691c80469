"""What users and developers see has a docstring: the reference of the API is made of these."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from tests.reference import public_members, public_modules, public_names


def _is_option(module: ModuleType) -> bool:
    """Return whether a module has formulas, which the fields of :mod:`kernels.components.records` explain."""
    return module.__name__.startswith("kernels.components.") and module.__name__.count(".") == 3


def _missing(module: ModuleType) -> Iterator[str]:
    """Name what is public in a module and has no docstring of its own."""
    if not module.__doc__:
        yield module.__name__
    if _is_option(module):
        return
    for name, value in public_names(module).items():
        if isinstance(value, type):
            yield from _missing_in_class(f"{module.__name__}.{name}", value)
        elif callable(value) and not value.__doc__:
            yield f"{module.__name__}.{name}"


def _missing_in_class(name: str, kind: type) -> Iterator[str]:
    text = vars(kind).get("__doc__")
    if not text or text.startswith(f"{kind.__name__}("):  # what Python writes for tuples and data classes
        yield name
    for member, value in public_members(kind).items():
        if _is_shown(value) and not inspect.getdoc(getattr(kind, member)):
            yield f"{name}.{member}"


def _is_shown(value: Any) -> bool:
    return isinstance(value, (staticmethod, classmethod, property)) or inspect.isfunction(value)


def test_public_names_have_docstrings() -> None:
    """Packages, functions, classes, their methods and properties say what they are."""
    modules = public_modules()
    names = {f"{module.__name__}.{name}" for module in modules for name in public_names(module)}
    assert {"sweep.run", "sweep.Result", "sweep.figures.heatmap", "kernels.train.Trainer"} <= names
    assert [text for module in modules for text in _missing(module)] == []


def test_what_is_missing_is_named() -> None:
    """A method without a docstring is found, also one that is inherited, and a class that has none."""
    base = type("Base", (), {"__module__": "sweep.result", "told": lambda self: None})
    module = ModuleType("sweep.invented", "A module.")
    vars(module).update(Kind=type("Kind", (base,), {"__module__": "sweep.invented"}), __all__=["Kind"])
    assert list(_missing(module)) == ["sweep.invented.Kind", "sweep.invented.Kind.told"]


def _unexplained(name: str, function: Any) -> Iterator[str]:
    """Name the sections that the docstring of a function with three or more arguments lacks."""
    signature, text = inspect.signature(function), function.__doc__ or ""
    if len(signature.parameters.keys() - {"self", "cls"}) < 3:
        return
    if "Parameters\n" not in text:
        yield f"{name}: Parameters"
    if signature.return_annotation not in ("None", inspect.Signature.empty) and "Returns\n" not in text:
        yield f"{name}: Returns"


def _functions(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield public functions and methods of a module by name, as they were before decorators wrapped them."""
    for name, value in public_names(module).items():
        found = public_members(value) if isinstance(value, type) else {"": value}
        for member, function in found.items():
            if inspect.isfunction(inspect.unwrap(function)):
                yield f"{module.__name__}.{name}.{member}", inspect.unwrap(function)


def test_long_signatures_of_kernels_are_explained() -> None:
    """Public functions of three and more arguments have sections of parameters and of what they return."""
    modules = [each for each in public_modules() if each.__name__.startswith("kernels.") and not _is_option(each)]
    functions = [each for module in modules for each in _functions(module)]
    assert {"kernels.step.forward.make_forward.", "kernels.train.Trainer.train"} <= {name for name, _ in functions}
    assert [text for name, function in functions for text in _unexplained(name, function)] == []
