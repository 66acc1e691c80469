"""One training step of the networks of a batch, hidden unit by hidden unit."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from kernels.activations import ELEMENTARY
from kernels.architecture import Architecture
from kernels.backward import make_backward_unit, make_next_output_bias, make_output_gradients
from kernels.batch import LEARNING_RATE, Patterns, PatternSource, Signals
from kernels.forward import make_finish_outputs, make_forward_unit
from kernels.losses import make_total_loss
from kernels.relu import ReluForms
from kernels.simd.jit import device
from kernels.simd.lanes import Lanes, Mask, Memory, Rows


@cache
def make_forward(
    architecture: Architecture,
    known: PatternSource,
    memory: Memory,
    fixed_hidden: int | None,
    forms: ReluForms | None,
    group: int,
    quick: bool,
) -> Callable[[Patterns, Rows, Signals, int], None]:
    """Return the forward pass.

    The function takes ``(patterns, parameters, signals, n_hidden)``, reads the
    parameters and writes activations, outputs and errors. A hidden size that is fixed
    unrolls the loop over units; see :class:`kernels.tuning.Tuning` for ``group`` and
    :func:`kernels.forward.make_finish_outputs` for ``quick``.
    """
    forward_unit = make_forward_unit(architecture, known, memory, forms)
    finish_outputs = make_finish_outputs(architecture, known, memory, quick)
    store, n_outputs = memory.store, architecture.outputs
    count = 1 if architecture.activation in ELEMENTARY else group  # else what a unit needs would spill

    @device
    def forward(patterns: Patterns, parameters: Rows, signals: Signals, n_hidden: int) -> None:
        if fixed_hidden is not None:
            n_hidden = fixed_hidden
        for k in range(known(patterns).inputs.shape[0] * n_outputs):
            store(signals.outputs, k, -0.0)
        in_groups = n_hidden - n_hidden % count
        for first in range(0, in_groups, count):
            for j in range(count):
                forward_unit(patterns, parameters, signals.hidden, signals.outputs, first + j)
        for h in range(in_groups, n_hidden):
            forward_unit(patterns, parameters, signals.hidden, signals.outputs, h)
        finish_outputs(patterns, parameters, signals, n_hidden)

    return forward


@cache
def make_advance(
    architecture: Architecture,
    known: PatternSource,
    loss: str,
    judged: bool,
    memory: Memory,
    fixed_hidden: int | None,
    forms: ReluForms | None,
    one_pass: bool,
    group: int,
    quick: bool,
) -> Callable[[Patterns, Rows, Signals, Rows, int], Mask]:
    """Return backpropagation and update, in ``one_pass`` with the next forward pass.

    The function takes ``(patterns, parameters, signals, control, n_hidden)``, signals as
    left by a forward pass. It returns the lanes where some parameter changed, which
    costs nothing where nobody asks.

    Notes
    -----
    In one pass a unit goes forward when the next one has been updated: neither waits
    for the other.
    """
    output_gradients = make_output_gradients(architecture, known, loss, memory, quick)
    next_output_bias = make_next_output_bias(architecture, known, memory)
    backward_unit = make_backward_unit(architecture, known, memory, forms)
    forward_unit = make_forward_unit(architecture, known, memory, forms)
    finish_outputs = make_finish_outputs(architecture, known, memory, quick=False)
    total_loss = make_total_loss(loss, known, memory)
    load, store = memory.load, memory.store
    n_rows, n_outputs = architecture.n_unit_parameters, architecture.outputs
    n_biases = n_outputs * architecture.bias
    unit_rows = memory.stack(n_rows)

    @device
    def go_back(
        patterns: Patterns, parameters: Rows, hidden: Rows, gradients: Rows, learning_rate: Lanes, h: int
    ) -> Mask:
        unit = unit_rows()
        for k in range(n_rows):
            store(unit, k, load(parameters, h * n_rows + k))
        changed = backward_unit(patterns, unit, hidden, gradients, learning_rate, h)
        for k in range(n_rows):
            store(parameters, h * n_rows + k, load(unit, k))
        return changed

    @device
    def advance(patterns: Patterns, parameters: Rows, signals: Signals, control: Rows, n_hidden: int) -> Mask:
        outputs, errors, gradients, hidden, previous = signals
        learning_rate = load(control, LEARNING_RATE)
        if fixed_hidden is not None:
            n_hidden = fixed_hidden
        if judged:
            store(previous, 0, total_loss(patterns, errors))
        output_gradients(patterns, outputs, errors, gradients)
        changed = learning_rate != learning_rate
        for o in range(n_biases):
            row = n_hidden * n_rows + o
            new = next_output_bias(patterns, parameters, gradients, learning_rate, n_hidden, o)
            changed = changed | (new != load(parameters, row))
            store(parameters, row, new)
        if one_pass:
            for k in range(known(patterns).inputs.shape[0] * n_outputs):
                store(outputs, k, -0.0)
            for h in range(n_hidden + 1):
                if h < n_hidden:
                    changed = changed | go_back(patterns, parameters, hidden, gradients, learning_rate, h)
                if h > 0:
                    forward_unit(patterns, parameters, hidden, outputs, h - 1)
            finish_outputs(patterns, parameters, signals, n_hidden)
            return changed
        in_groups = n_hidden - n_hidden % group
        for first in range(0, in_groups, group):
            for j in range(group):
                changed = changed | go_back(patterns, parameters, hidden, gradients, learning_rate, first + j)
        for h in range(in_groups, n_hidden):
            changed = changed | go_back(patterns, parameters, hidden, gradients, learning_rate, h)
        return changed

    return advance
