"""The rows of control of a recipe's components. Their numbers are computed only here."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from kernels.components.declarations import Setting
from kernels.data.control import COMMON_ROWS, INITIAL_ROWS, OUTPUT_RATE, RATE
from kernels.recipe import Recipe
from kernels.vocabulary import OPTIMIZERS, SCHEDULES, TAIL

# Rows that end runs on a plateau: what a score must be below to be an improvement, evaluations since the last one, both
# as they are after the present evaluation, and whether the run ends now.
TO_BEAT, WAITED, NEXT_TO_BEAT, NEXT_WAITED, PLATEAU_FLAG, N_PLATEAU_ROWS = range(6)


class ControlLayout(NamedTuple):
    """The rows of control that the components of a recipe have, beside those of :mod:`kernels.data.control`.

    Attributes
    ----------
    settings : dict
        The row of each setting by name.
    clocks, next_clocks
        Rows of the numbers that count updates for the optimizer: before the current update, and after it.
    factors
        Rows of the optimizer's factors, from the learning rates of the hidden layer and of the output layer.
    rates
        Rows of the learning rates of the next update: of the hidden layer, and of the output layer.
    initial
        Rows that are written when a run takes a lane, in this order: common ones, settings, clocks.
    loss_threshold
        The row of the largest loss threshold that the loss has not been below yet, minus infinity after the last; None
        if the recipe records none.
    n_right
        The row of the number of patterns that are right; None if they are not counted.
    plateau
        Rows TO_BEAT to PLATEAU_FLAG of runs that end when they no longer improve; none if none does.
    n_rows
        Number of all rows of control.
    loss_sums
        The first row of float64 of each of the recipe's sums of losses.
    n_doubles
        Number of all rows of float64.
    """

    settings: dict[str, int]
    clocks: tuple[int, ...]
    next_clocks: tuple[int, ...]
    factors: tuple[tuple[int, ...], tuple[int, ...]]
    rates: tuple[int, int]
    initial: tuple[int, ...]
    loss_threshold: int | None
    n_right: int | None
    plateau: tuple[int, ...]
    n_rows: int
    loss_sums: tuple[int, ...]
    n_doubles: int

    def rows(self, settings: tuple[Setting, ...]) -> tuple[int, ...]:
        """Return the rows of some settings."""
        return tuple(self.settings[setting.name] for setting in settings)


@cache
def make_control_layout(recipe: Recipe) -> ControlLayout:
    """Lay out the rows of control of the components of a recipe."""
    method = OPTIMIZERS[recipe.optimizer]
    n_clocks = len(method.clocks)
    n_factors = method.n_factors if method.clocks else 0
    sizes = (len(recipe.settings), n_clocks, n_clocks, n_factors, n_factors, 2 * recipe.is_scheduled)
    starts = np.cumsum([COMMON_ROWS, *sizes]).tolist()
    settings, clocks, next_clocks, *factors, changing = (
        tuple(range(start, start + size)) for start, size in zip(starts, sizes, strict=False)
    )
    rates = (changing[0], changing[1]) if changing else (RATE, OUTPUT_RATE)
    n_right = starts[-1] + recipe.records_thresholds
    first_of_plateau = n_right + recipe.counts_right
    n_rows = first_of_plateau + N_PLATEAU_ROWS * bool(recipe.monitor)
    of_schedule = 2 + len(SCHEDULES[recipe.schedule].states) if recipe.is_scheduled else 0
    sums = recipe.loss_sums.split()
    doubles = np.cumsum([of_schedule, *(TAIL if name == "tail_loss" else 1 for name in sums)]).tolist()
    return ControlLayout(
        {setting.name: row for setting, row in zip(recipe.settings, settings, strict=True)},
        clocks,
        next_clocks,
        (factors[0], factors[1]) if n_factors else ((rates[0],), (rates[1],)),
        rates,
        initial=(*range(INITIAL_ROWS), *settings, *clocks),
        loss_threshold=starts[-1] if recipe.records_thresholds else None,
        n_right=n_right if recipe.counts_right else None,
        plateau=tuple(range(first_of_plateau, n_rows)),
        n_rows=n_rows,
        loss_sums=tuple(doubles[:-1]),
        n_doubles=doubles[-1],
    )
