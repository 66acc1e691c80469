"""Outputs of trained networks for any inputs, from their recorded weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.floating_point import default_floating_point
from sweep.errors import SweepError, shown
from sweep.results.networks import recorded_rows
from sweep.results.result import Result
from sweep.system.plain_values import plain
from sweep.training.component_trials import check_custom_components
from sweep.training.networks.tester import outputs_of

Array = NDArray[Any]


@default_floating_point
def predict(result: Result, inputs: Any, cell: int = 0, which: str = "final") -> Array:
    """Return the outputs of the networks of a cell for any inputs, with the bits of training.

    Parameters
    ----------
    result
        Result with recorded weights (``record.weights``, or ``sweep weights DIR``).
    inputs : (patterns, inputs)
        Finite numbers.
    cell
        Number of the cell, as in ``result.cells``. A row of :meth:`sweep.Result.best` that pools folds or splits is
        several cells: ``result.cells.merge(best[["hidden"]])`` has their numbers.
    which
        ``"final"``, ``"initial"`` or ``"best"`` weights, those at the best validation.

    Returns
    -------
    (runs, patterns, outputs) of the dtype of the cell
        In ascending order of seeds; outputs of diverged runs may be infinite or NaN.

    Raises
    ------
    SweepError
        If ``inputs`` is not such a matrix, there is no such cell, or ``which`` is another text.
    TypeError
        If ``result`` is of another type.
    StoreError
        If these weights are not recorded, or no run of the cell is trained yet.
    StudyError
        If the code of a custom component is unknown.
    """
    if not isinstance(result, Result):
        raise TypeError(f"result: must be a Result, as open_result returns it, got {type(result).__name__}")
    study, plan = result.study, result.stored.plan
    check_custom_components(study)
    try:
        points = np.array(plain(inputs))
        points = points.astype(np.float64) if points.dtype.kind in "biuf" else np.empty(0)
    except (TypeError, ValueError):
        points = np.empty(0)
    _, weights = recorded_rows(result.stored, cell, which)
    own = plan.grid.cell(int(cell))
    with np.errstate(over="ignore"):
        points = points.astype(own["dtype"]).astype(np.float64)
    if points.ndim != 2 or not len(points) or points.shape[1] != study.data.n_inputs or not np.isfinite(points).all():
        needs = f"rows of {study.data.n_inputs} numbers that are finite in {own['dtype']}"
        raise SweepError(f"inputs: must be {needs}, got {shown(plain(inputs))}")
    return outputs_of(plan, int(cell), weights, points)
