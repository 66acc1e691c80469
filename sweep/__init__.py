"""Exact, massive convergence studies of small neural networks.

Names are imported when first used, so that what needs no numerics starts fast.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sweep.ours import check_kernels

if TYPE_CHECKING:
    from sweep.engine import run
    from sweep.errors import StoreError, StudyError, SweepError
    from sweep.load import load_study
    from sweep.merging import merge
    from sweep.replay import Trace, trace
    from sweep.result import Result, open_result
    from sweep.study import Study
    from sweep.verification.check import verify
    from sweep.verification.repair import repair

check_kernels()

__version__ = "0.1.0"

_HOMES = {
    "Result": "sweep.result",
    "StoreError": "sweep.errors",
    "Study": "sweep.study",
    "StudyError": "sweep.errors",
    "SweepError": "sweep.errors",
    "Trace": "sweep.replay",
    "load_study": "sweep.load",
    "merge": "sweep.merging",
    "open_result": "sweep.result",
    "repair": "sweep.verification.repair",
    "run": "sweep.engine",
    "trace": "sweep.replay",
    "verify": "sweep.verification.check",
}

__all__ = [
    "Result",
    "StoreError",
    "Study",
    "StudyError",
    "SweepError",
    "Trace",
    "load_study",
    "merge",
    "open_result",
    "repair",
    "run",
    "trace",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from kernels.floating_point import default_floating_point

        load = default_floating_point(import_module)  # some modules compute constants when they are imported
        return getattr(load(_HOMES[name]), name)
    raise AttributeError(f"module 'sweep' has no attribute {name!r}")


def __dir__() -> list[str]:
    modules = [name for name, value in globals().items() if isinstance(value, ModuleType) or name.startswith("__")]
    return sorted({*__all__, *modules})
