"""One training step of all lanes, hidden unit by hidden unit."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from kernels import lanes
from kernels.architecture import Architecture
from kernels.backward import make_backward_unit, make_next_output_biases, make_output_gradients
from kernels.batch import Patterns, PatternSource, Signals
from kernels.forward import make_finish_outputs, make_forward_unit
from kernels.jit import device
from kernels.lanes import Lanes, Mask, Rows


@cache
def make_conclude(
    architecture: Architecture,
    known: PatternSource,
    loss: str,
    dtype: str,
    width: int,
) -> Callable[[Patterns, Rows, Signals, Lanes, int], None]:
    """Return the end of a forward pass, from sums over hidden units to what the next update wants to know.

    The function takes ``(patterns, parameters, signals, learning_rate, n_hidden)`` with
    the sums in the rows of the outputs.
    """
    finish_outputs = make_finish_outputs(architecture, known, dtype, width)
    output_gradients = make_output_gradients(architecture, known, loss, dtype, width)
    next_output_biases = make_next_output_biases(architecture, known, dtype, width)

    @device
    def conclude(patterns: Patterns, parameters: Rows, signals: Signals, learning_rate: Lanes, n_hidden: int) -> None:
        outputs, gradients, next_biases, _ = signals
        finish_outputs(patterns, parameters, outputs, n_hidden)
        output_gradients(patterns, outputs, gradients)
        next_output_biases(patterns, parameters, gradients, learning_rate, n_hidden, next_biases)

    return conclude


@cache
def make_forward(
    architecture: Architecture,
    known: PatternSource,
    loss: str,
    dtype: str,
    width: int,
    fixed_hidden: int | None,
    nan_watched: bool,
) -> Callable[[Patterns, Rows, Signals, Lanes, int], None]:
    """Return the forward pass of ``width`` networks.

    The function takes ``(patterns, parameters, signals, learning_rate, n_hidden)``,
    reads the parameters and writes all signals.
    """
    forward_unit = make_forward_unit(architecture, known, dtype, width, nan_watched)
    conclude = make_conclude(architecture, known, loss, dtype, width)
    memory = lanes.memory(dtype, width)
    load, store = memory.load, memory.store
    n_rows = architecture.n_unit_parameters
    unit_rows = lanes.stack(dtype, width, n_rows)
    n_outputs = architecture.outputs

    @device
    def forward(patterns: Patterns, parameters: Rows, signals: Signals, learning_rate: Lanes, n_hidden: int) -> None:
        unit = unit_rows()
        if fixed_hidden is not None:
            n_hidden = fixed_hidden
        for k in range(known(patterns).inputs.shape[0] * n_outputs):
            store(signals.outputs, k, -0.0)
        for h in range(n_hidden):
            for k in range(n_rows):
                store(unit, k, load(parameters, h * n_rows + k))
            forward_unit(patterns, unit, signals.hidden, signals.outputs, h)
        conclude(patterns, parameters, signals, learning_rate, n_hidden)

    return forward


@cache
def make_advance(
    architecture: Architecture,
    known: PatternSource,
    loss: str,
    dtype: str,
    width: int,
    fixed_hidden: int | None,
    nan_watched: bool,
) -> Callable[[Patterns, Rows, Signals, Lanes, int], Mask]:
    """Return one whole step of ``width`` networks: backpropagation, update and the next forward pass.

    The function takes ``(patterns, parameters, signals, learning_rate, n_hidden)``,
    signals as left by a forward pass, and leaves them so. It returns the lanes where
    some parameter changed, which costs nothing where nobody asks. Each unit goes
    forward as soon as it is updated, while its parameters are in registers. A hidden
    size that is fixed unrolls the loop.
    """
    backward_unit = make_backward_unit(architecture, known, dtype, width)
    forward_unit = make_forward_unit(architecture, known, dtype, width, nan_watched)
    conclude = make_conclude(architecture, known, loss, dtype, width)
    memory = lanes.memory(dtype, width)
    load, store = memory.load, memory.store
    n_rows, n_outputs = architecture.n_unit_parameters, architecture.outputs
    n_biases = n_outputs * architecture.bias
    unit_rows = lanes.stack(dtype, width, n_rows)

    @device
    def advance(patterns: Patterns, parameters: Rows, signals: Signals, learning_rate: Lanes, n_hidden: int) -> Mask:
        unit = unit_rows()
        if fixed_hidden is not None:
            n_hidden = fixed_hidden
        changed = learning_rate != learning_rate
        for o in range(n_biases):
            row, new = n_hidden * n_rows + o, load(signals.next_biases, o)
            changed = changed | (new != load(parameters, row))
            store(parameters, row, new)
        for k in range(known(patterns).inputs.shape[0] * n_outputs):
            store(signals.outputs, k, -0.0)
        for h in range(n_hidden):
            for k in range(n_rows):
                store(unit, k, load(parameters, h * n_rows + k))
            changed = changed | backward_unit(patterns, unit, signals.hidden, signals.gradients, learning_rate, h)
            for k in range(n_rows):
                store(parameters, h * n_rows + k, load(unit, k))
            forward_unit(patterns, unit, signals.hidden, signals.outputs, h)
        conclude(patterns, parameters, signals, learning_rate, n_hidden)
        return changed

    return advance
