"""How many kernels a study takes at most, from its words alone: neither Numba nor the kernels are imported for it."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

from sweep.study.model import Study
from sweep.study.words import loss_and_reduction, with_role

# Hidden sizes for which a kernel is compiled of their own, and how many packets may take turns in kernels for any
# other size; see :mod:`kernels.variant`, which knows the CPU and so chooses among fewer.
_OWN_SIZES = frozenset({1, 2})
_MOST_PACKETS = 3
# Patterns of more numbers are constants of no kernel.
_MOST_CONSTANTS = 192

# What decides whether initial weights are drawn in the type of the networks.
_DECIDE_PASSES = ("scale", "output_scale", "bias_scale", "draw_order", "bias", "skip")


def most_kernels(study: Study) -> int:
    """Return how many kernels training a study compiles at most, where none is on disk yet."""
    names = [name for name in with_role("kernel") if name != "hidden"]
    alike = {_recipe(study, dict(zip(names, values, strict=True))) for values in product(*map(study.values_of, names))}
    return sum(_trainings(study, dict(recipe)) for recipe in alike) + _drawings(study)


def _recipe(study: Study, words: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Return the words that decide a kernel beside the hidden size, the same for all that mean the same."""
    words["loss"], words["reduction"] = loss_and_reduction(words["loss"], words["reduction"])
    if words["batch"] == len(study.data.inputs):
        words["order"] = "cyclic"
    return tuple(words.items())


def _trainings(study: Study, words: dict[str, Any]) -> int:
    """Return how many kernels train networks of all hidden sizes that share the other words.

    Where patterns are constants, runs whose numbers are not finite are trained by one more.
    """
    sizes, n_patterns = set(study.values_of("hidden")), len(study.data.inputs)
    n_gains = min(len(study.values_of("gain")), 2)  # a factor of 1 is left out
    n_gains *= len({decay > 0 for decay in study.values_of("weight_decay")})  # as is the decay of no weights
    n_unscaled = len({words["scaling"] == "standard" or size == 1 for size in sizes})
    n_numbers = n_patterns * (len(study.data.inputs[0]) + len(study.data.targets[0]))
    general = n_gains * n_unscaled
    if words["batch"] < n_patterns or n_numbers > _MOST_CONSTANTS:
        return general
    own, others = sizes & _OWN_SIZES, sizes - _OWN_SIZES
    most = _MOST_PACKETS if words["criterion"] == "none" else 2
    return n_gains * (len(own) + min(len(others), most)) + general


def _drawings(study: Study) -> int:
    """Return how many kernels draw initial weights; numbers of NumPy's own generator take none."""
    if "mt19937" not in study.values_of("stream"):
        return 0
    several = study.values_of("dtype") != ("float64",) and prod(len(study.values_of(n)) for n in _DECIDE_PASSES) > 1
    return len(study.values_of("distribution")) * (2 if several else 1)
