"""The rows of control: those that every packet has, and those of a recipe's components. Their numbers are only here."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from kernels.components.declarations import Setting
from kernels.recipe import Recipe
from kernels.vocabulary import OPTIMIZERS, SCHEDULES, STOPPING_RULES, TAIL

# Rows that every packet has: settings of each run, and results of its evaluation. Those before INITIAL_ROWS are written
# when a run takes a lane.
(
    RATE,
    OUTPUT_RATE,
    THRESHOLD,
    DIVERGENCE_THRESHOLD,
    HIDDEN_SCALE,  # gain times the scale of the one hidden layer; for several see packet.Stack
    OUTPUT_SCALE,
    THRESHOLD_NOW,  # THRESHOLD; NaN while it is too early to converge
    PREVIOUS,  # the loss at the evaluation before
    LATEST,  # the loss that the inner loop has just seen
    LOSS,  # this row and those below pass data between code for all lanes and code for single lanes
    N_CORRECT,
    MAX_ERROR,
    CONVERGED_FLAG,
    STALLED_FLAG,
    ACTIVE_FLAG,  # whether a run occupies the lane
    FINITE_FLAG,
    COMMON_ROWS,
) = range(17)
INITIAL_ROWS = THRESHOLD_NOW


class HeldOutRows(NamedTuple):
    """Rows of control for held-out patterns."""

    is_new: int = 0  # 1 where they are evaluated now, otherwise 0
    # Of their last evaluation; the score is the loss or minus the share that are right
    loss: int = 0
    score: int = 0
    is_met: int = 0  # 1 where they are evaluated now and meet the criterion, otherwise 0
    # Score and loss of the best evaluation
    best_score: int = 0
    best_loss: int = 0


class ControlLayout(NamedTuple):
    """The rows of control that the components of a recipe have, behind those that every packet has."""

    settings: dict[str, int]  # the row of each setting by name
    # Rows of the numbers that count updates for the optimizer: before the current update, and after it
    clocks: tuple[int, ...]
    next_clocks: tuple[int, ...]
    # Rows of the optimizer's factors, from the learning rates of the hidden layer and of the output layer
    factors: tuple[tuple[int, ...], tuple[int, ...]]
    # Rows of the learning rates of the next update: of the hidden layer, and of the output layer
    rates: tuple[int, int]
    # Rows that are written when a run takes a lane, in this order: common ones, settings, clocks
    initial: tuple[int, ...]
    # The row of the largest loss threshold that the loss has not been below yet, minus infinity after the last; None
    # if the recipe records none
    loss_threshold: int | None
    class_weights: int  # the first row of the factors of classes, 0 if there are none
    clip_factor: int  # the row of the factor of clipped gradients, 0 if none are clipped
    n_right: int | None  # the row of the number of patterns that are right; None if they are not counted
    # Rows of the states of the stopping rule: before the present evaluation, and after it
    states: tuple[int, ...]
    next_states: tuple[int, ...]
    plateau_flag: int | None  # the row that flags runs which the stopping rule ends; None if there is none
    # The rows of the running loss of the last epoch, and of the sums of terms and penalties of the present one; 0 if
    # none is kept
    running_loss: tuple[int, int, int]
    held_out: HeldOutRows  # all 0 if there are no held-out patterns
    n_rows: int  # number of all rows of control
    loss_sums: tuple[int, ...]  # the first row of float64 of each of the recipe's sums of losses
    best_turn: int | None  # the row of float64 of the turn of the best evaluation; None if no best is kept
    n_doubles: int  # number of all rows of float64

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
    n_states = len(STOPPING_RULES[recipe.stopping_rule].states) if recipe.monitor else 0
    first_state = n_right + recipe.counts_right
    plateau_flag = first_state + 2 * n_states
    running = plateau_flag + bool(recipe.monitor)
    clip_factor = running + 3 * recipe.keeps_running_loss
    clips = "clip_norm" in recipe.used
    class_weights = clip_factor + clips
    n_classes = recipe.architecture.n_classes if recipe.class_weight else 0
    first_held_out = class_weights + n_classes
    held_out = HeldOutRows(*range(first_held_out, first_held_out + 6)) if recipe.holds_out else HeldOutRows()
    of_schedule = 2 + len(SCHEDULES[recipe.schedule].states) if recipe.is_scheduled else 0
    sums = recipe.loss_sums
    sizes_of_sums = [{"tail_loss": TAIL, "running_loss": 0}.get(name, 1) for name in sums]
    doubles = np.cumsum([of_schedule, *sizes_of_sums, recipe.keeps_best]).tolist()
    return ControlLayout(
        {setting.name: row for setting, row in zip(recipe.settings, settings, strict=True)},
        clocks,
        next_clocks,
        (factors[0], factors[1]) if n_factors else ((rates[0],), (rates[1],)),
        rates,
        initial=(*range(INITIAL_ROWS), *settings, *clocks),
        loss_threshold=starts[-1] if recipe.records_thresholds else None,
        class_weights=class_weights if n_classes else 0,
        clip_factor=clip_factor if clips else 0,
        n_right=n_right if recipe.counts_right else None,
        states=tuple(range(first_state, first_state + n_states)),
        next_states=tuple(range(first_state + n_states, plateau_flag)),
        plateau_flag=plateau_flag if recipe.monitor else None,
        running_loss=(running, running + 1, running + 2) if recipe.keeps_running_loss else (0, 0, 0),
        held_out=held_out,
        n_rows=max(first_held_out, *(row + 1 for row in held_out)),
        loss_sums=tuple(doubles[: len(sums)]),
        best_turn=doubles[len(sums)] if recipe.keeps_best else None,
        n_doubles=doubles[-1],
    )
