"""What users and developers see has a docstring: the reference of the API is made of these."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from tests.reference import public_members, public_modules, public_names


def _missing(module: ModuleType) -> Iterator[str]:
    """Name what is public in a module and has no docstring of its own."""
    if not module.__doc__:
        yield module.__name__
    if module.__name__.count(".") == 3 and module.__name__.startswith("kernels.words."):
        return  # one formula a function, whose name and arguments are those of a field of kernels.words.records
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
