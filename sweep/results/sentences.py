"""The answer of a result in sentences: converged runs, best cell, and importance of parameters."""

from __future__ import annotations

from math import ceil, inf
from typing import TYPE_CHECKING

from sweep.results.answers import judges_convergence, n_not_worse, swept
from sweep.results.pooled_cells import pairs_seeds, sum_over
from sweep.results.queries import ResultQueries
from sweep.statistics.importance import LEAST_SEEDS, SEED
from sweep.statistics.measures import STATISTIC_OF
from sweep.statistics.ranking import rank_cells, seeds_to_tell
from sweep.study.columns import statuses
from sweep.study.selection import At, values_at
from sweep.system.formatting import count_text, interval_text, list_text, name_text, rate_text, steps_text

if TYPE_CHECKING:
    import pandas as pd

    from sweep.study.model import Study

# Most terms in the sentence on shares of the variance.
_TOLD = 3

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
    if not judges_convergence(result.study):
        return [sentence for sentence in (coverage(result), *losses(result)) if sentence]
    sentences = [
        coverage(result),
        share(result),
        best_cell(result),
        restarts(result),
        what_matters(result),
        unjudged(result),
        uneven(result),
    ]
    return [sentence for sentence in sentences if sentence]


def of_each_cell(study: Study) -> str:
    """Return the note on the steps of cells, or on their losses if convergence is not judged."""
    if judges_convergence(study):
        return "median steps: by which half of all runs converged; expected steps (ERT): of all runs, per converged run"
    return "medians are of all runs; the loss of a diverged run counts as infinite"


def of_several_cells(result: ResultQueries) -> str:
    """Return the note on rates or medians over several cells, and on their intervals."""
    judged = judges_convergence(result.study)
    if result.complete:
        return f"{'rates' if judged else 'medians'} are of all runs together; {_INTERVALS[pairs_seeds(result)]}"
    if judged:
        return "rates are means over the cells that are there; those of several cells have no interval yet"
    return "medians weigh the cells that are there equally; those of several cells have no interval yet"


def losses(result: ResultQueries) -> list[str]:
    """Return the sentences on a fixed budget: final losses, diverged runs and the best cell."""
    cells, statistic = result.cells, STATISTIC_OF["final_loss"]
    if cells[statistic].isna().all():
        return ["convergence is not judged (criterion 'none'), and this result has no final losses"]
    (row,) = sum_over(result, []).to_dict("records")
    if result.complete:
        of = f" of {count_text(row['n_runs'], 'run')}" + (" together" if len(cells) > 1 else "")
    else:
        of = f" of the {len(cells):,} of {result.study.n_cells:,} cells trained so far, each counted alike,"
    told = [f"the median final loss{of} is {interval_text(row, statistic)}"] if row[statistic] == row[statistic] else []
    if row["n_diverged"]:
        n, n_runs = row["n_diverged"], row["n_runs"]
        told.append(f"{n:,} of {count_text(n_runs, 'run')} diverged, whose loss counts as infinite")
    told.append(best_loss(result))
    return ["convergence is not judged (criterion 'none')", *told, uneven(result)]


def best_loss(result: ResultQueries) -> str:
    """Return the sentence on the cell with the lowest median final loss; empty for a single cell."""
    cells, statistic = result.cells, STATISTIC_OF["final_loss"]
    if len(cells) == 1:
        return ""
    (best,) = rank_cells(cells, result.study, statistic).head(1).to_dict("records")
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
    cells = f"in {len(result.cells):,} of {result.study.n_cells:,} cells"
    return f"partial: {n_runs:,} of {whole:,} runs are trained ({100 * n_runs / whole:.0f} %), {cells}"


def unjudged(result: ResultQueries) -> str:
    """Return the sentence on cells without a criterion; empty if there are none."""
    if "none" not in result.study.values_of("criterion"):
        return ""
    return "cells with criterion 'none' are not judged and count as not converged"


def uneven(result: ResultQueries) -> str:
    """Return the sentence on cells with different numbers of seeds; empty without adaptive seeds."""
    if not result.study.seeds.until or len(result.cells) == 1:
        return ""
    return "cells have as many seeds as their intervals took (seeds.until); a rate over cells weighs them by that"


def share(result: ResultQueries) -> str:
    """Return the sentence on the shares of runs by status; for a partial result the means over its cells."""
    cells, n_cells, ends = result.cells, result.study.n_cells, statuses(result.study.has_patience)
    if not result.complete and n_cells > 1:
        means = {status: (cells[f"n_{status}"] / cells["n_runs"]).mean() for status in ends}
        first, *others = (
            f"{100 * mean:.1f} % {_ENDED.get(status, status)}"
            for status, mean in means.items()
            if mean or status == ends[0]
        )
        return f"on average over the {len(cells):,} of {n_cells:,} cells trained so far {first}" + (
            f"; {list_text(others)}" if others else ""
        )
    (row,) = sum_over(result, []).to_dict("records")
    counts = {status: row[f"n_{status}"] for status in ends[1:]}
    others = [f"{100 * n / row['n_runs']:.1f} % {_ENDED.get(status, status)}" for status, n in counts.items() if n]
    rate = rate_text(row, " %")
    if row["n_converged"] and rate.startswith("0.0 "):
        rate = f"{row['n_converged']:,} ({rate})"  # too few for one decimal of a percentage
    return f"of {count_text(row['n_runs'], 'run')} {rate} converged" + (f"; {list_text(others)}" if others else "")


def best_cell(result: ResultQueries) -> str:
    """Return the sentence on the best cell and its competitors; for a single cell that on its steps."""
    cells = result.cells
    (best,) = rank_cells(cells, result.study).head(1).to_dict("records")
    if not best["n_converged"]:
        return "no run converged" + (f" in any of the {len(cells):,} cells" if len(cells) > 1 else "")
    median = steps_text(best["steps_q50"])
    expected = f"{steps_text(best['expected_steps'])} steps per converged run"
    steps = f"median {median} steps" if median != "-" else expected
    if len(cells) == 1:
        return f"{steps}, {expected}" if median != "-" else expected
    text = f"{rate_text(best, ' %')} of {count_text(best['n_runs'], 'run')} converged, {steps}"
    which = "best cell" if result.complete else "best cell so far"
    return f"{which}: {name_text(best, swept(result.study))}: {text}{_others(result)}"


def restarts(result: ResultQueries) -> str:
    """Return the sentence on whether restarts help in the best cell; empty if that is not known, or there are some."""
    if result.study.restarts.most:
        return ""
    (best,) = rank_cells(result.cells, result.study).head(1).to_dict("records")
    steps = [best[f"restarted_steps{end}"] for end in ("", "_low", "_high")]
    if any(steps_text(each) == "-" for each in steps) or not best["restart_steps"]:
        return ""
    took, low, high = map(steps_text, steps)
    with_them = (
        f"a success takes {took} [{low}, {high}] steps with them and {steps_text(best['expected_steps'])} without"
    )
    which = "in that cell" if len(result.cells) > 1 else "here"
    if steps[2] < best["expected_steps"]:
        return f"restarts after {steps_text(best['restart_steps'])} steps help {which}: {with_them}"
    return f"restarts are not shown to help {which}: {with_them}"


def _others(result: ResultQueries) -> str:
    """Return a clause on the other cells that may be the best, on common seeds if rows can be read."""
    if pairs_seeds(result):
        return f"; {may_be_best(result.best(), result.study)}"
    n = n_not_worse(result)
    if n > 1:
        return f"; intervals of {n:,} other cells overlap with it"
    return "; the interval of one other cell overlaps with it" if n else ""


def may_be_best(ranked: pd.DataFrame, study: Study, at: At | None = None) -> str:
    """Return the sentence on the cells that may be the best, and on the seeds that would single out one.

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
    n, n_compared = int(ranked["may_be_best"].sum()), int(ranked["may_be_best"].notna().sum())
    of = "" if n_compared == n_cells else f" of the {n_compared:,} cells that have all runs"
    if n_compared == 1:
        return "no other cell has all runs" if of else "there is one cell"
    if n == 1:
        return f"with 95 % confidence no other{of or ' cell'} is better"
    text = f"with 95 % confidence the best{of} is one of {n:,}{'' if of else ' cells'}"
    n_seeds = seeds_to_tell(ranked)
    if n_seeds == inf:
        return f"{text}, some of which hardly differ"
    digits = len(str(int(n_seeds))) - 2
    rounded = ceil(n_seeds / 10**digits) * 10**digits if digits > 0 else ceil(n_seeds)
    return f"{text}, and about {rounded:,} seeds per cell could tell which if they differ as here"


def what_matters(result: ResultQueries) -> str:
    """Return the sentence on the largest shares of the variance between runs; empty if they are not known."""
    if not result.complete or not swept(result.study):
        return ""
    if result.study.seeds.count < LEAST_SEEDS:
        return f"importance of parameters is estimated from at least {LEAST_SEEDS} seeds per cell"
    table = result.importance(errors=False)
    seed = float(table.loc[table["term"] == SEED, "total_share"].iloc[0])
    told = table[table["share"] >= 0.005].sort_values("share", ascending=False, kind="stable")
    words = []
    for row in told[told["part_of"].isna()].head(_TOLD).to_dict("records"):
        parts = told[told["part_of"] == row["term"]].head(_TOLD).to_dict("records")
        alone = list_text([f"{part['term']} by itself about {100 * part['share']:.0f} %" for part in parts])
        words.append(f"{row['term']} {100 * row['share']:.0f} %" + (f" ({alone})" if parts else ""))
    if seed >= 0.005:
        words.append(f"the seed, by itself and with parameters, {100 * seed:.0f} %")
    return f"what matters for whether a run converges: {list_text(words)} of the variance between runs" if words else ""
