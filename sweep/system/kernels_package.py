"""Import the package ``kernels``, since other distributions and files of users may have that name too.

A wheel holds ours inside ``sweep``, so that it overwrites no other package of this name, and imports it from there
under its name. A checkout has it beside ``sweep``, where Python finds it.
"""

from __future__ import annotations

import sys
from importlib import import_module, util
from pathlib import Path

_PROJECT = "xor-sweep"

# The folder of kernels within sweep in a wheel, as in pyproject.toml.
BUNDLED = "_kernels"


def check_kernels() -> None:
    """Import ``kernels``; ImportError with a remedy if it is missing or another package than xor-sweep's."""
    package = Path(next(iter(import_module("sweep").__path__))).resolve()
    bundled = package / BUNDLED
    own = bundled if bundled.is_dir() else package.parent / "kernels"
    try:
        if own == bundled and "kernels" not in sys.modules:
            _import_from(bundled)
        project = getattr(import_module("kernels"), "PROJECT", None)
    except Exception:  # ours imports nothing that could fail, so this is another package, or none
        project = None
    if project == _PROJECT:
        return
    found = _location()
    if found in (None, own) or not (own / "__init__.py").exists():
        remedy = "run 'pip install --force-reinstall --no-deps xor-sweep'"
        raise ImportError(f"the package 'kernels' of xor-sweep at {str(own)!r} is incomplete; {remedy}")
    raise ImportError(
        f"the package 'kernels' at {str(found)!r} is not xor-sweep's; uninstall or rename it, import xor-sweep first, "
        "or use the two in separate environments"
    )


def _import_from(folder: Path) -> None:
    """Import the package in a folder as ``kernels``, so that its modules are found there too."""
    spec = util.spec_from_file_location("kernels", folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None
    assert spec.loader is not None
    sys.modules["kernels"] = util.module_from_spec(spec)
    try:
        spec.loader.exec_module(sys.modules["kernels"])
    except BaseException:
        del sys.modules["kernels"]
        raise


def _location() -> Path | None:
    """Return the folder or file that ``import kernels`` finds."""
    try:
        spec = util.find_spec("kernels")
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    place = next(iter(spec.submodule_search_locations or ()), spec.origin)
    return Path(place).resolve() if place else None
