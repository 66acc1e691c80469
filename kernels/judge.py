"""Which lanes end at a step, and whether any might."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from kernels import lanes
from kernels.architecture import Architecture
from kernels.batch import Patterns, PatternSource, Signals
from kernels.criteria import make_criterion
from kernels.jit import device
from kernels.lanes import Lanes, Mask, Rows, any_lane
from kernels.losses import make_total_loss


@cache
def make_judge(
    known: PatternSource, loss: str, criterion_name: str, dtype: str, width: int
) -> Callable[[Patterns, Rows, Lanes, Lanes, Mask], tuple[Lanes, Mask, Mask, Mask]]:
    """Return the judge of a step before its update.

    The function takes ``(patterns, outputs, below, previous, active)`` and returns the
    loss, and the lanes that converged, that end before the update, and that have
    stalled if the update changes nothing. Without a criterion none stalls.
    """
    criterion = make_criterion(criterion_name, known, dtype, width)
    total_loss = make_total_loss(loss, known, dtype, width)
    judged = criterion_name != "none"
    infinity = np.inf

    @device
    def judge(
        patterns: Patterns, outputs: Rows, below: Lanes, previous: Lanes, active: Mask
    ) -> tuple[Lanes, Mask, Mask, Mask]:
        loss = total_loss(patterns, outputs)
        converged = criterion(loss, outputs, patterns, below)
        ended = (converged | ~(loss < infinity)) & active
        repeated = (loss == previous) & active if judged else active & ~active
        return loss, converged, ended, repeated

    return judge


@cache
def make_all_go_on(
    architecture: Architecture,
    known: PatternSource,
    criterion_name: str,
    dtype: str,
    width: int,
    fixed_hidden: int | None,
) -> Callable[[Patterns, Rows, Signals, Lanes, Lanes, Lanes, int], bool]:
    """Return a cheap test that no lane ends at a step, for networks with a criterion.

    The function takes ``(patterns, parameters, signals, loss, below, previous,
    n_hidden)``. If it is false, the judge must look. A network that has stalled keeps
    its first output bias, and few others do; that its loss repeats says less, since
    near a minimum the loss is flat. Idle lanes are tested too, which is cheaper.
    """
    criterion = make_criterion(criterion_name, known, dtype, width)
    load = lanes.memory(dtype, width).load
    n_rows, bias = architecture.n_unit_parameters, architecture.bias
    infinity = np.inf

    @device
    def all_go_on(
        patterns: Patterns,
        parameters: Rows,
        signals: Signals,
        loss: Lanes,
        below: Lanes,
        previous: Lanes,
        n_hidden: int,
    ) -> bool:
        if fixed_hidden is not None:
            n_hidden = fixed_hidden
        if bias:
            still = load(signals.next_biases, 0) == load(parameters, n_hidden * n_rows)
        else:
            still = loss == previous
        converged = criterion(loss, signals.outputs, patterns, below)
        return not any_lane(converged | ~(loss < infinity) | still)

    return all_go_on
