"""The recorded learning curves of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.analysis.cells import cells_of
from sweep.errors import StoreError, SweepError, shown
from sweep.study.selection import At, cells_at, check_cell, values_at

if TYPE_CHECKING:
    import pandas as pd

    from sweep.results.evaluated_runs import EvaluatedRuns
    from sweep.store.stored_runs import StoredResult


def curves_of(result: EvaluatedRuns, parts: StoredResult, cell: int | None, at: At | None) -> pd.DataFrame:
    """Return the learning curves of some cells; see :meth:`sweep.results.result.Result.learning_curves`."""
    study = result.study
    if cell is not None:
        check_cell(study, cell)
    values = values_at(study, at)
    fault = curves_fault(result)
    if fault:
        raise StoreError(fault)
    curves: pd.DataFrame = parts.read_curves().to_pandas()
    if at:
        curves = curves[curves["cell"].isin(cells_at(cells_of(study.grid), values)["cell"])]
    if cell is not None:
        if at and cell not in cells_at(cells_of(study.grid), values)["cell"].to_numpy():
            raise SweepError(f"cell {cell} does not have the values at {shown(dict(at))}; use either cell or at")
        curves = curves[curves["cell"] == cell]
    return curves.reset_index(drop=True)


def curves_fault(result: EvaluatedRuns) -> str | None:
    """Return why a result has no learning curves, or None if it has."""
    if result.study.record.curves is None:
        return (
            "learning curves were not recorded; run the study again with --set 'record.curves={seeds=20}', --out NEW "
            "and --reuse DIR (this folder): only 20 seeds of each cell are trained again"
        )
    if not result.complete:
        return "learning curves are recorded once all runs are trained; run the same study again to continue"
    return None
