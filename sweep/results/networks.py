"""The recorded weights of the networks of a cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from kernels.shapes import parameter_shapes, parameter_slices
from sweep.analysis.table_values import numbers_of_lists
from sweep.errors import StoreError, SweepError, shown
from sweep.study.selection import check_cell

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep.schedule.plan import Plan
    from sweep.store.stored_runs import StoredRuns

Array = NDArray[Any]


def recorded_rows(parts: StoredRuns, cell: int, which: str) -> tuple[Array, Array]:
    """Return seeds, (runs,) in ascending order, and recorded parameters, (runs, parameters), of the runs of a cell.

    ``parts`` have rows of runs. ``which`` is ``"final"``, ``"initial"`` or ``"best"`` (at the best validation).
    SweepError is raised if it is another text, or there is no such cell; StoreError if these weights were not recorded,
    no run of the cell is trained, or a part is damaged.
    """
    study = parts.plan.study
    column = f"{which}_weights"
    if which not in ("initial", "final", "best"):
        raise SweepError(f"which: must be 'final', 'initial' or 'best', got {shown(which)}")
    check_cell(study, cell)
    if column not in study.record.columns_of_weights:
        raise StoreError(
            f"{which} weights were not recorded; 'sweep weights DIR' trains the runs again and records them (a study "
            f"records them with record.weights = '{which}')"
        )
    found = [
        (table["seed"].to_numpy(), numbers_of_lists(table[column]).reshape(len(table), -1))
        for table in rows_of_cell(parts, cell, column)
    ]
    if not found:
        raise StoreError(f"cell {cell} has no trained runs yet")
    seeds, weights = (np.concatenate(each) for each in zip(*found, strict=True))
    order = np.argsort(seeds)
    return seeds[order], weights[order]


def rows_of_cell(parts: StoredRuns, cell: int, column: str) -> Iterator[pa.Table]:
    """Yield the seeds and a column of the trained runs of a cell, some in each table."""
    for commit in parts.counted():
        cells, _ = parts.plan.cells(commit.as_part())
        if commit.n_runs and cell in cells:
            table = parts.table(commit, ["cell", "seed", column])
            table = table.filter(pc.equal(table["cell"], cell))
            if len(table):
                yield table


def named_weights(parts: StoredRuns, cell: int, which: str) -> dict[str, Array]:
    """Return the recorded parameters of a cell's runs by name, each (runs, *its shape); see :func:`recorded_rows`."""
    _, weights = recorded_rows(parts, cell, which)
    return by_name(parts.plan, cell, weights)


def by_name(plan: Plan, cell: int, weights: Array) -> dict[str, Array]:
    """Split parameters of networks of a cell, (runs, parameters), into arrays by name, each (runs, *its shape)."""
    study = plan.study
    options = plan.grid.cell(int(cell))
    fans = study.data.n_inputs, *options.hidden, study.data.n_targets
    shapes = parameter_shapes(fans, bias=options["bias"], skip=options.skip, deep=len(options.hidden) > 1)
    places = parameter_slices(shapes)
    return {name: weights[:, places[name]].reshape(-1, *shape) for name, shape in shapes.items()}
