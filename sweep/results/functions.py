"""The functions that networks learned: how many runs learned each of the most frequent ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sweep.analysis.cells import group_of, values_of_groups
from sweep.errors import SweepError
from sweep.results.answers import check_swept
from sweep.results.estimate import pairs_seeds
from sweep.statistics.estimates import Rate
from sweep.statistics.intervals import wilson_interval
from sweep.statistics.outcomes import Measured
from sweep.statistics.runs import Runs
from sweep.study.selection import check_top

if TYPE_CHECKING:
    from sweep.results.evaluated_runs import EvaluatedRuns
    from sweep.results.run_rows import RunRows

_NAME = "learned_function"


def functions_by(result: EvaluatedRuns, rows: RunRows, by: Sequence[str], top: int | None) -> pd.DataFrame:
    """Return how many runs learned each function; see :meth:`sweep.Result.functions`.

    One cell has Wilson's interval. The interval over several cells counts each seed once, and each replicate of those
    that ``result`` pools over. It is missing for a partial result, and if there are too many runs to pair.
    """
    if _NAME not in result.study.record.measures:
        raise SweepError(f"the study does not record {_NAME}; run it with --set record.measures={_NAME}")
    check_swept(result.study, by)
    check_top(top)
    runs = rows.frame(["cell", "seed", _NAME])
    seeds = result.study.seeds
    runs["cell"], replicate = result.places_of(runs["cell"].to_numpy())
    runs["place"] = replicate * (seeds.count // result.n_pooled) + runs["seed"] - seeds.base
    runs["group"] = group_of(result.study.grid, by, runs["cell"].to_numpy())
    counts = runs.groupby(["group", _NAME]).size().rename("n_learned").reset_index()
    counts = counts.sort_values(["group", "n_learned", _NAME], ascending=[True, False, True])
    table = counts.groupby("group").head(top or len(counts)).set_index("group")
    table.insert(1, "n_runs", runs.groupby("group").size().reindex(table.index))
    table["share"] = table["n_learned"] / table["n_runs"]
    table["share_low"], table["share_high"] = _intervals(result, runs, table)
    names = values_of_groups(result.study.grid, by, runs["cell"].to_numpy())
    return names.join(table, how="right").reset_index(drop=True)


def _intervals(
    result: EvaluatedRuns, runs: pd.DataFrame, table: pd.DataFrame
) -> tuple[pd.Series[float], pd.Series[float]]:
    """Return the ends of the intervals of shares."""
    ends = np.column_stack(wilson_interval(table["n_learned"].to_numpy(), table["n_runs"].to_numpy()))
    cells_of = runs.groupby("group")["cell"].unique()
    may_pair = result.complete and pairs_seeds(result)
    learned = np.full((result.study.n_cells, result.study.seeds.count), -2, np.int64)  # -2: no run
    learned[runs["cell"], runs["place"]] = runs[_NAME]
    for k, (group, function) in enumerate(zip(table.index, table[_NAME], strict=True)):
        cells = cells_of[group]
        if len(cells) > 1 or result.replicates > 1:
            of_group = learned[cells]
            steps = np.where(of_group == -2, -1, 0).astype(np.int32)
            outcomes = Measured.of_ends(steps, of_group == function, result.replicates)
            shared = Runs.of_measured(outcomes, np.zeros(len(cells), np.int64))
            ends[k] = np.ravel(Rate(shared, shared.converged).ends()) if may_pair else np.nan
    low, high = (pd.Series(end, table.index) for end in ends.T)
    return low, high
