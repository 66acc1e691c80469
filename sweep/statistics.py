"""Convergence statistics of cells, from integer counts alone.

Counts of runs by (cell, status, steps), a *tally*, are enough for every statistic;
they add up exactly over shards, whatever the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sweep.digest import status_array, status_codes
from sweep.plan import Plan
from sweep.schema import STATUSES, arrow_schema, cells_columns

# 97.5 % quantile of the normal distribution: intervals hold 95 %.
Z = 1.959963984540054

QUANTILES = {"steps_q25": (1, 4), "steps_q50": (1, 2), "steps_q75": (3, 4)}

Array = NDArray[Any]


class Tally(NamedTuple):
    """Counts of runs by how they ended.

    Attributes
    ----------
    ends : (ends,) of int64
        Cell, status and steps as one number, ascending: two bits hold the status, and
        steps are below 2^31.
    n : (ends,) of int64
        Runs that ended so, at least one.
    """

    ends: Array
    n: Array

    @property
    def parts(self) -> tuple[Array, Array, Array]:
        """Cell, status (as code) and steps of each end."""
        return self.ends >> 33, ((self.ends >> 31) & 3).astype(np.int8), (self.ends & (2**31 - 1)).astype(np.int32)


def _encode(cell: Array, status: Array, steps: Array) -> Array:
    ends: Array = cell << 2
    ends |= status
    ends <<= 31
    ends |= steps
    return ends


def _count(ends: Array) -> Tally:
    """Count equal ends, which are sorted in place; np.unique copies, and takes up to five times as long."""
    ends.sort()
    first = np.append(0, np.flatnonzero(ends[1:] != ends[:-1]) + 1)
    return Tally(ends[first], np.diff(first, append=len(ends)))


def tally(cells: Array, counts: Array, status: Array, steps: Array) -> Tally:
    """Count runs by how they ended.

    Parameters
    ----------
    cells, counts : (cells,) of int64
        Different cells, in any order, and how many runs, one after the other, are of each.
    status, steps : (runs,)
        Status as codes; at least one run of each cell.
    """
    starts = np.cumsum(counts) - counts
    changes = steps[1:] != steps[:-1]
    changes |= status[1:] != status[:-1]
    changes[starts[1:] - 1] = False  # from cell to cell
    if changes.any():
        return _count(_encode(np.repeat(cells, counts), status, steps))
    order = np.argsort(cells)  # all runs of a cell end alike, as they do at a fixed length
    return Tally(_encode(cells, status[starts], steps[starts])[order], counts[order])


def tally_runs(runs: pa.Table) -> Tally:
    """Count the runs of a runs table that has at least cell, status and steps."""
    cell, steps = (runs[name].to_numpy() for name in ("cell", "steps"))
    return _count(_encode(cell, status_codes(runs["status"]), steps))


def tally_to_table(counts: Tally) -> pa.Table:
    """Return a tally as it is stored."""
    cell, status, steps = counts.parts
    return pa.table({"cell": cell, "status": status_array(status), "steps": steps, "n": counts.n})


def tally_from_table(table: pa.Table) -> Tally:
    """Return a stored tally."""
    cell, steps, n = (table[name].to_numpy() for name in ("cell", "steps", "n"))
    return Tally(_encode(cell, status_codes(table["status"]), steps), n)


def merge(tallies: Sequence[Tally]) -> Tally:
    """Add up tallies."""
    if len(tallies) == 1:
        return tallies[0]
    ends, n = (np.concatenate(column) for column in zip(*tallies, strict=True))
    unique, place = np.unique(ends, return_inverse=True)
    total = np.zeros(len(unique), np.int64)
    np.add.at(total, place, n)
    return Tally(unique, total)


def wilson_interval(successes: Array, trials: Array) -> tuple[Array, Array]:
    """Return the 95 % confidence interval of a rate.

    Notes
    -----
    Wilson, J. Amer. Statist. Assoc. 22 (1927) 209. The ends at no success and no
    failure are exactly 0 and 1.
    """
    rate = successes / trials
    spread = Z * np.sqrt(rate * (1 - rate) / trials + Z**2 / (4 * trials**2))
    middle, scale = rate + Z**2 / (2 * trials), 1 + Z**2 / trials
    low = np.where(successes == 0, 0.0, (middle - spread) / scale)
    high = np.where(successes == trials, 1.0, (middle + spread) / scale)
    return low, high


def summarize(ended: Tally, plan: Plan) -> pa.Table:
    """Return the cells table of a complete tally, one row a cell in cell order."""
    cell, status, steps = ended.parts
    n_ended, steps_ended = (np.zeros((plan.n_cells, len(STATUSES)), np.int64) for _ in range(2))
    np.add.at(n_ended, (cell, status), ended.n)
    np.add.at(steps_ended, (cell, status), steps * ended.n)
    converged = STATUSES.index("converged")
    n_runs, n_converged, steps_converged = n_ended.sum(axis=1), n_ended[:, converged], steps_ended[:, converged]
    low, high = wilson_interval(n_converged, n_runs)
    cells = np.arange(plan.n_cells)
    censored = (n_runs - n_converged) * plan.column("max_steps", cells)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.where(n_converged == 0, np.inf, steps_ended.sum(axis=1) / n_converged)
    columns: dict[str, Any] = {"cell": cells}
    columns |= {name: plan.column(name, cells) for name in plan.study.parameters}
    columns |= {"n_runs": n_runs}
    columns |= {f"n_{name}": n_ended[:, code] for code, name in enumerate(STATUSES)}
    columns |= {
        "convergence_rate": n_converged / n_runs,
        "convergence_rate_low": low,
        "convergence_rate_high": high,
    }
    of_converged = status == converged
    for name, (part, whole) in QUANTILES.items():
        columns[name] = _steps_reached(
            steps[of_converged], ended.n[of_converged], n_converged, -(-n_runs * part // whole)
        )
    columns |= {"restricted_mean_steps": (steps_converged + censored) / n_runs, "expected_steps": expected}
    schema = arrow_schema(cells_columns(plan.study))
    return pa.table([pa.array(columns[name]) for name in schema.names], schema=schema)


def _steps_reached(steps: Array, n: Array, n_converged: Array, needed: Array) -> pa.Array:
    """Return for each cell the fewest steps by which ``needed`` of its runs converged, or null.

    Parameters
    ----------
    steps, n : (ends,)
        Runs ``n`` that converged in so many ``steps``, cell by cell, ascending.
    n_converged, needed : (cells,)
        Runs that converged, and that are asked for.
    """
    never = needed > n_converged
    before = np.cumsum(n_converged) - n_converged
    place = np.searchsorted(np.cumsum(n), before + needed)
    values = np.append(steps, 0).astype(np.int64)[np.where(never, -1, place)]
    return pa.array(values, mask=never)
