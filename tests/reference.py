"""Write the reference of the API, made of docstrings: ``python -m tests.reference FOLDER``, which ``make docs`` calls.

It has the names that packages of ``sweep`` export, and all public modules of ``kernels``.
"""

from __future__ import annotations

import pkgutil
import sys
import warnings
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

import kernels
import sweep


def public_modules() -> list[ModuleType]:
    """Return the packages of ``sweep`` that say in ``__all__`` what they export, and all modules of ``kernels``."""
    found = pkgutil.walk_packages(sweep.__path__, "sweep.")
    names = [each.name for each in found if each.ispkg and not each.name.startswith("sweep.bench")]  # needs its peers
    packages = [sweep, *(package for package in map(import_module, names) if hasattr(package, "__all__"))]
    names = [each.name for each in pkgutil.walk_packages(kernels.__path__, "kernels.")]
    return [*packages, kernels, *map(import_module, names)]


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


def _prepare(module: ModuleType) -> None:
    """Have a module and its classes show pdoc what it would not find by itself."""
    names = public_names(module)
    vars(module).update(names)  # some are imported when they are first used
    for kind in (value for value in names.values() if isinstance(value, type)):
        if issubclass(kind, tuple):  # its constructor has types as strings, and its fields have texts of no use
            kind.__new__.__annotations__ = get_type_hints(kind)
            for field in getattr(kind, "_fields", ()):
                vars(kind)[field].__doc__ = ""
        for name in public_members(kind).keys() - vars(kind).keys():
            setattr(kind, name, public_members(kind)[name])  # else it is told as that of a class that has no page


def write_reference(folder: Path) -> None:
    """Write the pages; whatever pdoc warns of is an error."""
    import pdoc

    modules = public_modules()
    for module in modules:
        _prepare(module)
    pdoc.render.configure(docformat="numpy", footer_text=f"xor-sweep {sweep.__version__}")
    # Modules of kernels are found from their package.
    names = [module.__name__ for module in modules if not module.__name__.startswith("kernels.")]
    with warnings.catch_warnings(action="error"):
        pdoc.pdoc(*names, output_directory=folder)


if __name__ == "__main__":
    write_reference(Path(sys.argv[1]))
