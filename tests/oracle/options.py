"""The options of a training by name: what all runs of a call share, and settings, a number for each run or for all."""

from __future__ import annotations

import math
from dataclasses import fields
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from kernels import vocabulary
from kernels.recipe import Architecture, Recipe
from tests.oracle.components import ALIASES, Functions
from tests.oracle.step import Network, Sizes, sizes_of

# Settings, which are rounded to the dtype, and other options, with their defaults. Only names and defaults are those of
# the kernels. An option without a default must be passed.
SETTINGS: dict[str, Any] = {name: setting.default for name, setting in vocabulary.SETTINGS.items()}
DEFAULTS: dict[str, Any] = Architecture._field_defaults | Recipe._field_defaults
DEFAULTS |= dict.fromkeys(vocabulary.INTEGERS, 0)
DEFAULTS |= {
    "max_steps": np.inf,
    "max_epochs": np.inf,
    "seed": 0,  # of shuffled orders
    "validate_every": 1,  # epochs between two evaluations of held-out patterns
    "is_training": True,  # whether the patterns are those to train on, whose loss has smoothed labels and a penalty
    # Between low outputs and high ones, where it is not that of the range of the targets
    "decision_threshold": None,
}


class Options(SimpleNamespace):
    """Options as attributes."""

    def __init__(self, **given: Any) -> None:
        unknown = given.keys() - {*SETTINGS, *DEFAULTS, *Architecture._fields, "hidden"}
        assert not unknown, f"{', '.join(unknown)}: no options of a training"
        super().__init__(**SETTINGS | DEFAULTS | given)


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


def make_network(inputs: npt.ArrayLike, targets: npt.ArrayLike, options: Options, functions: Functions) -> Network:
    """Round patterns and settings to the dtype; scales are computed in float64 and rounded once."""
    x, target = (np.asarray(part, options.dtype) for part in (inputs, targets))
    hidden_scales, output_scale = layer_scales(options.scaling, x.shape[1], options.hidden)
    gain = np.asarray(options.gain, np.float64)
    loss, reduction = ALIASES.get(options.loss, (options.loss, options.reduction))
    named = {field.name: getattr(options, field.name) for field in fields(Network) if hasattr(options, field.name)}
    made = {
        "inputs": x,
        "targets": target,
        "sizes": sizes_of(options.hidden),
        "functions": functions,
        "loss": loss,
        "reduction": reduction,
        "own": {name: np.asarray(getattr(options, name), options.dtype) for name in SETTINGS},
        "s1": tuple((gain * scale).astype(options.dtype) for scale in hidden_scales),
        "s2": np.asarray(output_scale, options.dtype),
    }
    return Network(**named | made)
