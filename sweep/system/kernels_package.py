"""Whether the package ``kernels`` is ours: other distributions have one of that name too."""

from __future__ import annotations

from importlib import import_module, util
from pathlib import Path

_PROJECT = "xor-sweep"


def check_kernels() -> None:
    """Import ``kernels`` and see that it is xor-sweep's.

    Raises
    ------
    ImportError
        If it is not, with the remedy.
    """
    try:
        project = getattr(import_module("kernels"), "PROJECT", None)
    except Exception:  # ours imports nothing that could fail, so this is another, or none
        project = None
    if project != _PROJECT:
        raise ImportError(f"the package 'kernels' {_remedy()}")


def _remedy() -> str:
    """Say where the package that was found comes from, and what to do.

    pip lets one distribution overwrite files of another. With both in one folder, removing
    the other takes its files away and leaves gaps in ours, so ours is installed again after it.
    An editable installation comes last on the path: nothing is overwritten, and removing the
    other is enough.
    """
    from importlib import metadata  # slow

    own = Path(__file__).resolve().parents[2] / "kernels"
    found = _location()
    others = sorted(set(metadata.packages_distributions().get("kernels", ())) - {_PROJECT})
    other, uninstall = f"the distribution {', '.join(others)}", f"run 'pip uninstall {' '.join(others)}'"
    if found in (None, own):
        again = "install xor-sweep again with pip's --force-reinstall --no-deps"
        if others:
            return f"of xor-sweep at {str(own)!r} was overwritten by {other}; {uninstall}, then {again}"
        return f"of xor-sweep at {str(own)!r} is not complete any more; {again}"
    if others:
        return f"at {str(found)!r} is not xor-sweep's but that of {other}; {uninstall}"
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
