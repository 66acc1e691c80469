"""The best cells on the terminal: all cells ranked, or the best one for each value of some parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sweep.results.answers import default_statistic, names_of, split_by, swept
from sweep.results.result import Result
from sweep.results.sentences import may_be_best
from sweep.statistics.measures import MEASURES, counts_outputs, measure_of
from sweep.statistics.ranking import RANKED_BY
from sweep.study.model import Study
from sweep.study.selection import At
from sweep.system.formatting import (
    chance_text,
    count_text,
    interval_text,
    measure_texts,
    name_text,
    rate_text,
    short,
    steps_text,
)
from sweep.terminal.tables import add_column, how_many, make_table, print_table

if TYPE_CHECKING:
    import pandas as pd

_OTHER_LINES = 10
# Columns of statistics, by the kind of statistic that ranks the cells.
_OF_CONVERGENCE = ("rate, %\n[95 % interval]", "median_steps", "expected_steps")
_OF_MEASURES = {
    name: (f"mean of {words}\n[95 % interval]",)
    if counts_outputs(name)
    else (
        f"median {words}\n[95 % interval]",
        "middle half",
        "finite, %",
    )
    for name, words in MEASURES.items()
}
LOSS_HEADS = _OF_MEASURES["final_loss"]


def print_best(result: Result, by: str | Sequence[str] = (), top: int | None = None, at: At | None = None) -> None:
    """Print the cells ranked, and the number of those that may be the best; or the best for each value of parameters.

    Parameters
    ----------
    result
        Complete or partial.
    by, at
        As for :meth:`sweep.Result.best`.
    top
        Lines to print; by default those that fit on the screen.

    Raises
    ------
    SweepError
        If cells cannot be ranked by the statistic, ``top`` is below 1, or there is no criterion.
    """
    names = [by] if isinstance(by, str) else list(by)
    parameters, given = split_by(result.study, names, RANKED_BY)
    statistic = given or default_statistic(result.study)
    table = result.best(by, at=at)
    n_shown = how_many(len(table), top, _OTHER_LINES)
    if parameters:
        _print_each(result.study, table.head(n_shown), len(table), parameters, statistic)
        return
    alike = not measure_of(statistic) and not table["n_converged"].any()
    shown = table.head(n_shown).assign(may_be_best=False) if alike else table.head(n_shown)
    _print_ranked(result.study, shown, len(table), statistic)
    print("no run converged, so no cell is better than another" if alike else _told_apart(table, result.study, at))


def _print_ranked(study: Study, ranked: pd.DataFrame, n_cells: int, statistic: str) -> None:
    """Print a line for each cell."""
    names, measure = swept(study), measure_of(statistic)
    table = make_table(f"{len(ranked):,} of {count_text(n_cells, 'cell')}, best first{_by(study, statistic)}")
    for name in ("rank", "cell", *names):
        add_column(table, name)
    for name in _OF_MEASURES[measure] if measure else _OF_CONVERGENCE:
        table.add_column(name.replace("_", "\n"), justify="right", no_wrap=True)
    add_column(table, "p_value\n(Holm)")
    table.add_column("")
    for row in ranked.to_dict("records"):
        word = "may be the best" if row["may_be_best"] is True else ""
        parameters = [short(row[name]) for name in names]
        told = measure_texts(row, measure) if measure else _convergence_texts(row)
        table.add_row(str(row["rank"]), str(row["cell"]), *parameters, *told, chance_text(row["p_value_holm"]), word)
    print_table(table)


def _convergence_texts(row: Mapping[Any, Any]) -> list[str]:
    """Return the statistics of convergence of a cell as texts."""
    return [rate_text(row), *(_with_interval(row, name) for name in ("steps_q50", "expected_steps"))]


def _with_interval(row: Mapping[Any, Any], name: str) -> str:
    """Return steps with their interval; a dash if they are missing."""
    value, low, high = (steps_text(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
    return value if value == "-" else f"{value} [{low} to {high}]"


def _by(study: Study, statistic: str) -> str:
    """Return the clause on the statistic of the ranking; empty for the default statistic."""
    return "" if statistic == default_statistic(study) else f" by {names_of([statistic])[0]}"


def _told_apart(ranked: pd.DataFrame, study: Study, at: At | None) -> str:
    """Return the sentence on the cells that may be the best, or why that is not known."""
    if len(ranked) == 1:
        return "there is one cell"
    if ranked["may_be_best"].isna().all():
        return "finding the cells that may be the best needs the rows of runs, and this result keeps none"
    told = f"{may_be_best(ranked, study, at)}; compared on common seeds with the first, at 5 % for all cells (Holm)"
    lacking = int(ranked["may_be_best"].isna().sum())
    if not lacking:
        return told
    lack = (
        "1 cell that lacks runs is ranked last and"
        if lacking == 1
        else f"{lacking:,} cells that lack runs are ranked last and"
    )
    return f"{told}; {lack} not compared"


def _print_each(study: Study, best: pd.DataFrame, n_rows: int, by: Sequence[str], statistic: str) -> None:
    """Print a line for the best cell of each combination of the values of some parameters."""
    of = "value" if len(by) == 1 else "combination"
    name = names_of([statistic])[0]
    which = f"{len(best):,} of {count_text(n_rows, of)} of {', '.join(by)}"
    table = make_table(f"the best cell for {which}, best first{_by(study, statistic)}")
    others = [each for each in swept(study) if each not in by]
    for each in (*by, "best of", "cell"):
        add_column(table, each)
    table.add_column("there", no_wrap=True)
    table.add_column(f"{name}{', %' if name == 'rate' else ''}\n[95 % interval of the best of k]", justify="right")
    for row in best.to_dict("records"):
        values = [short(row[each]) for each in by]
        there = name_text(row, others) or "-"
        table.add_row(*values, f"{row['best_of']:,}", str(row["cell"]), there, _best_text(row, statistic))
    print_table(table)
    print(
        "intervals account for the choice of the best of k cells: those of all k hold together with 95 % "
        "(Bonferroni: each with level 1 - 0.05 / k)"
    )


def _best_text(row: Mapping[Any, Any], statistic: str) -> str:
    """Return the statistic of a best cell with its interval."""
    ends = {f"{statistic}{end}": row[column] for end, column in (
        ("", statistic), ("_low", "best_of_low"), ("_high", "best_of_high")
    )}  # fmt: skip
    if statistic == "convergence_rate":
        return rate_text(ends)
    return interval_text(ends, statistic) if measure_of(statistic) else _with_interval(ends, statistic)
