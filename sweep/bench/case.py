"""What every peer trains: named cases, which specify networks fully."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.recipe import Architecture, Hidden, sizes_of
from sweep.study.data.tasks import xor

Array = NDArray[Any]

ACTIVATIONS = ("relu", "tanh", "sigmoid")
DTYPES = ("float64", "float32")

# Hyperparameters of optimizers are the usual ones.
MOMENTUM, BETA1, BETA2, EPS = 0.9, 0.9, 0.999, 1e-8


class Layer(NamedTuple):
    """Parameters of a layer of many networks; biases may be None."""

    weights: Array  # (networks, units below, units)
    biases: Any  # (networks, units), or None


@dataclass(frozen=True)
class Case:
    """One kind of network, in the terms of :mod:`kernels.recipe`, trained for a fixed number of steps.

    Network k starts from the numbers of ``numpy.random.RandomState(k).randn``, as xor-sweep does for seed k.
    """

    hidden: Hidden
    dtype: str = "float64"
    activation: str = "relu"
    steps: int = 500  # updates
    learning_rate: float = 0.01
    name: str = "xor"  # a key of CASES, also shown to users
    patterns: str = "xor"  # what networks learn, a key of PATTERNS
    output: str = "identity"
    bias: bool = True
    scaling: str = "standard"
    gain: float = 1.0
    loss: str = "squared"  # or "half_squared"
    reduction: str = "sum"  # or "mean"
    optimizer: str = "gd"  # or "momentum" or "adam", with the usual hyperparameters
    batch: int | None = None  # patterns per step, in file order, a divisor of their number; None for all

    @staticmethod
    def of(given: dict[str, Any]) -> Case:
        """Return the case of these fields, where JSON may have turned the units of several layers into a list."""
        hidden = given["hidden"]
        return Case(**given | {"hidden": tuple(hidden) if isinstance(hidden, list) else hidden})

    @property
    def title(self) -> str:
        """A title of the case, without its size."""
        return f"{self.name}, {self.activation}, {self.dtype}"

    @property
    def size(self) -> str:
        """Hidden units of each layer, as text."""
        return "-".join(map(str, sizes_of(self.hidden)))

    @property
    def is_plain_xor(self) -> bool:
        """Whether this is XOR learned by gradient descent on the sum of squared errors, with one hidden layer."""
        return isinstance(self.hidden, int) and replace(self, name="xor") == Case(
            self.hidden, self.dtype, self.activation, self.steps, self.learning_rate
        )

    @property
    def inputs(self) -> Array:
        """Patterns, (patterns, inputs)."""
        return PATTERNS[self.patterns]()[0].astype(self.dtype)

    @property
    def targets(self) -> Array:
        """Targets, (patterns, outputs)."""
        return PATTERNS[self.patterns]()[1].astype(self.dtype)

    @property
    def windows(self) -> list[tuple[Array, Array]]:
        """Inputs and targets of each step of an epoch."""
        inputs, targets = self.inputs, self.targets
        size = self.batch or len(inputs)
        return [(inputs[n : n + size], targets[n : n + size]) for n in range(0, len(inputs), size)]

    @property
    def architecture(self) -> Architecture:
        """The architecture of the network, without its size."""
        n_inputs, n_outputs = (part.shape[1] for part in PATTERNS[self.patterns]())
        return Architecture(
            n_inputs,
            n_outputs,
            self.activation,
            self.output,
            bias=self.bias,
            skip=False,
            scaling=self.scaling,
            deep=isinstance(self.hidden, tuple),
        )

    @property
    def scales(self) -> tuple[float, ...]:
        """The factors of the sums of each layer, including the gain."""
        hidden, output = self.architecture.scales(self.hidden)
        return *(self.gain * scale for scale in hidden), output

    @property
    def functions(self) -> tuple[str, ...]:
        """The activation of each layer."""
        return *(self.activation for _ in sizes_of(self.hidden)), self.output

    def loss_scale(self, n_patterns: int) -> float:
        """Return the factor of the sum of squared errors over some patterns."""
        half = 0.5 if self.loss == "half_squared" else 1.0
        return half if self.reduction == "sum" else half / (n_patterns * self.architecture.outputs)

    @property
    def n_parameters(self) -> int:
        """Parameters of one network."""
        return self.architecture.n_parameters(self.hidden)

    def study_tables(self, n_networks: int) -> dict[str, Any]:
        """Return the study whose runs are networks 0 to ``n_networks`` - 1, as tables of the study file.

        Options with default values are left out, so that earlier versions can read studies that they can train.
        """
        default = Case(self.hidden)
        own = {name: value for name, value in vars(self).items() if value != vars(default)[name]}
        of_network = "activation", "output", "bias", "dtype", "scaling", "gain"
        network = {name: value for name, value in own.items() if name in of_network}
        training = {name: value for name, value in own.items() if name in ("optimizer", "batch")}
        if self.optimizer == "momentum":
            training["momentum"] = MOMENTUM
        if self.loss != default.loss:
            training |= {"loss": self.loss, "reduction": self.reduction}
        elif self.reduction != default.reduction:
            training["loss"] = "mse"
        return {
            "data": {"inputs": self.inputs.tolist(), "targets": self.targets.tolist()},
            "network": {"hidden": self.hidden if isinstance(self.hidden, int) else self.size, **network},
            "training": {"learning_rate": self.learning_rate, "max_steps": self.steps, **training},
            "convergence": {"criterion": "none"},
            "seeds": {"count": n_networks},
        }

    def initial_weights(self, n_networks: int, first: int = 0) -> Array:
        """Draw the parameters of ``n_networks`` networks from ``first`` on with NumPy: all weights, then all biases."""
        rows = np.empty((n_networks, self.n_parameters))
        for seed, row in enumerate(rows, first):
            row[:] = np.random.RandomState(seed).randn(row.size)
        return rows.astype(self.dtype)

    def split(self, weights: Array) -> tuple[Layer, ...]:
        """View rows of parameters by layer, from the inputs up."""
        shapes = list(self.architecture.shapes(self.hidden).values())
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        arrays = np.split(weights, ends[:-1], axis=1)
        parts = [part.reshape(-1, *shape) for part, shape in zip(arrays, shapes, strict=True)]
        n_layers = len(self.functions)
        return tuple(map(Layer, parts[:n_layers], parts[n_layers:] if self.bias else [None] * n_layers))


@cache
def _xor() -> tuple[Array, Array]:
    inputs, targets = xor()
    return np.array(inputs), np.array(targets)


@cache
def _parity(n_bits: int) -> tuple[Array, Array]:
    """Return all patterns of bits, -1 or 1, and whether the number of ones is odd."""
    bits = np.array(list(product((0, 1), repeat=n_bits)))
    return 2.0 * bits - 1, bits.sum(axis=1, keepdims=True) % 2.0


@cache
def _noise() -> tuple[Array, Array]:
    """Return as many patterns of noise as 16-16-1 networks without biases have parameters."""
    numbers = np.random.RandomState(0).randn(272, 17)
    return numbers[:, :16], numbers[:, 16:]


PATTERNS: dict[str, Callable[[], tuple[Array, Array]]] = {
    "xor": _xor,
    **{f"parity{n_bits}": partial(_parity, n_bits) for n_bits in range(3, 7)},
    "noise": _noise,
}

# With these rates almost no network diverges: one that did would end before its last step, in xor-sweep alone.
CASES = {
    case.name: case
    for case in (
        Case(2),
        Case(8, name="xor-momentum", optimizer="momentum", learning_rate=0.001),
        Case(8, name="xor-adam", optimizer="adam"),
        Case(8, name="xor-online", batch=1, steps=2000),
        # N-N-1 logistic as in hinton-problems' n-bit-parity, but with plain gradient descent.
        Case(
            5,
            name="parity5",
            patterns="parity5",
            activation="sigmoid",
            output="sigmoid",
            loss="half_squared",
            reduction="mean",
            learning_rate=0.5,
            steps=1000,
        ),
        # Sohl-Dickstein 2024, 'The boundary of neural network trainability is fractal' (arXiv 2402.06184).
        Case(
            16,
            name="trainability",
            patterns="noise",
            activation="tanh",
            bias=False,
            scaling="mean_field",
            gain=2**0.5,
            reduction="mean",
            learning_rate=1.0,
        ),
        # Several hidden layers: the networks of many tutorials, and one of large matrices.
        Case((8, 8), activation="tanh", name="deep-adam", optimizer="adam"),
        Case((16, 16), name="deep-noise", patterns="noise", reduction="mean"),
        # How the time of a step grows with the number of patterns.
        *(
            Case(n_bits, name=f"relu-parity{n_bits}", patterns=f"parity{n_bits}", learning_rate=0.001)
            for n_bits in range(3, 7)
        ),
    )
}
