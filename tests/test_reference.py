"""The reference of Python in the manual: public names are those of type checkers, and long signatures are explained."""

from __future__ import annotations

import ast
import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import kernels
import sweep
from kernels import step


def public_modules() -> list[ModuleType]:
    """Return the packages of ``sweep`` that say in ``__all__`` what they export, and all modules of ``kernels``."""
    found = pkgutil.walk_packages(sweep.__path__, "sweep.")
    names = [each.name for each in found if each.ispkg and not each.name.startswith("sweep.bench")]  # needs its peers
    packages = [sweep, *(package for package in map(import_module, names) if hasattr(package, "__all__"))]
    names = [each.name for each in pkgutil.walk_packages(kernels.__path__, "kernels.")]
    if not find_spec("llvmlite.binding.newpassmanagers"):  # an llvmlite with which only the plain compiler works
        names = [name for name in names if not name.startswith("kernels.numba.fast.")]
    return [*packages, kernels, *map(import_module, names)]


def test_public_names_are_those_of_type_checkers() -> None:
    """The names that are imported when they are used are those that type checkers see."""
    (checked, *_) = (node for node in ast.parse(inspect.getsource(sweep)).body if isinstance(node, ast.If))
    seen = {alias.asname for node in checked.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert {"__version__", "lanes", *filter(None, seen)} == set(sweep.__all__)


def public_names(module: ModuleType) -> dict[str, Any]:
    """Return what a module exports, or else the functions and classes that it defines without an underscore."""
    if hasattr(module, "__all__"):
        return {name: getattr(module, name) for name in module.__all__}
    values = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    return {name: value for name, value in values.items() if getattr(value, "__module__", None) == module.__name__}


def public_members(kind: type) -> dict[str, Any]:
    """Return the members that users of a class see, those of the project's own base classes included."""
    own = [base for base in kind.__mro__ if base.__module__.partition(".")[0] in ("sweep", "kernels")]
    members = {name: value for base in reversed(own) for name, value in vars(base).items()}
    return {name: value for name, value in members.items() if not name.startswith(("_", "model_"))}


def _is_option(module: ModuleType) -> bool:
    """Return whether a module has formulas, which the fields of :mod:`kernels.components.declarations` explain."""
    return module.__name__.startswith("kernels.components.") and module.__name__.count(".") == 3


def _is_unexplained(function: Any) -> bool:
    """Return whether a function with six or more arguments does not document them; :mod:`kernels.step` has some."""
    arguments = {name for name in inspect.signature(function).parameters if f"``{name}``" not in str(step.__doc__)}
    arguments -= {"self", "cls"}
    return len(arguments) > 5 and "Parameters\n" not in (function.__doc__ or "")


def _functions(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield public functions and methods of a module by name, as they were before decorators wrapped them."""
    for name, value in public_names(module).items():
        found = public_members(value) if isinstance(value, type) else {"": value}
        for member, function in found.items():
            if inspect.isfunction(inspect.unwrap(function)):
                yield f"{module.__name__}.{name}.{member}", inspect.unwrap(function)


def test_long_signatures_of_kernels_are_explained() -> None:
    """Public functions with six or more arguments document them."""
    modules = [each for each in public_modules() if each.__name__.startswith("kernels.") and not _is_option(each)]
    functions = [each for module in modules for each in _functions(module)]
    assert {"kernels.step.forward.make_forward.", "kernels.train.Trainer.train"} <= {name for name, _ in functions}
    assert [name for name, function in functions if _is_unexplained(function)] == []
