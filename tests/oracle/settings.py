"""The arguments of a training: components that all runs of a call share, and settings of each run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from kernels.vocabulary import SETTINGS
from tests.oracle.components import ALIASES, Functions
from tests.oracle.step import Network, Sizes, Skip, sizes_of


@dataclass(frozen=True, kw_only=True)
class Components:
    """The components that all runs of a call share."""

    hidden: Sizes
    activation: str
    output: str
    loss: str
    criterion: str
    bias: bool
    reduction: str = "sum"  # "sse" and "mse" have their own
    skip: Skip = False
    scaling: str = "standard"
    optimizer: str = "gd"
    schedule: str = "constant"
    freeze: str = ""  # parameters that keep their initial values, as in "w b v[0,1]"
    share: str = ""  # groups of weights or rows that stay equal, as in "w[0] w[1]; b[0] b[2]"
    decays: str = "w v b c k"  # kinds of parameters on which weight decay acts
    penalty: bool = False  # whether the loss over the patterns to train on includes its penalty
    batch: int | None = None  # patterns per step; None is all of them
    order: str = "cyclic"
    one_hot: bool = False  # whether the largest output decides which patterns are right
    monitor: str = ""  # what the stopping rule looks at: one of `kernels.vocabulary.MONITORS`
    stopping_rule: str = "patience"  # or "patience_best", "patience_change", "gl", "gl_or_progress"
    criterion_on: str = "train"  # or "held_out": which patterns it looks at
    thresholds_on: str = "train"  # likewise, for loss thresholds
    stop: str = "before"  # or "after": runs that converge or reach a plateau take one more epoch
    keeps_best: bool = False  # whether parameters at the best evaluation of held-out patterns are kept
    validate_every: int = 1  # epochs between two evaluations of held-out patterns
    decision_threshold: float | None = (
        None  # between low outputs and high ones, where it is not that of the range of the targets
    )


OF_COMPONENTS = tuple(each.name for each in fields(Components))

# Defaults of settings that are no fields of the class below.
DEFAULTS: dict[str, npt.ArrayLike] = {name: each.default for name, each in SETTINGS.items()}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of each run: arrays (R,), or one number for all runs."""

    learning_rate: npt.ArrayLike
    output_learning_rate: npt.ArrayLike | None = None  # None is the other one
    threshold: npt.ArrayLike = 0.0  # of the criterion
    divergence_threshold: npt.ArrayLike = np.inf  # a run whose loss is above has diverged
    from_step: npt.ArrayLike = 0  # the first step at which there is a criterion
    max_steps: npt.ArrayLike = np.inf
    max_epochs: npt.ArrayLike = np.inf
    seed: npt.ArrayLike = 0  # of shuffled orders
    gain: npt.ArrayLike = 1.0
    weight_decay: npt.ArrayLike = 0.0
    warmup: npt.ArrayLike = 0.0
    step_ratio: npt.ArrayLike = 1.0
    patience: npt.ArrayLike = np.inf  # evaluations without an improvement
    min_delta: npt.ArrayLike = 0.0
    gl_threshold: npt.ArrayLike = 5.0
    progress_threshold: npt.ArrayLike = 0.1
    strip: npt.ArrayLike = 5
    schedule_steps: npt.ArrayLike = 0  # that the schedule is for; 0 for the most that a run may take
    own: Mapping[str, npt.ArrayLike] = field(default_factory=dict)  # others, by name

    def rounded(self, dtype: Any) -> dict[str, Any]:
        """Round the settings of the components to the dtype; missing ones have their defaults."""
        return {name: np.asarray(number, dtype) for name, number in (DEFAULTS | dict(self.own)).items()}


def components_and_settings(arguments: dict[str, Any]) -> tuple[Components, Settings]:
    """Split the arguments of a training into components and settings."""
    sorted_out: list[dict[str, Any]] = []
    for kind in (Components, Settings):
        names = {each.name for each in fields(kind)}
        sorted_out.append({name: value for name, value in arguments.items() if name in names})
    components, settings = sorted_out
    own = {name: value for name, value in arguments.items() if name not in components | settings}
    if not own.keys() <= DEFAULTS.keys():
        raise TypeError(f"{', '.join(own.keys() - DEFAULTS.keys())}: no arguments of a training")
    return Components(**components), Settings(**settings, own=own)


def layer_scales(scaling: str, n_inputs: int, hidden: Sizes) -> tuple[tuple[float, ...], float]:
    """Return the scale of each hidden layer, and that of the output layer, in float64."""
    sizes = sizes_of(hidden)
    if not sizes:
        return (), 1.0
    roots = tuple(1.0 / math.sqrt(fan_in) for fan_in in (n_inputs, *sizes))
    return {
        "standard": ((1.0,) * len(sizes), 1.0),
        "ntk": (roots[:-1], roots[-1]),
        "mean_field": (roots[:-1], 1.0 / sizes[-1]),
    }[scaling]


def make_network(
    inputs: npt.ArrayLike,
    targets: npt.ArrayLike,
    components: Components,
    settings: Settings,
    dtype: str,
    functions: Functions,
) -> Network:
    """Round patterns and settings to the dtype; scales are computed in float64 and rounded once."""
    x, target = np.asarray(inputs, dtype), np.asarray(targets, dtype)
    loss, reduction = ALIASES.get(components.loss, (components.loss, components.reduction))
    hidden_scales, output_scale = layer_scales(components.scaling, x.shape[1], components.hidden)
    gain = np.asarray(settings.gain, np.float64)
    return Network(
        x,
        target,
        sizes_of(components.hidden),
        components.activation,
        components.output,
        components.bias,
        functions,
        skip=components.skip,
        loss=loss,
        reduction=reduction,
        own=settings.rounded(dtype),
        s1=tuple((gain * scale).astype(dtype) for scale in hidden_scales),
        s2=np.asarray(output_scale, dtype),
        decision_threshold=components.decision_threshold,
        one_hot=components.one_hot,
    )
