"""What a training kernel reads, writes and works on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kernels.architecture import Architecture
from kernels.simd.jit import device
from kernels.simd.lanes import Memory, Rows, aligned_rows

Array = NDArray[Any]

# How a run ended. RETRAIN is for the kernel with all products to settle.
CONVERGED, DIVERGED, STALLED, EXHAUSTED = range(4)
STATUSES = ("converged", "diverged", "stalled", "exhausted")
RETRAIN = -1

SETTINGS = np.dtype([("learning_rate", "f8"), ("below", "f8"), ("max_steps", "i8")], align=True)


class Patterns(NamedTuple):
    """What the networks learn.

    Attributes
    ----------
    inputs : (patterns, inputs)
    targets : (patterns, outputs)
    used : (patterns, inputs) of bool
        Products with an input that are computed; see :func:`used_inputs`.
    middle
        Middle of the range of the targets, what separates high from low.
    """

    inputs: Array
    targets: Array
    used: NDArray[np.bool_]
    middle: Any


# Patterns as nested tuples: inputs and targets.
Table: TypeAlias = tuple[tuple[tuple[float, ...], ...], tuple[tuple[float, ...], ...]]
PatternSource: TypeAlias = Callable[[Patterns], Patterns]


@cache
def pattern_source(table: Table | None, dtype: str, bias: bool) -> PatternSource:
    """Return what the parts of a kernel get their patterns from.

    The function takes the patterns that the kernel was called with. It gives them
    back, or in their place the constants of ``table``, whose zeros are skipped. Every
    part asks for itself: LLVM optimises each before it joins them, and unrolls only
    loops whose length it knows then.
    """
    if table is None:

        @device
        def given(patterns: Patterns) -> Patterns:
            return patterns

        return given

    inputs, targets, used, middle = make_patterns(np.array(table[0]), np.array(table[1]), dtype, bias, skip_zeros=True)

    @device
    def constant(patterns: Patterns) -> Patterns:
        return Patterns(inputs, targets, used, middle)

    return constant


def sums_watched(table: Table) -> bool:
    """Tell whether NaN in a sum over inputs means that an input weight or hidden bias is not finite.

    A kernel with a table looks at those when a run ends. Finite terms may overflow to
    one infinity and stay there; a sum is NaN only if some term is not finite, and with
    inputs up to 1 in size the product with a finite weight is finite.
    """
    return all(abs(x) <= 1 for row in table[0] for x in row)


class Columns(NamedTuple):
    """What became of runs, a number each.

    Attributes
    ----------
    status : (runs,) of int8
        CONVERGED .. EXHAUSTED, or RETRAIN.
    steps : (runs,) of int32
        Updates taken.
    initial_loss, final_loss : (runs,) of the dtype of the networks
        Before the first update and after the last; infinite if not finite.
    n_correct : (runs,) of int32
        Outputs on the right side of the middle of the targets, 0 if diverged.
    max_error : (runs,) of the dtype of the networks
        The largest distance of an output from its target, infinite if diverged.
    """

    status: NDArray[np.int8]
    steps: NDArray[np.int32]
    initial_loss: Array
    final_loss: Array
    n_correct: NDArray[np.int32]
    max_error: Array


def make_columns(n_runs: int, dtype: str) -> Columns:
    """Allocate what becomes of runs of networks of ``dtype``, with undefined content."""
    return Columns(*(np.empty(n_runs, kind) for kind in ("i1", "i4", dtype, dtype, "i4", dtype)))


class Runs(NamedTuple):
    """The networks to train, and where their results go.

    Attributes
    ----------
    settings : (cells,) of SETTINGS
        What the runs of a cell share.
    stops : (cells,) of int64
        The run that follows the last one of the cell.
    weights : (runs, parameters)
        Initial weights in the order of :class:`kernels.architecture.Architecture`.
    waiting : (2,) of int64
        The first run that no batch has seated yet, and a cell: its own or an earlier one.
    columns
        Written.
    final_weights : (runs, parameters), or (0, 0) when not wanted
        Written.
    predictions : (runs, patterns * outputs), or (0, 0) when not wanted
        Written: y with the final weights.
    losses : (runs, most steps + 1) of float64, or (0, 0) when not wanted
        Written: the loss before each update.
    """

    settings: Array
    stops: NDArray[np.int64]
    weights: Array
    waiting: NDArray[np.int64]
    columns: Columns
    final_weights: Array
    predictions: Array
    losses: NDArray[np.float64]


# Rows of Batch.control, one number a lane. PREVIOUS is the signal of that name;
# ENDED_FLAG marks runs that have converged, or stalled when a step is finished;
# FINITE_FLAG those whose outcome stands, see make_measure.
(
    LEARNING_RATE,
    BELOW,
    PREVIOUS,
    LOSS,
    N_CORRECT,
    MAX_ERROR,
    ENDED_FLAG,
    REPEATED_FLAG,
    ACTIVE_FLAG,
    FINITE_FLAG,
    CONTROL_ROWS,
) = range(11)

# Rows of Workspace.seats, one integer a lane: the run that occupies it, and the steps
# of the clock at which it took its seat and at which it will have taken all its steps.
RUN, START, LAST = range(3)
EMPTY = -1

# Entries of Workspace.clock.
STEP, DEADLINE, OCCUPIED = range(3)

# A CPU may take addresses at the same place of two pages for the same until it knows the pages.
PAGE_BYTES = 4096


class Signals(NamedTuple):
    """What the passes of a step leave to each other and to the judge, in rows of lanes.

    Attributes
    ----------
    outputs
        y of pattern n and output o at n * outputs + o.
    errors
        Outputs less their targets, likewise; doubled, where a pass is quick. See
        :func:`kernels.forward.make_finish_outputs`.
    gradients
        The gradients with respect to the sums u of which the outputs are made, likewise.
    hidden
        Activation of unit h for pattern n at h * patterns + n, or what stands for it: see
        :class:`kernels.relu.Kept`.
    previous
        One row: the loss before the last update.
    """

    outputs: Rows
    errors: Rows
    gradients: Rows
    hidden: Rows
    previous: Rows


class Batch(NamedTuple):
    """Networks that train side by side, in rows of lanes.

    Attributes
    ----------
    parameters
        A row for each parameter, unit after unit.
    control
        Rows LEARNING_RATE .. FINITE_FLAG.
    signals
    """

    parameters: Rows
    control: Rows
    signals: Signals


class Workspace(NamedTuple):
    """A batch in memory.

    Attributes
    ----------
    rows : (count, width)
        Those of control, outputs, errors, gradients, parameters, in this order.
    hidden : (hidden * patterns, width)
        Half a page off, see :func:`rows_to_hidden`.
    places : (parameters,) of uint64
        The row of each parameter, in drawing order.
    seats : (3, width) of int64
        RUN, EMPTY where none sits, START and LAST.
    clock : (3,) of int64
    """

    rows: Array
    hidden: Array
    places: NDArray[np.uint64]
    seats: NDArray[np.int64]
    clock: NDArray[np.int64]


def used_inputs(inputs: Array, bias: bool) -> NDArray[np.bool_]:
    """Tell which products with an input must be computed.

    Products with zero may be left out: they change nothing while all parameters
    are finite. So that a gradient that is not finite always reaches an input
    weight or a bias, where the kernel looks for it, a pattern of zeros keeps its
    first product in networks without biases.

    Parameters
    ----------
    inputs : (patterns, inputs)
    bias
        Whether the networks have biases.
    """
    used = inputs != 0
    if not bias:
        used[:, 0] |= ~used.any(axis=1)
    return np.asarray(used)


def make_patterns(inputs: Array, targets: Array, dtype: str, bias: bool, skip_zeros: bool) -> Patterns:
    """Round patterns to ``dtype`` and work out what kernels want to know of them."""
    inputs = np.array(inputs, dtype, order="C")  # copies: the caller's arrays stay the caller's
    targets = np.array(targets, dtype, order="C")
    used = used_inputs(inputs, bias) if skip_zeros else np.ones(inputs.shape, np.bool_)
    low, high = float(targets.min()), float(targets.max())
    for array in (inputs, targets, used):
        array.flags.writeable = False
    return Patterns(inputs, targets, used, np.dtype(dtype).type((low + high) / 2))


@cache
def make_in_memory(
    architecture: Architecture, known: PatternSource, memory: Memory
) -> Callable[[Patterns, Workspace], Batch]:
    """Return the function ``(patterns, workspace)`` that views a workspace as a batch."""
    rows_of = memory.rows_of

    @device
    def in_memory(patterns: Patterns, workspace: Workspace) -> Batch:
        rows, n = workspace.rows, known(patterns).targets.size
        errors, gradients, parameters = CONTROL_ROWS + n, CONTROL_ROWS + 2 * n, CONTROL_ROWS + 3 * n
        return Batch(
            rows_of(rows, parameters),
            rows_of(rows, 0),
            Signals(
                rows_of(rows, CONTROL_ROWS),
                rows_of(rows, errors),
                rows_of(rows, gradients),
                rows_of(workspace.hidden, 0),
                rows_of(rows, PREVIOUS),
            ),
        )

    return in_memory


def rows_to_hidden(n_parameters: int, row_bytes: int) -> int:
    """Return how many rows after the first parameter the activations begin: an odd number of half pages.

    A step stores the parameters of a unit right before it loads the activations of the
    next. At about the same place of two pages, as with 16, 32 or 64 units close behind
    each other, such a load may wait for the store. Whether it does depends on the physical
    pages: on a Zen 4 a step took up to 2.5 times as long in some processes, and not in others.
    """
    page = max(1, PAGE_BYTES // row_bytes)
    half = page // 2
    return half - (half - n_parameters) // page * page  # rounded up


@cache
def _places(architecture: Architecture, n_hidden: int, first_parameter: int) -> NDArray[np.uint64]:
    places = (first_parameter + architecture.unit_rows(n_hidden)).astype(np.uint64)
    places.flags.writeable = False
    return places


def make_workspaces(
    architecture: Architecture, n_hidden: int, n_patterns: int, width: int, dtype: str, n_batches: int
) -> tuple[Workspace, ...]:
    """Allocate the state of batches of ``width`` empty lanes, one behind the other."""
    first_parameter = CONTROL_ROWS + 3 * n_patterns * architecture.outputs
    first_hidden = first_parameter + rows_to_hidden(
        architecture.n_parameters(n_hidden), width * np.dtype(dtype).itemsize
    )
    count = first_hidden + n_patterns * n_hidden
    rows = aligned_rows(n_batches * count, width, dtype)
    places = _places(architecture, n_hidden, first_parameter)

    def make(batch: int) -> Workspace:
        seats = np.full((3, width), EMPTY, np.int64)
        own = rows[batch * count : (batch + 1) * count]
        return Workspace(own[:first_hidden], own[first_hidden:], places, seats, clock=np.zeros(3, np.int64))

    return tuple(map(make, range(n_batches)))
