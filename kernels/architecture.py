"""What a network is made of, and where each of its parameters lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Parameters(NamedTuple):
    """Views of the parameters of one network; ``b`` and ``c`` are None without biases."""

    w: NDArray[Any]  # (inputs, hidden)
    v: NDArray[Any]  # (hidden, outputs)
    b: NDArray[Any] | None  # (hidden,)
    c: NDArray[Any] | None  # (outputs,)


@dataclass(frozen=True)
class Architecture:
    """A network of one hidden layer, of any hidden size.

    Parameters are numbered in drawing order: w (inputs, hidden), v (hidden,
    outputs), then with biases b (hidden) and c (outputs). With H hidden units

        w[i, h] is i H + h              b[h] is (inputs + outputs) H + h
        v[h, o] is inputs H + h outputs + o    c[o] is (inputs + outputs + 1) H + o
    """

    inputs: int
    outputs: int
    activation: str
    output: str
    bias: bool

    @property
    def n_unit_parameters(self) -> int:
        """Parameters of one hidden unit: its input weights, output weights, and bias."""
        return self.inputs + self.outputs + self.bias

    def n_parameters(self, hidden: int) -> int:
        """Count the parameters with ``hidden`` hidden units."""
        return self.n_unit_parameters * hidden + self.outputs * self.bias

    def hidden(self, n_parameters: int) -> int:
        """Return the hidden size that has ``n_parameters`` parameters.

        Raises
        ------
        ValueError
            If no hidden size has.
        """
        hidden, rest = divmod(n_parameters - self.outputs * self.bias, self.n_unit_parameters)
        if rest or hidden < 1:
            raise ValueError(f"no hidden size gives {n_parameters} parameters; each unit has {self.n_unit_parameters}")
        return hidden

    def unit_rows(self, hidden: int) -> NDArray[np.int64]:
        """Renumber the parameters unit after unit, as kernels keep them.

        Returns
        -------
        (parameters,)
            The new number of each parameter. Those of unit h are
            w[0, h] .., v[h, 0] .., b[h]; the output biases follow the last unit.
        """
        numbers = np.arange(self.n_parameters(hidden))
        w, v, b, c = self.split(numbers)
        units = [w.T, v] if b is None else [w.T, v, b[:, np.newaxis]]
        order = np.concatenate([np.hstack(units).ravel(), numbers[:0] if c is None else c])
        return np.argsort(order)

    def split(self, row: NDArray[Any]) -> Parameters:
        """View one network's parameters by name."""
        hidden = self.hidden(row.size)
        first, second = self.inputs * hidden, (self.inputs + self.outputs) * hidden
        return Parameters(
            w=row[:first].reshape(self.inputs, hidden),
            v=row[first:second].reshape(hidden, self.outputs),
            b=row[second : second + hidden] if self.bias else None,
            c=row[second + hidden :] if self.bias else None,
        )
