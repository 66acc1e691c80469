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
    """Import ``kernels`` and check that it is xor-sweep's.

    Raises
    ------
    ImportError
        If it is another package or missing; the message names the remedy.
    """
    package = Path(next(iter(import_module("sweep").__path__))).resolve()
    bundled = package / BUNDLED
    came_first = "kernels" in sys.modules
    try:
        if bundled.is_dir() and not came_first:
            _import_from(bundled)
        project = getattr(import_module("kernels"), "PROJECT", None)
    except Exception:  # ours imports nothing that could fail, so this is another package, or none
        project = None
    if project == _PROJECT:
        return
    if bundled.is_dir():
        found = f"at {str(_location())!r} was imported before xor-sweep's; use the two in separate processes"
        raise ImportError(f"the package 'kernels' {found if came_first else _incomplete(bundled)}")
    raise ImportError(f"the package 'kernels' {_remedy(package.parent / 'kernels')}")


def _import_from(folder: Path) -> None:
    """Import the package in a folder as ``kernels``, so that its modules are found there too.

    Raises
    ------
    Exception
        Whatever the import ends with.
    """
    spec = util.spec_from_file_location("kernels", folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None
    assert spec.loader is not None
    sys.modules["kernels"] = util.module_from_spec(spec)
    try:
        spec.loader.exec_module(sys.modules["kernels"])
    except BaseException:
        del sys.modules["kernels"]
        raise


def _incomplete(own: Path) -> str:
    """Return that files of ours are missing, and the remedy."""
    remedy = "run 'pip install --force-reinstall --no-deps xor-sweep'"
    return f"of xor-sweep at {str(own)!r} is incomplete; {remedy}"


def _remedy(own: Path) -> str:
    """Return where the package comes from that hides the one in a checkout, and the remedy.

    An editable installation comes last on the path: nothing is overwritten, so it is enough to remove the other one.
    """
    from importlib import metadata  # slow

    found = _location()
    if found in (None, own):
        return _incomplete(own)
    others = sorted(set(metadata.packages_distributions().get("kernels", ())) - {_PROJECT})
    if others:
        uninstall = f"run 'pip uninstall {' '.join(others)}'"
        return f"at {str(found)!r} belongs to the distribution {', '.join(others)}, not to xor-sweep; {uninstall}"
    return f"at {str(found)!r} does not belong to xor-sweep; rename it, or start Python in another folder"


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
