"""Learning curves: train the first runs of each cell again, with loss and correct outputs at some of their steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kernels.loop.run_arrays import CONVERGED, DIVERGED, EXHAUSTED, Outcome
from sweep.analysis.table_values import column_values, status_array
from sweep.columns import STATUSES, arrow_schema
from sweep.errors import StoreError
from sweep.schedule.recipes import ShapeRuns, make_recipe
from sweep.schemas.run_columns import curves_columns, end_measures, running_loss_column, runs_columns
from sweep.study.curve_points import curve_epochs
from sweep.system.plain_values import plain
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.networks.tester import right_patterns

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep.schedule.plan import Plan
    from sweep.store.stored_runs import StoredRuns

Array = NDArray[Any]

# Columns by name: of rows of runs, or of points of curves.
Columns = dict[str, Array]

# Numbers of the networks along the curves of a block of runs, 32 MiB.
_BLOCK_NUMBERS = 2**22


class CurveRecorder:
    """Trains runs again for their learning curves; threads share one."""

    def __init__(self, plan: Plan, pause: Callable[[], None] | None = None) -> None:
        self._plan, self._pause = plan, pause
        self._trainer = PartTrainer(plan)

    def blocks(self, parts: StoredRuns) -> Iterator[Columns]:
        """Yield the rows of the runs that have curves, those of one shape in each block."""
        for commit in parts.counted():
            part = commit.as_part()
            if not commit.n_runs or not self._has_curve(self._plan.runs(part)).any():
                continue
            rows = self._rows(parts.table(commit, self._names))
            rows = take(rows, self._has_curve(rows["run"]))
            for piece in self._plan.pieces(part):
                own = take(rows, np.isin(rows["run"], self._plan.runs(piece)))
                n_runs = self._most_runs(own["cell"]) if len(own["run"]) else 1
                for start in range(0, len(own["run"]), n_runs):
                    yield take(own, slice(start, start + n_runs))

    def record(self, rows: Columns) -> Columns:
        """Return the learning curves of runs of one shape, by column: run after run, and ascending steps.

        Rows of a cell come in succession, as of :meth:`blocks`. The last point of a run is its end; StoreError if that
        differs from its row.
        """
        starts = np.flatnonzero(np.diff(rows["cell"], prepend=-1))
        cells, counts = rows["cell"][starts], np.diff(starts, append=len(rows["cell"]))
        trainer, cells, counts = self._trainer.of_runs(cells, counts, rows["seed"])
        starts = np.cumsum(counts) - counts
        first, settings = self._plan.grid.cell(int(cells[0])), trainer.settings(cells)
        known: dict[str, Array] = {}
        if self._plan.study.restarts.max_restarts:  # curves show the last attempts, which end at the same steps
            ended, weights = trainer.train_attempts(cells, counts, rows["seed"])
            known = {"status": ended.columns.status}
            settings, counts, starts = np.repeat(settings, counts), np.ones_like(rows["cell"]), np.arange(len(weights))
            settings["max_steps"] = ended.columns.steps
        else:
            weights = trainer.weights(cells, counts, rows["seed"])
        arguments: dict[str, Any] = {"final_weights": True, "predictions": False, "pause": self._pause}
        arguments |= {"hidden": first.hidden, "seeds": rows["seed"], "path_epochs": self._points(rows["cell"])[0]}
        outcome = trainer.trainer(first).train(settings, weights, counts, **arguments)
        ends = outcome.columns._replace(**known)
        found, there = self._along({**rows, "status": ends.status, "steps": ends.steps})
        is_end = np.diff(found["run"], append=-1) != 0
        networks = np.concatenate([outcome.path, outcome.final_weights[:, np.newaxis]], axis=1)[there]
        status = np.where(is_end, found["status"], EXHAUSTED)  # no run had diverged before its end
        points = outcome._replace(final_weights=networks, columns=ends._replace(status=status))
        recipe, n_points = trainer.trainer(first).recipe, np.add.reduceat(there.sum(axis=1), starts)
        found |= self._measured(trainer, ShapeRuns(recipe, first, settings, n_points), points)
        for column in running_loss_column(self._plan.study):
            last = ends.loss_sums[:, [self._plan.study.record.loss_sums.index(column.name)]]
            running = np.concatenate([outcome.path_running, last], axis=1)[there]
            found[column.name] = np.where(np.isnan(running), np.inf, running)
        # A run may converge although its loss overflows; a test counts no output of such a network as correct.
        overflowed = np.isinf(found["train_loss"][is_end]) & (ends.status == CONVERGED)
        found["n_correct"][is_end] = np.where(overflowed, ends.n_correct, found["n_correct"][is_end])
        if "train_accuracy" in found:
            right = right_patterns(recipe, ends) / self._plan.study.data.n_patterns
            found["train_accuracy"][is_end] = np.where(overflowed, right, found["train_accuracy"][is_end])
        self._check_ends(rows, take(found, is_end))
        return found

    def points(self, rows: Columns) -> Columns:
        """Return the points of curves of some runs as :meth:`record` does, without measures."""
        return self._along(rows)[0]

    def table(self, curves: list[Columns]) -> pa.Table:
        """Return curves as one table, ordered by run."""
        import pyarrow as pa

        plan, columns = self._plan, curves_columns(self._plan.study)
        joined = {name: np.concatenate([each[name] for each in curves]) for name in curves[0]}
        joined = take(joined, np.argsort(joined["run"], kind="stable"))
        cells = joined["cell"]
        joined["epochs"] = joined["steps"] // plan.grid.n_windows(cells)
        joined |= {name: plan.grid.column(name, cells) for name in plan.study.parameters}
        schema = arrow_schema([column for column in columns if column.name in joined])
        arrays = [
            status_array(joined[each.name]) if each.name == "status" else pa.array(joined[each.name], each.type)
            for each in schema
        ]
        return pa.table(arrays, schema=schema)

    @property
    def _names(self) -> list[str]:
        """The columns of rows that identify runs, and those with which the ends of curves are compared."""
        study = self._plan.study
        tested = [column.name for column in (*running_loss_column(study), *end_measures(study))]
        return ["run", "cell", "seed", "status", "steps", "initial_loss", "final_loss", "n_correct", *tested]

    def _rows(self, table: pa.Table) -> Columns:
        known = {column.name: column for column in runs_columns(self._plan.study)}
        return {name: column_values(table, known[name]) for name in self._names}

    def _has_curve(self, runs: Array) -> NDArray[np.bool_]:
        """Return which runs belong to the first seeds of their cell."""
        curves = self._plan.study.record.curves
        assert curves is not None
        chosen: NDArray[np.bool_] = runs % self._plan.n_seeds < curves.seeds
        return chosen

    def _most_runs(self, cells: Array) -> int:
        """Return the most runs in a block whose cells have one shape."""
        cell, n_points = self._plan.grid.cell(int(cells[0])), len(self._points(cells)[0]) + 1
        n_parameters = make_recipe(self._plan.study, cell).architecture.n_parameters(cell.hidden)
        most = max(1, int(_BLOCK_NUMBERS // (n_points * n_parameters)))
        return min(most, self._trainer.most_runs or most)

    def _points(self, cells: Array) -> tuple[list[int], int]:
        """Return the epochs after which runs of some cells of one shape have points, and the steps of an epoch."""
        n_windows = int(self._plan.grid.n_windows(cells[:1])[0])
        return curve_epochs(self._plan.study, n_windows, int(self._plan.grid.most_steps(cells).max())), n_windows

    def _along(self, rows: Columns) -> tuple[Columns, NDArray[np.bool_]]:
        """Return the points of runs, their columns run after run, and which of all points each run has, (runs, points).

        The last point is the end of the run. It has no other point at this step or later.
        """
        (epochs, n_windows), ended = self._points(rows["cell"]), rows["steps"]
        steps = np.column_stack([np.tile(np.array(epochs, np.int64) * n_windows, (len(ended), 1)), ended])
        there = steps < ended[:, np.newaxis]
        there[:, -1] = True
        points = {name: np.repeat(rows[name], there.sum(axis=1)) for name in ("run", "cell", "seed", "status")}
        return points | {"steps": steps[there]}, there

    def _measured(self, trainer: PartTrainer, runs: ShapeRuns, points: Outcome) -> Columns:
        """Return loss and correct outputs of networks along curves, computed by runs that take no step."""
        assert trainer.own_tester
        networks = points.final_weights, points.columns.status == DIVERGED
        own = trainer.own_tester.measure(runs, *networks)
        found = {"train_loss": own.loss, "n_correct": own.n_correct.astype(np.int64)}
        tested = trainer.tested(runs, *networks) | {"train_accuracy": own.accuracy}
        return found | {
            column.name: tested[column.name].astype(column.type) for column in end_measures(self._plan.study)
        }

    def _check_ends(self, rows: Columns, ends: Columns) -> None:
        """Compare the last points of curves with the rows of their runs."""
        found = difference_of_ends(rows, ends)
        if found:
            raise StoreError(f"{found}; check the rows with 'sweep verify DIR --all'")


def difference_of_ends(rows: Columns, ends: Columns) -> str | None:
    """Return a clause on the first run whose curve does not end like its row; None if there is none."""
    for name in (name for name in rows if name != "initial_loss"):
        own = ends["train_loss" if name == "final_loss" else name]
        for k in np.flatnonzero(own != rows[name])[:1]:
            there, here = (STATUSES[each[k]] if name == "status" else plain(each[k]) for each in (rows[name], own))
            return (
                f"the learning curve of run {rows['run'][k]} does not end like its row: {name} {here!r}, in the row "
                f"{there!r}"
            )
    return None


def take(columns: Columns, chosen: Any) -> Columns:
    """Return some entries of all columns."""
    return {name: values[chosen] for name, values in columns.items()}
