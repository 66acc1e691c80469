"""The package ``kernels``: other distributions, and users' own files, have that name too.

A wheel holds ours inside ``sweep``, so that nothing is overwritten where another one is installed as well, and it is
imported from there under its name. A checkout has it beside ``sweep``, where Python finds it.
"""

from __future__ import annotations

import sys
from importlib import import_module, util
from pathlib import Path

_PROJECT = "xor-sweep"

# The folder of sweep that kernels are in, in a wheel: pyproject.toml puts them there.
BUNDLED = "_kernels"


def check_kernels() -> None:
    """Import ``kernels`` and check that it is xor-sweep's.

    Raises
    ------
    ImportError
        If it is another package or is missing; the message names the remedy.
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
        found = f"at {str(_location())!r} was imported before that of xor-sweep; use them in separate processes"
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
    """Say that files of ours are missing, and what to do."""
    again = "install xor-sweep again with pip's --force-reinstall --no-deps"
    return f"of xor-sweep at {str(own)!r} is not complete any more; {again}"


def _remedy(own: Path) -> str:
    """Say where the package that was found instead of that in a checkout comes from, and what to do.

    An editable installation comes last on the path: nothing is overwritten, and removing the other is enough.
    """
    from importlib import metadata  # slow

    found = _location()
    if found in (None, own):
        return _incomplete(own)
    others = sorted(set(metadata.packages_distributions().get("kernels", ())) - {_PROJECT})
    if others:
        uninstall = f"run 'pip uninstall {' '.join(others)}'"
        return f"at {str(found)!r} is not xor-sweep's but that of the distribution {', '.join(others)}; {uninstall}"
    return f"at {str(found)!r} is not xor-sweep's; rename it, or start Python where it is not found first"


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
