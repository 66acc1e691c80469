"""The estimated cost of a run, from the options of its cell; sizes of parts and progress depend on it."""

from __future__ import annotations

from itertools import pairwise
from math import inf, prod
from typing import NamedTuple

from kernels.shapes import parameter_shapes
from sweep.schemas.run_columns import curved_measures
from sweep.study.axes.grid import Cell
from sweep.study.model import Study

# Operations of an elementary function (exp, tanh, ..).
_FUNCTION = 100

# Operations per cube of the rows of a matrix for its largest eigenvalue: NumPy takes some 10 ms for 100 rows.
_EIGENVALUE = 500

# Bytes of a run in memory, without the parameters of its network.
_ROW_BYTES = 64


class RunCost(NamedTuple):
    """The cost of a run that takes all its steps: operations, steps, and bytes in memory."""

    operations: float
    n_steps: int
    n_bytes: int


def run_cost(study: Study, cell: Cell) -> RunCost:
    """Return the cost of a run of a cell.

    A forward pass costs a product and a sum for each pattern and weight; a step costs two or three times as much. If an
    epoch has several steps, the evaluation at its end costs another forward pass, and so does a validation.
    """
    n_patterns, n_inputs, n_outputs = study.data.sets[0].shape
    sizes, n_windows = cell.hidden, -(-n_patterns // cell["batch"])
    n_hidden, n_last = sum(sizes), sizes[-1] if cell.has_units else n_inputs
    n_weights = sum(below * size for below, size in pairwise((n_inputs, *sizes)))
    n_passed = n_weights - n_inputs * sizes[0]  # weights that pass derivatives down to another hidden layer
    shapes = parameter_shapes((n_inputs, *sizes, n_outputs), bias=cell["bias"], skip=cell.skip, deep=len(sizes) > 1)
    n_parameters = sum(map(prod, shapes.values()))
    if cell.skip == "all":
        n_shortcuts = sum(prod(shape) for name, shape in shapes.items() if name[0] == "k")
        n_weights, n_passed = n_weights + n_shortcuts, n_passed + n_shortcuts
    functions = n_patterns * sum(
        count * _FUNCTION
        for name, count in (("activation", n_hidden), ("output", n_outputs))
        if study.tables.users["output"][cell[name]].elementary
    )
    step = n_patterns * (4 * n_weights + 2 * n_passed + 6 * n_last * n_outputs + 4 * n_hidden) / n_windows
    update = n_parameters * study.tables.users["optimizer"][cell["optimizer"]].operations
    evaluation = n_patterns * 2 * (n_weights + n_last * n_outputs) + functions
    operations = step + functions / n_windows + update + (evaluation / n_windows if n_windows > 1 else 0)
    kept = 1
    if study.evaluates_held_out:
        kept += study.data.n_validations > 0  # the best weights too
        n_held_out = study.data.n_validations or study.data.n_tests
        operations += evaluation * n_held_out / n_patterns / (n_windows * study.values_of("validate_every")[0])
    epochs = [inf if each is None else each for each in study.values_of("max_epochs")]
    n_steps = int(min(max(study.values_of("max_steps")), n_windows * max(epochs)))
    # a step of all patterns for each gradient, two of them per parameter
    curvature = (2 * n_parameters + 1) * n_windows * operations + _EIGENVALUE * n_parameters**3
    measuring = len(curved_measures(study)) * curvature
    n_bytes = 8 * n_parameters * kept + _ROW_BYTES
    return RunCost(operations * n_steps + evaluation + measuring, n_steps, n_bytes)
