"""Choices of a variant that were measured on this CPU, kept beside compiled kernels.

A choice holds for networks of one *class*: what decides which instructions a step has, in which order. It is stored
under the conditions of machine code (sources, versions, options and CPU), so it is forgotten with the kernels.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any, NamedTuple

from kernels.numba import entries
from kernels.numba.jit import ENABLED
from kernels.recipe import Architecture, Hidden, Recipe, sizes_of
from kernels.tuning import Tuning

# The variable that turns measured choices off.
SWITCH = "XOR_SWEEP_TUNE"
# Suffix of the files of choices.
KIND = "tuning"


class NetworkClass(NamedTuple):
    """What a choice depends on; losses, criteria, schedules and what is recorded are not part of it."""

    architecture: Architecture
    sizes: tuple[int, ...]  # hidden units of each layer
    optimizer: str
    dtype: str
    n_patterns: int
    window: int  # patterns of a step
    n_sets: int  # of patterns: one, or two for several
    holds_out: bool

    @classmethod
    def of(cls, recipe: Recipe, hidden: Hidden, n_patterns: int, n_sets: int) -> NetworkClass:
        """Return the class of networks of ``hidden`` units that train on some sets of patterns."""
        window = recipe.batch or n_patterns
        of_data = n_patterns, window, min(n_sets, 2), recipe.holds_out
        return cls(recipe.architecture, sizes_of(hidden), recipe.optimizer, recipe.dtype, *of_data)


class Choice(NamedTuple):
    """What was measured for a class."""

    changes: dict[str, Any]  # fields of the tuning that differ from the first guess; empty where nothing was faster
    gain: float  # speed as a multiple of that of the first guess
    date: str  # as in "2026-12-01"


def is_on() -> bool:
    """Whether measured choices are used: unless they are turned off, or kernels are not compiled."""
    return ENABLED and os.environ.get(SWITCH) != "off"


@cache
def measured_choice(network_class: NetworkClass) -> Choice | None:
    """Return what was measured for a class on this CPU, or None; the same during all of this process."""
    found = entries.read(_entry(network_class)) if is_on() else None
    return Choice(*found) if found else None


def tuning_for(network_class: NetworkClass, guess: Tuning) -> Tuning:
    """Return the tuning that was measured for a class, or the first guess."""
    choice = measured_choice(network_class)
    return guess._replace(**choice.changes) if choice else guess


def keep_choice(network_class: NetworkClass, choice: Choice) -> None:
    """Store a choice for later processes; kernels of this one stay as they are."""
    measured_choice(network_class)
    entries.keep(_entry(network_class), tuple(choice))


def _entry(network_class: NetworkClass) -> entries.Entry:
    return entries.Entry(entries.conditions(), repr(network_class), "choice", KIND)
