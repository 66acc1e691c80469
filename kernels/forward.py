"""The forward pass of one training step."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from kernels.activations import make_activate
from kernels.architecture import Architecture
from kernels.batch import Patterns, PatternSource, Signals
from kernels.losses import twice_the_error
from kernels.relu import ReluForms, make_activate_relu, make_kept
from kernels.simd.jit import device
from kernels.simd.lanes import Memory, Rows


@cache
def make_forward_unit(
    architecture: Architecture, known: PatternSource, memory: Memory, forms: ReluForms | None
) -> Callable[..., None]:
    """Return what one hidden unit does in the forward pass.

    The function takes ``(patterns, parameters, hidden, outputs, h)``. It writes the
    activations of hidden unit h to rows of ``hidden``, or what :class:`kernels.relu.Kept`
    has in their place, and adds its share to the sums in ``outputs``. Where ``known`` gives
    constants, the loops unroll, zeros vanish and ones become additions.

    Notes
    -----
    A sum that starts at -0 equals the sum that starts at its first term, since
    -0 + x is x for every x, and LLVM knows it.
    """
    n_inputs, n_outputs, bias = architecture.inputs, architecture.outputs, architecture.bias
    activation = architecture.activation
    activate = make_activate_relu(known, memory, forms) if forms else make_activate(activation, known, memory)
    store_kept, load_kept, weigh = make_kept(architecture, memory, forms)
    load, store, fill = memory.load, memory.store, memory.fill
    n_rows = architecture.n_unit_parameters
    unit_rows = memory.stack(n_rows)

    @device
    def forward_unit(patterns: Patterns, parameters: Rows, hidden: Rows, outputs: Rows, h: int) -> None:
        inputs, _, used, _ = known(patterns)
        n_patterns = inputs.shape[0]
        unit = unit_rows()  # in registers, whatever is written to memory
        for k in range(n_rows):
            store(unit, k, load(parameters, h * n_rows + k))
        for n in range(n_patterns):
            z = fill(-0.0)
            for i in range(n_inputs):
                if used[n, i]:
                    z = z + inputs[n, i] * load(unit, i)
            if bias:
                z = z + load(unit, n_inputs + n_outputs)
            store_kept(hidden, h * n_patterns + n, n, z)
        activate(patterns, hidden, h * n_patterns)
        for n in range(n_patterns):
            a = load_kept(unit, hidden, h * n_patterns + n, n)
            for o in range(n_outputs):
                k = n * n_outputs + o
                store(outputs, k, load(outputs, k) + weigh(a, load(unit, n_inputs + o), n))

    return forward_unit


@cache
def make_finish_outputs(
    architecture: Architecture, known: PatternSource, memory: Memory, quick: bool
) -> Callable[[Patterns, Rows, Signals, int], None]:
    """Return the step from sums over hidden units to outputs and errors.

    The function takes ``(patterns, parameters, signals, n_hidden)``, overwrites the sums in
    ``signals.outputs`` and writes the errors. If it is ``quick``, for outputs that are no more
    than sums, it leaves those as they are and writes doubled errors, which backpropagation
    wants. They are exact, or not finite.
    """
    n_outputs, bias = architecture.outputs, architecture.bias
    activate = make_activate(architecture.output, known, memory, per_pattern=n_outputs)
    load, store, fill = memory.load, memory.store, memory.fill
    n_rows = architecture.n_unit_parameters

    @device
    def finish_outputs(patterns: Patterns, parameters: Rows, signals: Signals, n_hidden: int) -> None:
        targets = known(patterns).targets
        for n in range(targets.shape[0]):
            for o in range(n_outputs):
                k = n * n_outputs + o
                u = load(signals.outputs, k)
                c = load(parameters, n_hidden * n_rows + o) if bias else fill(-0.0)
                if quick:
                    store(signals.errors, k, twice_the_error(u, c, targets[n, o]))
                else:
                    store(signals.outputs, k, u + c)
        if not quick:
            activate(patterns, signals.outputs, 0)
            for n in range(targets.shape[0]):
                for o in range(n_outputs):
                    k = n * n_outputs + o
                    store(signals.errors, k, load(signals.outputs, k) - targets[n, o])

    return finish_outputs
