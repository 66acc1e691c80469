"""Train many small neural networks, and measure how often and how fast they learn.

Names are imported when first used, so that commands without numerics start fast.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sweep.system.kernels_package import check_kernels
from sweep.system.version import __version__ as __version__

if TYPE_CHECKING:
    from kernels.components.declarations import Setting as Setting
    from kernels.custom.decorators import activation as activation
    from kernels.custom.decorators import learning_rate_schedule as learning_rate_schedule
    from kernels.custom.decorators import loss as loss
    from kernels.custom.decorators import measure as measure
    from kernels.custom.decorators import optimizer as optimizer
    from sweep import lanes as lanes
    from sweep.errors import StoreError as StoreError
    from sweep.errors import StudyError as StudyError
    from sweep.errors import SweepError as SweepError
    from sweep.results.expected import expect as expect
    from sweep.results.result import Result as Result
    from sweep.results.result import open_result as open_result
    from sweep.statistics.boundary import boundary_dimension as boundary_dimension
    from sweep.study.custom_statistics import statistic as statistic
    from sweep.study.load import load_study as load_study
    from sweep.study.model import Study as Study
    from sweep.study.plugins import load_plugin as load_plugin
    from sweep.training.merge import merge as merge
    from sweep.training.networks.confusion import confusion as confusion
    from sweep.training.networks.predict import predict as predict
    from sweep.training.networks.trace import Trace as Trace
    from sweep.training.networks.trace import trace as trace
    from sweep.training.networks.trained_weights import trained_weights as trained_weights
    from sweep.training.run import run as run
    from sweep.training.second_pass import record_weights as record_weights
    from sweep.verification.check import verify as verify
    from sweep.verification.repair import repair as repair

check_kernels()

# The module of each public name, as above.
_HOMES = {
    name: module
    for module, names in {
        "kernels.components.declarations": ("Setting",),
        "kernels.custom.decorators": ("activation", "learning_rate_schedule", "loss", "measure", "optimizer"),
        "sweep.errors": ("StoreError", "StudyError", "SweepError"),
        "sweep.results.expected": ("expect",),
        "sweep.results.result": ("Result", "open_result"),
        "sweep.statistics.boundary": ("boundary_dimension",),
        "sweep.study.custom_statistics": ("statistic",),
        "sweep.study.load": ("load_study",),
        "sweep.study.model": ("Study",),
        "sweep.study.plugins": ("load_plugin",),
        "sweep.training.merge": ("merge",),
        "sweep.training.networks.confusion": ("confusion",),
        "sweep.training.networks.predict": ("predict",),
        "sweep.training.networks.trace": ("Trace", "trace"),
        "sweep.training.networks.trained_weights": ("trained_weights",),
        "sweep.training.run": ("run",),
        "sweep.training.second_pass": ("record_weights",),
        "sweep.verification.check": ("verify",),
        "sweep.verification.repair": ("repair",),
    }.items()
    for name in names
}

__all__ = sorted(["__version__", "lanes", *_HOMES])


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
