"""The answer of a result in sentences: converged runs, best cell, and importance of parameters."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING, Any

from sweep.results.answers import has_criterion, n_not_worse, swept
from sweep.results.pooled_cells import pairs_seeds, sum_over
from sweep.results.queries import ResultQueries
from sweep.statistics.importance import LEAST_SEEDS, REST, SEED, SEED_WITH_OTHERS
from sweep.statistics.measures import STATISTIC_OF
from sweep.statistics.ranking import rank_cells
from sweep.study.columns import statuses
from sweep.study.selection import At, values_at
from sweep.system.formatting import count_text, interval_text, list_text, name_text, rate_text, steps_text

if TYPE_CHECKING:
    import pandas as pd

    from sweep.study.model import Study

# Most terms in the sentence on shares of the variance.
_TOLD = 3

# Shares of the variance are told up to this size, which chance exceeds, and this standard error.
_LARGEST_SHARE, _LARGEST_ERROR = 1.005, 0.2

# How a share of runs ended, where that is not the name of the status.
_ENDED = {"plateau": "on a plateau"}

# The note on intervals of several cells, by whether they are computed from rows of runs.
_INTERVALS = {
    True: "the intervals count each seed once, since cells share seeds",
    False: "without intervals, since cells share seeds, and rows of runs are not kept or too many to be read for this",
}


def answer(result: ResultQueries) -> list[str]:
    """Return the sentences of the answer: share of converged runs, best cell, restarts and importance."""
    if not result.complete and not result.facts["n_runs"]:
        return [coverage(result)]
    if not has_criterion(result.study):
        return [sentence for sentence in (coverage(result), *losses(result)) if sentence]
    sentences = [
        coverage(result),
        share(result),
        best_cell(result),
        restarts(result),
        what_matters(result),
        unevaluated(result),
        uneven(result),
    ]
    return [sentence for sentence in sentences if sentence]


def of_each_cell(study: Study) -> str:
    """Return the note on the steps of cells, or on their losses if there is no criterion."""
    if has_criterion(study):
        return "median steps: by which half of all runs converged; expected steps (ERT): of all runs, per converged run"
    return "medians are of all runs; the loss of a diverged run counts as infinite"


def of_several_cells(result: ResultQueries) -> str:
    """Return the note on rates or medians over several cells, and on their intervals."""
    what = "rates" if has_criterion(result.study) else "medians"
    if result.even:
        return f"{what} are of all runs together; {_INTERVALS[pairs_seeds(result)]}"
    intervals = _INTERVALS[pairs_seeds(result) and has_criterion(result.study)]
    if what == "rates":
        return f"rates are means over cells, of which each counts equally; {intervals}"
    return "medians weigh cells equally; those of several cells have no interval"


def losses(result: ResultQueries) -> list[str]:
    """Return the sentences on a fixed budget: final losses, diverged runs and the best cell."""
    cells, statistic = result.cells, STATISTIC_OF["final_loss"]
    if cells[statistic].isna().all():
        return ["there is no criterion (criterion 'none'), and this result has no final losses"]
    (row,) = sum_over(result, []).to_dict("records")
    if result.even:
        of = f" of {count_text(row['n_runs'], 'run')}" + (" together" if len(cells) > 1 else "")
    else:
        of = f" of {_trained(result)}, each of which counts equally,"
    told = [f"the median final loss{of} is {interval_text(row, statistic)}"] if row[statistic] == row[statistic] else []
    if row["n_diverged"]:
        n, n_runs = row["n_diverged"], row["n_runs"]
        told.append(f"{n:,} of {count_text(n_runs, 'run')} diverged, whose loss counts as infinite")
    told.append(best_loss(result))
    return ["there is no criterion (criterion 'none')", *told, uneven(result)]


def best_loss(result: ResultQueries) -> str:
    """Return the sentence on the cell with the lowest median final loss; empty for a single cell."""
    cells, statistic = result.cells, STATISTIC_OF["final_loss"]
    if len(cells) == 1:
        return ""
    (best,) = rank_cells(cells, statistic).head(1).to_dict("records")
    if best[statistic] == inf:
        return f"in none of the {len(cells):,} cells half of the runs end with a finite loss"
    which = "best cell" if result.complete else "best cell so far"
    text = f"median final loss {interval_text(best, statistic)} of {count_text(best['n_runs'], 'run')}"
    return f"{which}: {name_text(best, swept(result.study))}: {text}{_others(result)}"


def coverage(result: ResultQueries) -> str:
    """Return the sentence on the trained part of a partial result; empty for a complete one."""
    if result.complete:
        return ""
    n_runs, whole = result.facts["n_runs"], result.study.n_runs
    n, n_cells = len(result.cells), result.study.n_cells
    cells = f"in all {n:,} cells" if n == n_cells > 1 else f"in {n:,} of {count_text(n_cells, 'cell')}"
    most = "at most " if result.study.seeds.until else ""
    return f"partial: {n_runs:,} of {most}{whole:,} runs are trained ({100 * n_runs // whole} %), {cells}"


def unevaluated(result: ResultQueries) -> str:
    """Return the sentence on cells without a criterion; empty if there are none."""
    if "none" not in result.study.values_of("criterion"):
        return ""
    return "cells with criterion 'none' are not evaluated and count as not converged"


def uneven(result: ResultQueries) -> str:
    """Return the sentence on cells with different numbers of seeds; empty without adaptive seeds."""
    n_runs = result.cells["n_runs"]
    if not result.study.seeds.until or not result.complete or n_runs.nunique() == 1:
        return ""
    return f"cells have {n_runs.min():,} to {n_runs.max():,} seeds, as their intervals took (seeds.until)"


def share(result: ResultQueries) -> str:
    """Return the sentence on the shares of runs by status; if cells are uneven the means over them."""
    cells, ends = result.cells, statuses(result.study.has_patience)
    (row,) = sum_over(result, []).to_dict("records")
    rate = rate_text(row, " %")
    if row["n_converged"] and rate.startswith("0.0 "):
        rate = f"{row['n_converged']:,} ({rate})"  # too few for one decimal of a percentage
    means = {status: (cells[f"n_{status}"] / cells["n_runs"]).mean() for status in ends[1:]}
    others = [
        f"{100 * mean:.1f} % {_ENDED.get(status, status)}" if mean >= 0.0005 else f"{row[f'n_{status}']:,} {status}"
        for status, mean in means.items()
        if mean
    ]
    of = f"of {count_text(row['n_runs'], 'run')}"
    if not result.even and len(cells) > 1:
        of = f"on average over {_trained(result)}"
    return f"{of} {rate} converged" + (f"; {list_text(others)}" if others else "")


def _trained(result: ResultQueries) -> str:
    """Return the number of cells that are trained."""
    n, n_cells = len(result.cells), result.study.n_cells
    return count_text(n, "cell") if n == n_cells else f"the {n:,} of {count_text(n_cells, 'cell')} trained so far"


def best_cell(result: ResultQueries) -> str:
    """Return the sentence on the best cell and its competitors; for a single cell that on its steps."""
    cells = result.cells
    if not cells["n_converged"].any():
        where = f" in any of {_trained(result)}" if len(cells) > 1 else ""
        return f"no run converged{where}"
    (best,) = rank_cells(cells).head(1).to_dict("records")
    median = steps_text(best["steps_q50"])
    expected = f"{steps_text(best['expected_steps'])} steps per converged run"
    steps = f"median {median} steps" if median != "-" else expected
    if len(cells) == 1:
        return f"{steps}, {expected}" if median != "-" else expected
    text = f"{rate_text(best, ' %')} of {count_text(best['n_runs'], 'run')} converged, {steps}"
    which = "best cell" if result.complete else "best cell so far"
    return f"{which}: {name_text(best, swept(result.study))}: {text}{_others(result)}"


def restarts(result: ResultQueries) -> str:
    """Return the sentence on restarts where they help in the best cell; empty where they do not, or there are some."""
    if result.study.restarts.max_restarts:
        return ""
    (best,) = rank_cells(result.cells).head(1).to_dict("records")
    if not best["restarted_steps_high"] < best["expected_steps_low"]:  # missing with few successes
        return ""
    with_them, without = (
        f"{took} [{low}, {high}]"
        for took, low, high in (
            [steps_text(best[f"{name}{end}"]) for end in ("", "_low", "_high")]
            for name in ("restarted_steps", "expected_steps")
        )
    )
    after, where = steps_text(best["restart_steps"]), "in that cell" if len(result.cells) > 1 else "here"
    return (
        f"restarts after {after} steps help {where}: a success takes {with_them} steps with them and {without} without"
    )


def _others(result: ResultQueries) -> str:
    """Return a clause on the other cells that may be the best, on common seeds if rows can be read."""
    if pairs_seeds(result):
        return f"; {may_be_best(result.best(), result.study)}"
    n = n_not_worse(result)
    if n > 1:
        return f"; intervals of {n:,} other cells overlap with it"
    return "; the interval of one other cell overlaps with it" if n else ""


def may_be_best(ranked: pd.DataFrame, study: Study, at: At | None = None) -> str:
    """Return the sentence on the cells that may be the best.

    Parameters
    ----------
    ranked
        The table of :meth:`Result.best` for all cells, with p-values.
    study
        The study of the result.
    at
        Selected values of some parameters.

    Returns
    -------
    str
        The sentence, without a final period.
    """
    n_cells = study.grid.n_cells_at(values_at(study, at))
    n, n_compared = int(ranked["may_be_best"].sum()), len(ranked)
    if n_compared == 1:
        return "there is one cell" if n_cells == 1 else "no other cell is trained yet"
    trained = "" if n_compared == n_cells else f" of the {n_compared:,} cells trained so far"
    if n == 1:
        return f"with 95 % confidence no other{trained or ' cell'} is better"
    return f"with 95 % confidence the best{trained} is one of {n:,}{'' if trained else ' cells'}"


def what_matters(result: ResultQueries) -> str:
    """Return the sentence on the largest shares of the variance between runs; empty if they are not known."""
    if not result.complete or not swept(result.study):
        return ""
    if result.cells["n_runs"].min() < LEAST_SEEDS:
        return f"importance of parameters is estimated from at least {LEAST_SEEDS} seeds per cell"
    table = result.importance(errors=pairs_seeds(result))
    shares, errors = table[["share", "total_share"]].to_numpy(), table["share_error"].to_numpy()
    if (shares > _LARGEST_SHARE).any() or (errors > _LARGEST_ERROR).any():
        few = "failed" if result.cells["convergence_rate"].mean() > 0.5 else "converged"
        return f"too few runs {few} to say what matters for whether a run converges"
    (seed,) = table[table["term"] == SEED].to_dict("records")
    large = table[table["share"] >= 0.005].sort_values("share", ascending=False, kind="stable")
    of_parameters = large[large["part_of"].isna() & ~large["term"].isin([SEED, SEED_WITH_OTHERS])]
    words = []
    for row in of_parameters.head(_TOLD).to_dict("records"):
        parts = large[large["part_of"] == row["term"]].head(_TOLD).to_dict("records")
        alone = list_text([f"{part['term']} by itself {_share(part)}" for part in parts])
        kind = "interaction" if " x " in row["term"] or row["term"] == REST else "main effect"
        words.append(f"{row['term']} {_share(row)} ({alone if parts else kind})")
    if seed["total_share"] >= 0.005:
        words.append(f"the seed {_share(seed, 'total_share')} (total effect)")
    what = "what matters for whether a run converges, in shares of the variance between runs"
    return f"{what}: {list_text(words)}" if words else ""


def _share(row: Mapping[Any, Any], name: str = "share") -> str:
    """Return a share of variance in percent, with its standard error if that is known."""
    value, error = 100 * row[name], 100 * row[f"{name}_error"]
    if error != error:
        return f"{value:.0f} %"
    return f"{value:.0f} ± {error:.0f} %" if error >= 0.95 else f"{value:.1f} ± {max(error, 0.1):.1f} %"
