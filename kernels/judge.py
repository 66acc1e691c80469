"""Which lanes end at a step, and whether any might."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from kernels.architecture import Architecture
from kernels.backward import make_backward_unit, make_next_output_bias, make_output_gradients
from kernels.batch import ACTIVE_FLAG, BELOW, LEARNING_RATE, Patterns, PatternSource, Signals
from kernels.criteria import make_criterion
from kernels.losses import make_total_loss
from kernels.relu import ReluForms
from kernels.simd.jit import device
from kernels.simd.lanes import Lanes, Mask, Memory, Rows, any_lane, bits


@cache
def make_judge(
    known: PatternSource, loss: str, criterion_name: str, memory: Memory
) -> Callable[[Patterns, Signals, Rows], tuple[Lanes, Mask, Mask, Mask]]:
    """Return the judge of a step before its update.

    The function takes ``(patterns, signals, control)`` and returns the
    loss, and the lanes that converged, that end before the update, and that have
    stalled if the update changes nothing. Without a criterion none stalls.
    """
    criterion = make_criterion(criterion_name, known, memory)
    total_loss = make_total_loss(loss, known, memory)
    judged, load = criterion_name != "none", memory.load
    infinity = np.inf

    @device
    def judge(patterns: Patterns, signals: Signals, control: Rows) -> tuple[Lanes, Mask, Mask, Mask]:
        active = load(control, ACTIVE_FLAG) > 0.0
        loss = total_loss(patterns, signals.errors)
        converged = criterion(patterns, loss, signals.outputs, signals.errors, load(control, BELOW))
        ended = (converged | ~(loss < infinity)) & active
        repeated = (loss == load(signals.previous, 0)) & active if judged else active & ~active
        return loss, converged, ended, repeated

    return judge


@cache
def make_all_go_on(
    architecture: Architecture,
    known: PatternSource,
    loss: str,
    criterion_name: str,
    memory: Memory,
    fixed_hidden: int | None,
    forms: ReluForms | None,
) -> Callable[[Patterns, Rows, Signals, Rows, int], bool]:
    """Return the test that no lane ends at a step, cheap where that is plain.

    The function takes ``(patterns, parameters, signals, control, n_hidden)``. If it is
    false, the judge must look.

    Without a criterion a network goes on while its loss is finite. With one, a network that
    has stalled keeps its first output bias, and few others do; that its loss repeats says
    less, since near a minimum the loss is flat. Only where both is so, the update is tried out.
    """
    total_loss = make_total_loss(loss, known, memory)
    load, store = memory.load, memory.store
    infinity = np.inf
    if criterion_name == "none":

        @device
        def all_finite(patterns: Patterns, parameters: Rows, signals: Signals, control: Rows, n_hidden: int) -> bool:
            active = load(control, ACTIVE_FLAG) > 0.0
            return not any_lane(~(total_loss(patterns, signals.errors) < infinity) & active)

        return all_finite

    criterion = make_criterion(criterion_name, known, memory)
    output_gradients = make_output_gradients(architecture, known, loss, memory, quick=False)
    next_output_bias = make_next_output_bias(architecture, known, memory)
    backward_unit = make_backward_unit(architecture, known, memory, forms)
    n_rows, bias = architecture.n_unit_parameters, architecture.bias
    unit_rows = memory.stack(n_rows)
    by_loss = criterion_name == "loss"
    infinite = 0x7FF << 52 if memory.dtype == "float64" else 0xFF << 23

    @device
    def all_go_on(patterns: Patterns, parameters: Rows, signals: Signals, control: Rows, n_hidden: int) -> bool:
        outputs, errors, gradients, hidden, previous = signals
        if fixed_hidden is not None:
            n_hidden = fixed_hidden
        loss = total_loss(patterns, errors)
        learning_rate = load(control, LEARNING_RATE)
        output_gradients(patterns, outputs, errors, gradients)
        if bias:
            new = next_output_bias(patterns, parameters, gradients, learning_rate, n_hidden, 0)
            still = new == load(parameters, n_hidden * n_rows)
        else:
            still = loss == load(previous, 0)
        below = load(control, BELOW)
        if by_loss:
            # Losses are not negative, and such numbers, infinities and NaN are ordered as their bits.
            lowest = bits(below)
            ends = (bits(loss) - lowest) >= (infinite - lowest)
        else:
            ends = criterion(patterns, loss, outputs, errors, below) | ~(loss < infinity)
        if not any_lane(ends | still):
            return True
        active = load(control, ACTIVE_FLAG) > 0.0
        still = still & (loss == load(previous, 0)) & active
        unit = unit_rows()
        for h in range(n_hidden):
            if not any_lane(still):
                break
            for k in range(n_rows):
                store(unit, k, load(parameters, h * n_rows + k))
            still = still & ~backward_unit(patterns, unit, hidden, gradients, learning_rate, h)
        return not any_lane((ends & active) | still)

    return all_go_on
