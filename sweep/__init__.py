"""Train many small neural networks, and measure how often and how fast they learn.

Names are imported when first used, so that commands without numerics start fast.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sweep.system.kernels_package import check_kernels
from sweep.system.version import __version__

if TYPE_CHECKING:
    from kernels.components.declarations import Setting
    from kernels.custom.decorators import activation, learning_rate_schedule, loss, measure, optimizer
    from sweep import lanes
    from sweep.errors import StoreError, StudyError, SweepError
    from sweep.results.expected import expect
    from sweep.results.result import Result, open_result
    from sweep.statistics.boundary import boundary_dimension
    from sweep.study.custom_statistics import statistic
    from sweep.study.load import load_study
    from sweep.study.model import Study
    from sweep.study.plugins import load_plugin
    from sweep.training.merge import merge
    from sweep.training.networks.confusion import confusion
    from sweep.training.networks.predict import predict
    from sweep.training.networks.trace import Trace, trace
    from sweep.training.networks.trained_weights import trained_weights
    from sweep.training.run import run
    from sweep.training.second_pass import record_weights
    from sweep.verification.check import verify
    from sweep.verification.repair import repair

check_kernels()

_HOMES = {
    "Result": "sweep.results.result",
    "Setting": "kernels.components.declarations",
    "StoreError": "sweep.errors",
    "Study": "sweep.study.model",
    "StudyError": "sweep.errors",
    "SweepError": "sweep.errors",
    "Trace": "sweep.training.networks.trace",
    "activation": "kernels.custom.decorators",
    "boundary_dimension": "sweep.statistics.boundary",
    "confusion": "sweep.training.networks.confusion",
    "expect": "sweep.results.expected",
    "learning_rate_schedule": "kernels.custom.decorators",
    "load_study": "sweep.study.load",
    "load_plugin": "sweep.study.plugins",
    "loss": "kernels.custom.decorators",
    "measure": "kernels.custom.decorators",
    "merge": "sweep.training.merge",
    "open_result": "sweep.results.result",
    "optimizer": "kernels.custom.decorators",
    "predict": "sweep.training.networks.predict",
    "record_weights": "sweep.training.second_pass",
    "repair": "sweep.verification.repair",
    "run": "sweep.training.run",
    "statistic": "sweep.study.custom_statistics",
    "trace": "sweep.training.networks.trace",
    "trained_weights": "sweep.training.networks.trained_weights",
    "verify": "sweep.verification.check",
}

__all__ = [
    "Result",
    "Setting",
    "StoreError",
    "Study",
    "StudyError",
    "SweepError",
    "Trace",
    "__version__",
    "activation",
    "boundary_dimension",
    "confusion",
    "expect",
    "lanes",
    "learning_rate_schedule",
    "load_plugin",
    "load_study",
    "loss",
    "measure",
    "merge",
    "open_result",
    "optimizer",
    "predict",
    "record_weights",
    "repair",
    "run",
    "statistic",
    "trace",
    "trained_weights",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name == "lanes":
        return import_module("sweep.lanes")
    if name in _HOMES:
        from kernels.floating_point import default_floating_point

        load = default_floating_point(import_module)  # some modules compute constants when they are imported
        return getattr(load(_HOMES[name]), name)
    raise AttributeError(f"module 'sweep' has no attribute {name!r}")


def __dir__() -> list[str]:
    modules = [name for name, value in globals().items() if isinstance(value, ModuleType) or name.startswith("__")]
    return sorted({*__all__, *modules})
