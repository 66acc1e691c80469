"""What the kernel tests share: tasks, seeded batches of runs, and the comparison with the oracle.

The whole suite runs with the JIT and without. Without it a step takes milliseconds, however many networks take it
side by side, so there batches are smaller, shorter and as wide as they are long. With it every kernel takes seconds to
compile, so there ``make test`` takes those cases that cover each word and each way of taking a step, and ``make soak``
takes all.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from kernels.architecture import Architecture
from kernels.batch import SETTINGS, STATUSES, Columns
from kernels.simd import jit
from kernels.train import Outcome, Trainer
from kernels.tuning import Tuning
from tests import oracle
from tests.accuracy import survey

Array = NDArray[Any]
T = TypeVar("T")

ACTIVATIONS = ("relu", "tanh", "sigmoid", "identity")
CRITERIA = ("loss", "max_error", "correct", "none")
DTYPES = ("float64", "float32")

# Every way of taking a step, none of which depends on the machine that runs the tests.
TUNINGS = {
    "maxima": Tuning(),
    "gates": Tuning(gates=True),
    "groups": Tuning(group=4),
    "one pass": Tuning(cache_bytes=0),
    "three batches": Tuning(batches=3),
    "rows of 32 bytes": Tuning(row_bytes=32),
    "rows of 16 bytes": Tuning(row_bytes=16, group=4),
}

# The project's own functions, as the oracle wants them.
FUNCTIONS: dict[str, oracle.Functions] = {
    dtype: {name: partial(survey.apply, name, dtype) for name in ("tanh", "sigmoid")} for dtype in DTYPES
}


def sized(with_jit: T, without: T) -> T:
    """Choose a size for the way in which the kernels run."""
    return with_jit if jit.ENABLED else without


def some_compiled(cases: Iterable[T], compiled: Callable[[T], bool]) -> list[Any]:
    """Give all cases to a test without the JIT, and with it only some to ``make test``, the others to ``make soak``.

    Parameters
    ----------
    cases
        Arguments of the test, tuples if it takes several.
    compiled
        Which cases ``make test`` has time to compile kernels for.
    """
    parameters = []
    for case in cases:
        marks = [pytest.mark.soak] if jit.ENABLED and not compiled(case) else []
        parameters.append(pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=marks))
    return parameters


def _bits(count: int) -> Array:
    return np.array(list(itertools.product((0.0, 1.0), repeat=count)))


def _adder() -> tuple[Array, Array]:
    """Two bits and a carry to sum and carry: 3 inputs, 2 outputs."""
    inputs = _bits(3)
    total = inputs.sum(axis=1)
    return inputs, np.column_stack((total % 2, total // 2))


def _numbers(count: int, seed: int) -> tuple[Array, Array]:
    """Numbers of both signs, some of them 0, 1 or -1; 2 inputs, 2 outputs."""
    random = np.random.default_rng(seed)
    inputs, targets = random.uniform(-2, 2, (2, count, 2))
    inputs[random.random(inputs.shape) < 0.3] = 0.0
    inputs[:2], targets[0] = ((1.0, -1.0), (-0.0, 0.1)), (0.0, -1.0)
    return inputs, targets


TASKS: dict[str, tuple[Array, Array]] = {
    "xor": (_bits(2), _bits(2).sum(axis=1, keepdims=True) % 2),
    "adder": _adder(),
    "numbers": _numbers(6, seed=1),
    # Inputs of 0 alone meet a large error.
    "steep": (np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[-1.3e154], [0.0]])),
    # The square of the last target overflows, in float64 or in float32.
    "far": (np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[0.5], [1e200]])),
    "less far": (np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[0.5], [1.9e19]])),
    # Outputs near a target of 2 or more are large.
    "high": (_bits(2), 2.5 + _bits(2).sum(axis=1, keepdims=True) % 2),
    # Inputs of 0 alone.
    "blank": (np.zeros((1, 2)), np.ones((1, 1))),
    # An infinite product with a finite weight.
    "doubled": (np.array([[2.0, -2.0], [0.5, 1.0]]), np.array([[0.0], [1.0]])),
    # Too many numbers for constants of a kernel:
    "parity": (_bits(5), _bits(5).sum(axis=1, keepdims=True) % 2),
    "many numbers": _numbers(20, seed=2),
    "many bits": (np.tile(_bits(2), (6, 1)), np.tile(_bits(2).sum(axis=1, keepdims=True) % 2, (6, 1))),
}


@dataclass(frozen=True)
class Spec:
    """What all runs of a batch share but the hidden size."""

    activation: str
    output: str = "identity"
    bias: bool = True
    loss: str = "sse"
    criterion: str = "loss"
    dtype: str = "float64"
    task: str = "xor"
    tuning: str = "maxima"

    @property
    def architecture(self) -> Architecture:
        """Give the shape and the functions of the networks."""
        inputs, targets = TASKS[self.task]
        return Architecture(inputs.shape[1], targets.shape[1], self.activation, self.output, self.bias)

    def trainer(self, width: int | None = None) -> Trainer:
        """Make a trainer with copies of the patterns."""
        inputs, targets = (array.copy() for array in TASKS[self.task])
        return Trainer(
            self.architecture,
            inputs,
            targets,
            loss=self.loss,
            criterion=self.criterion,
            dtype=self.dtype,
            width=width,
            tuning=TUNINGS[self.tuning],
        )


@dataclass(frozen=True)
class Batch:
    """Runs: initial weights (R, P), and learning rate, threshold and step limit of each (R,)."""

    weights: Array
    learning_rate: Array
    below: Array
    max_steps: Array

    def __len__(self) -> int:
        """Count the runs."""
        return len(self.weights)

    def __getitem__(self, runs: Any) -> Batch:
        """Select runs by anything that indexes an array to an array."""
        return Batch(self.weights[runs], self.learning_rate[runs], self.below[runs], self.max_steps[runs])

    @property
    def settings(self) -> Array:
        """Lay out what trainers want to know of each run."""
        settings = np.zeros(len(self), SETTINGS)
        settings["learning_rate"] = self.learning_rate
        settings["below"] = self.below
        settings["max_steps"] = self.max_steps
        return settings


def same_settings(
    weights: ArrayLike, dtype: str, learning_rate: float = 0.1, below: float = 1e-3, max_steps: int = 10
) -> Batch:
    """Give every row of ``weights`` the same settings."""
    rows = np.asarray(weights, dtype)
    rates, thresholds = np.full(len(rows), learning_rate), np.full(len(rows), below)
    return Batch(rows, rates, thresholds, np.full(len(rows), max_steps))


def join(*batches: Batch) -> Batch:
    """Put batches one after the other."""
    columns = ("weights", "learning_rate", "below", "max_steps")
    return Batch(*(np.concatenate([getattr(batch, name) for batch in batches]) for name in columns))


def draw_weights(spec: Spec, hidden: int, count: int, seed: int) -> Array:
    """Draw ``count`` networks of ordinary weights."""
    random = np.random.default_rng(seed)
    size = (count, spec.architecture.n_parameters(hidden))
    return random.normal(0.0, random.uniform(0.3, 1.5, (count, 1)), size).astype(spec.dtype)


def draw_batch(spec: Spec, hidden: int, count: int, seed: int, most_steps: int) -> Batch:
    """Draw runs of which some converge, some stall (no update is large enough) and some diverge.

    Of ten runs five have an ordinary learning rate, two one that moves nothing and three one that is too large. A
    fifth of the step limits is 0 or 1. The mixture is shuffled.
    """
    random = np.random.default_rng(seed)
    rate = 10.0 ** random.uniform(-2, 0, count)
    kind = random.permutation(np.arange(count) % 10)
    rate[kind < 2] = 1e-30
    rate[kind >= 7] = 10.0 ** random.uniform(1, 30, int((kind >= 7).sum()))
    below = random.choice((1e-3, 0.1, 0.6, 1.2, 3.0), count)
    max_steps = random.integers(2, most_steps, count, endpoint=True)
    max_steps[random.random(count) < 0.2] = random.integers(0, 2)
    max_steps[0], max_steps[-1] = 0, most_steps
    return Batch(draw_weights(spec, hidden, count, seed + 1), rate, below, max_steps)


def train_kernel(spec: Spec, batch: Batch, width: int | None = None) -> Outcome:
    """Train with the kernels, keeping weights and losses."""
    width = width or sized(None, max(len(batch), 1))
    return spec.trainer(width).train(batch.settings, batch.weights, final_weights=True, losses=True)


def train_bare(spec: Spec, batch: Batch, width: int | None = None) -> Columns:
    """Train with the kernels, keeping neither weights nor losses: then they pause less often."""
    width = width or sized(None, -(-len(batch) // TUNINGS[spec.tuning].batches) or 1)  # so that batches take turns
    return spec.trainer(width).train(batch.settings, batch.weights).columns


def train_oracle(spec: Spec, batch: Batch, functions: oracle.Functions | None = None) -> oracle.Result:
    """Train with the oracle, keeping losses."""
    inputs, targets = TASKS[spec.task]
    return oracle.train(
        inputs,
        targets,
        batch.weights,
        hidden=spec.architecture.hidden(batch.weights.shape[1]),
        activation=spec.activation,
        output=spec.output,
        loss=spec.loss,
        criterion=spec.criterion,
        bias=spec.bias,
        dtype=spec.dtype,
        learning_rate=batch.learning_rate,
        below=batch.below,
        max_steps=batch.max_steps,
        functions=functions or FUNCTIONS[spec.dtype],
        record=True,
    )


@np.errstate(all="ignore")
def predict(spec: Spec, weights: Array) -> Array:
    """Compute the outputs (R, N * O) of networks by the oracle's forward pass."""
    inputs, targets = (array.astype(spec.dtype) for array in TASKS[spec.task])
    hidden = spec.architecture.hidden(weights.shape[1])
    functions = FUNCTIONS[spec.dtype]
    network = oracle.Network(inputs, targets, hidden, spec.activation, spec.output, spec.bias, functions)
    outputs = oracle.forward(network, weights.T).y
    return np.stack([y for pattern in outputs for y in pattern], axis=1)


def statuses(columns: Columns) -> Array:
    """Spell the statuses of outcomes."""
    return np.array((*STATUSES, "retrain"))[columns.status]


def pick(columns: Columns, runs: slice | list[int]) -> Columns:
    """Return what became of some runs."""
    return Columns(*(column[runs] for column in columns))


def as_stored(columns: Columns) -> Columns:
    """Return what became of runs as rows hold it, in double precision."""
    return Columns(*(column.astype("f8") if column.dtype.kind == "f" else column for column in columns))


def assert_equal(given: Array, expected: Array, what: str) -> None:
    """Require arrays of one shape, type and content: == or both NaN."""
    given, expected = np.asarray(given), np.asarray(expected)
    assert given.shape == expected.shape, what
    floating = expected.dtype.kind == "f"
    assert not floating or given.dtype == expected.dtype, what
    same = given == expected
    if floating:
        same |= np.isnan(given) & np.isnan(expected)
    where = np.argwhere(~same)[:3]
    assert same.all(), f"{what} differs at {where.tolist()}: {given[~same][:3]}, expected {expected[~same][:3]}"


def assert_same_columns(given: Columns, expected: Columns, what: str) -> None:
    """Require that the same became of runs."""
    for name, column in expected._asdict().items():
        assert_equal(getattr(given, name), column, f"{what}: {name}")


def assert_same_outcome(given: Outcome, expected: Outcome, what: str) -> None:
    """Require equal outcomes of two trainings of the same runs; traces may differ in padding."""
    assert_same_columns(given.columns, expected.columns, what)
    assert_equal(given.final_weights, expected.final_weights, f"{what}: final weights")
    assert_equal(given.predictions, expected.predictions, f"{what}: predictions")
    most = max(given.losses.shape[1], expected.losses.shape[1])
    assert_equal(_padded(given.losses, most), _padded(expected.losses, most), f"{what}: losses")


def _padded(losses: Array, columns: int) -> Array:
    return np.pad(losses, ((0, 0), (0, columns - losses.shape[1])), constant_values=np.nan)


def assert_as_oracle(spec: Spec, batch: Batch) -> oracle.Result:
    """Train with kernels and oracle, require every reported number to be equal and return the oracle's."""
    given, expected = train_kernel(spec, batch), train_oracle(spec, batch)
    assert expected.losses is not None
    what, stored = f"{spec}, {batch.weights.shape[1]} parameters", as_stored(given.columns)
    assert_equal(statuses(stored), expected.status, f"{what}: status")
    for name in ("steps", "initial_loss", "final_loss", "n_correct", "max_error"):
        assert_equal(getattr(stored, name), getattr(expected, name), f"{what}: {name}")
    assert_equal(given.final_weights, expected.weights, f"{what}: final weights")
    assert_equal(given.predictions, predict(spec, expected.weights), f"{what}: predictions")
    assert_same_columns(train_bare(spec, batch), given.columns, f"{what}, without losses")
    expected_losses = _padded(expected.losses, int(batch.max_steps.max()) + 1)
    assert_equal(given.losses, expected_losses, f"{what}: losses")
    return expected


def covering_specs() -> list[Spec]:
    """Cover every activation with every criterion, and in float64 with every loss; so too every output.

    Each function, loss, criterion and task occurs in both dtypes, with biases and without.
    """
    tasks = ("adder", "numbers", "parity", "many numbers")
    specs = []
    for i, j in itertools.product(range(4), range(4)):
        specs.append(
            Spec(
                activation=ACTIVATIONS[i],
                output=ACTIVATIONS[(i + j // 2) % 4],
                bias=(i // 2 + j // 2) % 2 == 0,
                loss="sse" if j < 2 else "mse",
                criterion=CRITERIA[j],
                dtype=DTYPES[(i + j) % 2],
                task=tasks[(i + 2 * (j % 2) + j // 2) % 4],
            )
        )
    return specs


def is_compiled(spec: Spec) -> bool:
    """Tell which of the covering specs, and of specs of XOR, are compiled whenever tests run.

    Of the covering specs each activation, output, loss and criterion occurs twice, with biases or without.
    """
    pairs = {("relu", "loss"), ("relu", "none"), ("tanh", "max_error"), ("tanh", "correct")}
    pairs |= {("sigmoid", "loss"), ("sigmoid", "correct"), ("identity", "max_error"), ("identity", "none")}
    if spec.task == "xor":
        return spec.activation == "relu" or (spec.activation, spec.bias) == ("tanh", False)
    return (spec.activation, spec.criterion) in pairs


def name_of(spec: Spec) -> str:
    """Name a spec in a test's id."""
    bias = "biases" if spec.bias else "no biases"
    return f"{spec.activation}-{spec.output}-{bias}-{spec.loss}-{spec.criterion}-{spec.dtype}-{spec.task}-{spec.tuning}"
