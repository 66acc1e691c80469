"""Outputs of trained networks for any inputs, from their recorded weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.floating_point import default_floating_point
from sweep.errors import SweepError, shown
from sweep.results.networks import recorded_rows
from sweep.results.result import Result
from sweep.study.data.data_table import Data
from sweep.study.model import Study
from sweep.system.plain_values import plain
from sweep.training.component_trials import check_custom_components
from sweep.training.networks.tester import outputs_of

Array = NDArray[Any]


@default_floating_point
def predict(result: Result, inputs: Any, cell: int = 0, which: str = "final") -> Array:
    """Return the outputs of the networks of a cell for any inputs, with the bits of training.

    With ``standardize`` the rows are shifted and scaled by the same numbers as the patterns that the networks were
    trained on, those of their split and fold.

    Parameters
    ----------
    result
        Result with recorded weights (``record.weights``, or ``sweep weights DIR``).
    inputs : (patterns, inputs)
        Finite numbers, as the study got them.
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
    return outputs_for(result, cell, which, lambda data: _scaled(result.study, cell, inputs, data))


def outputs_for(result: Result, cell: int, which: str, inputs_of: Callable[[Data], Any]) -> Array:
    """Return the outputs of the networks of a cell, as of :func:`predict`, for inputs that follow from its patterns.

    Where each run draws its own patterns and standardizes them, inputs follow from those of the run.
    """
    study, plan = result.study, result.stored.plan
    check_custom_components(study)
    seeds, weights = recorded_rows(result.stored, cell, which)
    data = study.patterns_of(cell)
    if not (study.data.drawn and data.is_standardized):
        return outputs_of(plan, int(cell), weights, np.array(inputs_of(data)))
    outputs = [
        outputs_of(plan, int(cell), weights[k : k + 1], np.array(inputs_of(study.patterns_of(cell, seed))))
        for k, seed in enumerate(seeds.tolist())
    ]
    return np.concatenate(outputs)


def _scaled(study: Study, cell: int, inputs: Any, data: Data) -> Array:
    """Return inputs as the networks of these patterns get them, in the dtype of the cell; SweepError if not valid."""
    dtype, n_inputs = study.grid.cell(int(cell))["dtype"], study.data.n_inputs
    try:
        rows = np.array(plain(inputs))
        rows = rows.astype(np.float64) if rows.dtype.kind in "biuf" else np.empty(0)
    except (TypeError, ValueError):
        rows = np.empty(0)
    if rows.ndim == 2 and len(rows) and rows.shape[1] == n_inputs:
        with np.errstate(over="ignore", invalid="ignore"):
            rows = data.scaled(rows).astype(dtype).astype(np.float64)
        if np.isfinite(rows).all():
            return rows
    needs = f"rows of {n_inputs} numbers that are finite in {dtype}"
    raise SweepError(f"inputs: must be {needs}, got {shown(plain(inputs))}")
