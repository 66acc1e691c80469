"""One training step of all lanes, hidden unit by hidden unit."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from kernels import lanes
from kernels.architecture import Architecture
from kernels.backward import make_backward_unit, make_output_gradients, make_update_output_biases
from kernels.batch import Patterns, PatternSource
from kernels.forward import make_finish_outputs, make_forward_unit
from kernels.jit import device
from kernels.lanes import Lanes, Mask, Rows


@cache
def make_forward(
    architecture: Architecture,
    known: PatternSource,
    dtype: str,
    width: int,
    fixed_hidden: int | None,
    nan_watched: bool,
) -> Callable[..., None]:
    """Return the forward pass of ``width`` networks.

    The function takes ``(patterns, parameters, hidden, outputs, n_hidden)``, reads
    the parameters and writes hidden activations and outputs, all rows as in
    :class:`kernels.batch.Workspace`.
    """
    forward_unit = make_forward_unit(architecture, known, dtype, width, nan_watched)
    finish_outputs = make_finish_outputs(architecture, known, dtype, width)
    memory = lanes.memory(dtype, width)
    load, store = memory.load, memory.store
    n_rows = architecture.n_unit_parameters
    unit_rows = lanes.stack(dtype, width, n_rows)
    n_outputs = architecture.outputs

    @device
    def forward(patterns: Patterns, parameters: Rows, hidden: Rows, outputs: Rows, n_hidden: int) -> None:
        unit = unit_rows()
        if fixed_hidden is not None:
            n_hidden = fixed_hidden
        for k in range(known(patterns).inputs.shape[0] * n_outputs):
            store(outputs, k, -0.0)
        for h in range(n_hidden):
            for k in range(n_rows):
                store(unit, k, load(parameters, h * n_rows + k))
            forward_unit(patterns, unit, hidden, outputs, h)
        finish_outputs(patterns, parameters, outputs, n_hidden)

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
) -> Callable[..., Mask]:
    """Return one whole step of ``width`` networks: backpropagation, update and the next forward pass.

    The function takes ``(patterns, parameters, hidden, outputs, gradients,
    learning_rate, n_hidden)``, hidden and outputs as left by a forward pass, and
    leaves them so. It returns the lanes where some parameter changed, which costs
    nothing where nobody asks. Each unit goes forward as soon as it is updated, while
    its parameters are in registers. A hidden size that is fixed unrolls the loop.
    """
    output_gradients = make_output_gradients(architecture, known, loss, dtype, width)
    backward_unit = make_backward_unit(architecture, known, dtype, width)
    update_output_biases = make_update_output_biases(architecture, known, dtype, width)
    forward_unit = make_forward_unit(architecture, known, dtype, width, nan_watched)
    finish_outputs = make_finish_outputs(architecture, known, dtype, width)
    memory = lanes.memory(dtype, width)
    load, store = memory.load, memory.store
    n_rows, n_outputs = architecture.n_unit_parameters, architecture.outputs
    unit_rows = lanes.stack(dtype, width, n_rows)

    @device
    def advance(
        patterns: Patterns,
        parameters: Rows,
        hidden: Rows,
        outputs: Rows,
        gradients: Rows,
        learning_rate: Lanes,
        n_hidden: int,
    ) -> Mask:
        unit = unit_rows()
        if fixed_hidden is not None:
            n_hidden = fixed_hidden
        output_gradients(patterns, outputs, gradients)
        changed = update_output_biases(patterns, parameters, gradients, learning_rate, n_hidden)
        for k in range(known(patterns).inputs.shape[0] * n_outputs):
            store(outputs, k, -0.0)
        for h in range(n_hidden):
            for k in range(n_rows):
                store(unit, k, load(parameters, h * n_rows + k))
            changed = changed | backward_unit(patterns, unit, hidden, gradients, learning_rate, h)
            for k in range(n_rows):
                store(parameters, h * n_rows + k, load(unit, k))
            forward_unit(patterns, unit, hidden, outputs, h)
        finish_outputs(patterns, parameters, outputs, n_hidden)
        return changed

    return advance
