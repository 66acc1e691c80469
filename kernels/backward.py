"""The backward pass of one training step, updating parameters as it goes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from kernels import lanes
from kernels.activations import activation
from kernels.architecture import Architecture
from kernels.batch import Patterns
from kernels.jit import device
from kernels.lanes import Lanes, Mask, Rows
from kernels.losses import LOSSES
from kernels.update import gradient_descent


@cache
def make_backward(architecture: Architecture, loss: str, dtype: str, width: int) -> Callable[..., Mask]:
    """Return backpropagation and update of ``width`` networks.

    The function takes ``(patterns, parameters, hidden, outputs, gradients,
    learning_rate, n_hidden)``, hidden and outputs as left by the forward pass. It
    writes the gradients with respect to the outputs, updates the parameters and
    returns the lanes where some parameter changed.
    """
    n_inputs, n_outputs, bias = architecture.inputs, architecture.outputs, architecture.bias
    hidden_chain = activation(architecture.activation, dtype).chain
    output_chain = activation(architecture.output, dtype).chain
    loss_gradient = LOSSES[loss].gradient
    update = gradient_descent(dtype, width)
    memory = lanes.memory(dtype, width)
    load, store, fill = memory.load, memory.store, memory.fill
    input_gradients = lanes.stack(dtype, width, n_inputs)
    output_weights = lanes.stack(dtype, width, n_outputs)
    output_gradients = lanes.stack(dtype, width, n_outputs)

    @device
    def backward(
        patterns: Patterns,
        parameters: Rows,
        hidden: Rows,
        outputs: Rows,
        gradients: Rows,
        learning_rate: Lanes,
        n_hidden: int,
    ) -> Mask:
        inputs, targets, used = patterns.inputs, patterns.targets, patterns.used
        n_patterns = inputs.shape[0]
        second, third = n_inputs * n_hidden, (n_inputs + n_outputs) * n_hidden
        gw, v, gv = input_gradients(), output_weights(), output_gradients()
        changed = learning_rate != learning_rate
        for n in range(n_patterns):
            for o in range(n_outputs):
                k = n * n_outputs + o
                y = load(outputs, k)
                store(gradients, k, output_chain(loss_gradient(y, targets[n, o], n_patterns * n_outputs), y))
        for h in range(n_hidden):
            for i in range(n_inputs):
                store(gw, i, -0.0)
            for o in range(n_outputs):
                store(v, o, load(parameters, second + h * n_outputs + o))
                store(gv, o, -0.0)
            gb = fill(-0.0)
            for n in range(n_patterns):
                a = load(hidden, h * n_patterns + n)
                back = fill(-0.0)
                for o in range(n_outputs):
                    g = load(gradients, n * n_outputs + o)
                    store(gv, o, load(gv, o) + a * g)
                    back = back + g * load(v, o)
                delta = hidden_chain(back, a)
                gb = gb + delta
                for i in range(n_inputs):
                    if used[n, i]:
                        store(gw, i, load(gw, i) + inputs[n, i] * delta)
            for i in range(n_inputs):
                changed = changed | update(parameters, i * n_hidden + h, load(gw, i), learning_rate)
            for o in range(n_outputs):
                changed = changed | update(parameters, second + h * n_outputs + o, load(gv, o), learning_rate)
            if bias:
                changed = changed | update(parameters, third + h, gb, learning_rate)
        if bias:
            for o in range(n_outputs):
                gc = fill(-0.0)
                for n in range(n_patterns):
                    gc = gc + load(gradients, n * n_outputs + o)
                changed = changed | update(parameters, third + n_hidden + o, gc, learning_rate)
        return changed

    return backward
