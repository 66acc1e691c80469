"""The forward pass of one training step."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from kernels import lanes
from kernels.activations import activation
from kernels.architecture import Architecture
from kernels.batch import Patterns
from kernels.jit import device
from kernels.lanes import Rows


@cache
def make_forward(architecture: Architecture, dtype: str, width: int) -> Callable[..., None]:
    """Return the forward pass of ``width`` networks.

    The function takes ``(patterns, parameters, hidden, outputs, n_hidden)``, reads
    the parameters and writes hidden activations and outputs, all rows as in
    :class:`kernels.batch.Workspace`. Where the patterns are constants of the
    calling kernel, the loops over patterns and inputs unroll, zeros vanish and
    ones become additions.

    Notes
    -----
    A sum that starts at -0 equals the sum that starts at its first term, since
    -0 + x is x for every x, and LLVM knows it.
    """
    n_inputs, n_outputs, bias = architecture.inputs, architecture.outputs, architecture.bias
    hidden_value = activation(architecture.activation, dtype).value
    output_value = activation(architecture.output, dtype).value
    memory = lanes.memory(dtype, width)
    load, store, fill = memory.load, memory.store, memory.fill
    input_weights = lanes.stack(dtype, width, n_inputs)
    output_weights = lanes.stack(dtype, width, n_outputs)

    @device
    def forward(patterns: Patterns, parameters: Rows, hidden: Rows, outputs: Rows, n_hidden: int) -> None:
        inputs, used = patterns.inputs, patterns.used
        n_patterns = inputs.shape[0]
        second, third = n_inputs * n_hidden, (n_inputs + n_outputs) * n_hidden
        w, v = input_weights(), output_weights()
        for k in range(n_patterns * n_outputs):
            store(outputs, k, -0.0)
        for h in range(n_hidden):
            for i in range(n_inputs):
                store(w, i, load(parameters, i * n_hidden + h))
            for o in range(n_outputs):
                store(v, o, load(parameters, second + h * n_outputs + o))
            if bias:
                b = load(parameters, third + h)
            for n in range(n_patterns):
                z = fill(-0.0)
                for i in range(n_inputs):
                    if used[n, i]:
                        z = z + inputs[n, i] * load(w, i)
                if bias:
                    z = z + b
                a = hidden_value(z)
                store(hidden, h * n_patterns + n, a)
                for o in range(n_outputs):
                    k = n * n_outputs + o
                    store(outputs, k, load(outputs, k) + a * load(v, o))
        for n in range(n_patterns):
            for o in range(n_outputs):
                k = n * n_outputs + o
                u = load(outputs, k)
                if bias:
                    u = u + load(parameters, third + n_hidden + o)
                store(outputs, k, output_value(u))

    return forward
