"""Runs evaluated by recorded loss thresholds, as runs of a study that also sweeps ``loss_threshold``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sweep.analysis.table_values import status_array, status_codes
from sweep.columns import STATUSES
from sweep.errors import StoreError, SweepError
from sweep.results.evaluated_runs import OtherCells
from sweep.results.export import export
from sweep.results.queries import Queries, listed
from sweep.results.replicated_runs import PoolsReplicates
from sweep.results.run_measures import RunMeasures
from sweep.schemas.run_columns import threshold_columns, updates_column
from sweep.store.commits import Commit
from sweep.store.stored_runs import StoredRuns
from sweep.study.axes.grid import values_of_axes
from sweep.study.content import StudyContent
from sweep.study.options.other_sections import Record, Restarts
from sweep.system.formatting import short

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep.schedule.plan import Plan
    from sweep.study.model import Study

LOSS_THRESHOLD = "loss_threshold"
_CONVERGED, _EXHAUSTED = map(STATUSES.index, ("converged", "exhausted"))


class ThresholdStudy(StudyContent):
    """A study as if the loss thresholds that it records were its last parameter."""

    def __init__(self, study: Study) -> None:
        vars(self).update({name: getattr(study, name) for name in StudyContent.__annotations__})
        self.axes = [*study.axes, {LOSS_THRESHOLD: study.record.loss_thresholds}]
        self.parameters = values_of_axes(self.axes)
        self.record, self.restarts = Record.model_validate({}), Restarts.model_validate({})

    def values_of(self, name: str) -> tuple[Any, ...]:
        """Return the values of an option in the cells. The criterion is that the loss is below the threshold."""
        return ("loss",) if name == "criterion" else super().values_of(name)


class ThresholdParts(StoredRuns):
    """Parts with a row for each pair of a run and a loss threshold."""

    keep = "runs"
    has_parts = True

    def __init__(self, parts: StoredRuns, study: Study) -> None:
        super().__init__()
        self._parts = parts
        self._n_seeds = study.seeds.count
        self._updates = updates_column(study)
        self._names = [column.name for column in threshold_columns(study)]

    @property
    def plan(self) -> Plan:
        """The plan of the study."""
        return self._parts.plan

    def counted(self) -> list[Commit]:
        """Return the commits whose parts make up the result, in part order."""
        return self._parts.counted()

    def table(self, commit: Commit, columns: Iterable[str] | None = None) -> pa.Table:
        """Return the columns run, cell, status and steps of all pairs in a part."""
        import pyarrow as pa

        rows = self._parts.table(commit, ["run", "cell", "status", self._updates, *self._names])
        run, cell, last = (rows[name].to_numpy() for name in ("run", "cell", self._updates))
        status, steps = status_codes(rows["status"]), np.stack([rows[name].to_numpy() for name in self._names])
        met = steps >= 0
        pair = cell * len(steps) + np.arange(len(steps))[:, None]
        found = {
            "run": pair * self._n_seeds + run % self._n_seeds,
            "cell": pair,
            "status": np.where(met, _CONVERGED, np.where(status == _CONVERGED, _EXHAUSTED, status)),
            "steps": np.where(met, steps, last),
        }
        return pa.table({name: (status_array if name == "status" else pa.array)(found[name].ravel()) for name in found})


class ThresholdRuns(OtherCells, PoolsReplicates):
    """The runs of a result, evaluated by each recorded loss threshold; ``loss_threshold`` is one more parameter.

    A run converges at the step at which its loss first falls below the threshold. If the run ended before, whatever its
    status, it did not converge.

    Attributes
    ----------
    study : Study
        The study as if its loss thresholds were its last parameter.
    complete : bool
        Whether the result has all runs.
    """

    def __init__(self, result: Queries) -> None:
        thresholds = result.study.record.loss_thresholds
        if not thresholds:
            raise SweepError(
                "the study records no loss thresholds; run it with --set record.loss_thresholds=[1.0,0.1,0.01]"
            )
        if not result.keeps_runs:
            raise StoreError("this result has no rows of runs, which hold the steps to each loss threshold")
        study = cast("Study", ThresholdStudy(result.study))
        parts = ThresholdParts(result.stored, result.study)
        n_runs = sum(commit.n_runs for commit in parts.counted()) * len(thresholds)
        facts = {"complete": result.complete, "n_runs": n_runs, "digest": None}
        super().__init__(study, facts, parts, RunMeasures(study, parts, independent_of="loss threshold"))

    def export(
        self,
        to: str | None = None,
        by: str | Sequence[str] = (),
        *,
        out: str | Path | None = None,
        sort: str | None = None,
        top: int | None = None,
    ) -> str | None:
        """Write the table of cells as CSV, JSON or TeX; see :meth:`sweep.Result.export`."""
        return export(self, to, listed(by), out, sort, top)

    def __repr__(self) -> str:
        """Return the study and its thresholds."""
        thresholds = ", ".join(map(short, self.study.parameters[LOSS_THRESHOLD]))
        return f"<Thresholds {thresholds} of {self.study.name!r}>"

    def _repr_html_(self) -> str:
        """Return the cells as HTML."""
        return str(self.cells.to_html(max_rows=20, index=False))
