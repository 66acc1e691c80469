"""The modules of kernels, imported before threads start."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

import kernels


@cache
def import_all_kernels() -> None:
    """Import all modules that threads need, so that none waits for an interrupted import."""
    from kernels.numba.machine_code import load_compiler

    for module in pkgutil.walk_packages(kernels.__path__, "kernels."):
        if not module.name.startswith("kernels.numba.fast."):  # jit imports it, where Numba has what it needs
            import_module(module.name)
    load_compiler()
