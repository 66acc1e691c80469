"""The backward pass of one training step, updating parameters as it goes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from kernels.activations import activation
from kernels.architecture import Architecture
from kernels.batch import Patterns, PatternSource
from kernels.losses import LOSSES
from kernels.relu import ReluForms, make_kept
from kernels.simd.jit import device
from kernels.simd.lanes import Lanes, Mask, Memory, Rows
from kernels.update import gradient_descent


@cache
def make_output_gradients(
    architecture: Architecture, known: PatternSource, loss: str, memory: Memory, quick: bool
) -> Callable[[Patterns, Rows, Rows, Rows], None]:
    """Return the first part of backpropagation.

    The function takes ``(patterns, outputs, errors, gradients)``, rows of
    :class:`kernels.batch.Signals`, and writes the gradients. If the forward pass was
    ``quick``, it left errors doubled.
    """
    chain = activation(architecture.output, memory.dtype).chain
    loss_gradient = LOSSES[loss].gradient
    load, store = memory.load, memory.store

    @device
    def output_gradients(patterns: Patterns, outputs: Rows, errors: Rows, gradients: Rows) -> None:
        count = known(patterns).targets.size
        for k in range(count):
            twice = load(errors, k) if quick else 2.0 * load(errors, k)
            store(gradients, k, chain(loss_gradient(twice, count), load(outputs, k)))

    return output_gradients


@cache
def make_backward_unit(
    architecture: Architecture, known: PatternSource, memory: Memory, forms: ReluForms | None
) -> Callable[[Patterns, Rows, Rows, Rows, Lanes, int], Mask]:
    """Return backpropagation through one hidden unit, and its update.

    The function takes ``(patterns, unit, hidden, gradients, learning_rate, h)``,
    updates the rows of ``unit`` and returns the lanes where one of them changed.
    """
    n_inputs, n_outputs, bias = architecture.inputs, architecture.outputs, architecture.bias
    chain = activation(architecture.activation, memory.dtype).chain  # of a gated z as of its ReLU
    _, load_kept, weigh = make_kept(architecture, memory, forms)
    load, store = memory.load, memory.store
    n_rows = architecture.n_unit_parameters
    unit_gradients = memory.stack(n_rows)

    @device
    def backward_unit(
        patterns: Patterns, unit: Rows, hidden: Rows, gradients: Rows, learning_rate: Lanes, h: int
    ) -> Mask:
        inputs, _, used, _ = known(patterns)
        n_patterns = inputs.shape[0]
        sums = unit_gradients()
        for k in range(n_rows):
            store(sums, k, -0.0)
        for n in range(n_patterns):
            a = load_kept(unit, hidden, h * n_patterns + n, n)
            back = load(gradients, n * n_outputs) * load(unit, n_inputs)
            for o in range(1, n_outputs):
                back = back + load(gradients, n * n_outputs + o) * load(unit, n_inputs + o)
            delta = chain(back, a)
            for i in range(n_inputs):
                if used[n, i]:
                    store(sums, i, load(sums, i) + inputs[n, i] * delta)
            for o in range(n_outputs):
                k = n_inputs + o
                store(sums, k, load(sums, k) + weigh(a, load(gradients, n * n_outputs + o), n))
            if bias:
                store(sums, n_rows - 1, load(sums, n_rows - 1) + delta)
        changed = learning_rate != learning_rate
        for k in range(n_rows):
            old = load(unit, k)
            new = gradient_descent(old, load(sums, k), learning_rate)
            store(unit, k, new)
            changed = changed | (new != old)
        return changed

    return backward_unit


@cache
def make_next_output_bias(
    architecture: Architecture, known: PatternSource, memory: Memory
) -> Callable[[Patterns, Rows, Rows, Lanes, int, int], Lanes]:
    """Return the update of one output bias, made but not yet applied.

    The function takes ``(patterns, parameters, gradients, learning_rate, n_hidden, o)``
    and returns bias o after the update.
    """
    n_outputs = architecture.outputs
    load, fill = memory.load, memory.fill
    n_rows = architecture.n_unit_parameters

    @device
    def next_output_bias(
        patterns: Patterns, parameters: Rows, gradients: Rows, learning_rate: Lanes, n_hidden: int, o: int
    ) -> Lanes:
        gradient = fill(-0.0)
        for n in range(known(patterns).inputs.shape[0]):
            gradient = gradient + load(gradients, n * n_outputs + o)
        return gradient_descent(load(parameters, n_hidden * n_rows + o), gradient, learning_rate)

    return next_output_bias
