"""The best cells on the terminal: all cells ranked, or the best one for each value of some parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sweep.measures import MEASURES
from sweep.results.answers import default_statistic, names_of, split_by, swept
from sweep.results.result import Result
from sweep.results.sentences import may_be_best
from sweep.statistics.of_cells import measure_of
from sweep.statistics.ranking import ranked_by
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
# Columns of statistics of convergence.
_OF_CONVERGENCE = ("rate, %\n[95 % interval]", "median_steps", "expected_steps")


def measure_heads(name: str) -> tuple[str, ...]:
    """Return the heads of the columns of a measure, as texts of them are made by ``measure_texts``."""
    measure = MEASURES[name]
    if measure.counts_outputs:
        return (f"mean of {measure.label}\n[95 % interval]",)
    return f"median {measure.label}\n[95 % interval]", "quartiles", "finite, %"


def print_best(result: Result, by: str | Sequence[str] = (), top: int | None = None, at: At | None = None) -> None:
    """Print the ranked cells, and how many may be the best; or the best cell for each value of some parameters.

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
    parameters, chosen = split_by(result.study, names, ranked_by())
    statistic = chosen or default_statistic(result.study)
    table = result.best(by, at=at)
    n_shown = how_many(len(table), top, _OTHER_LINES)
    if parameters:
        _print_each(result.study, table.head(n_shown), len(table), parameters, statistic)
        return
    none_converged = not measure_of(statistic) and not table["n_converged"].any()
    shown = table.head(n_shown).assign(may_be_best=False) if none_converged else table.head(n_shown)
    _print_ranked(result.study, shown, len(table), statistic)
    if none_converged:
        print("no run converged, so no cell is better than another")
    else:
        print(*_candidates(table, result.study, at), sep="\n")


def _print_ranked(study: Study, ranked: pd.DataFrame, n_cells: int, statistic: str) -> None:
    """Print a line for each cell."""
    names, measure = swept(study), measure_of(statistic)
    table = make_table(f"{_number(len(ranked), n_cells, 'cell')}, best first{_by(study, statistic)}")
    for name in ("rank", "cell", *names):
        add_column(table, name)
    for name in measure_heads(measure) if measure else _OF_CONVERGENCE:
        table.add_column(name.replace("_", "\n"), justify="right", no_wrap=True)
    add_column(table, "p-value\n(Holm)")
    table.add_column("")
    for row in ranked.to_dict("records"):
        note = "may be the best" if row["may_be_best"] is True else ""
        parameters = [short(row[name]) for name in names]
        texts = measure_texts(row, measure) if measure else _convergence_texts(row)
        table.add_row(str(row["rank"]), str(row["cell"]), *parameters, *texts, chance_text(row["p_value_holm"]), note)
    print_table(table)


def _convergence_texts(row: Mapping[Any, Any]) -> list[str]:
    """Return the statistics of convergence of a cell as texts."""
    return [rate_text(row), *(_with_interval(row, name) for name in ("steps_q50", "expected_steps"))]


def _with_interval(row: Mapping[Any, Any], name: str) -> str:
    """Return steps with their interval; a dash if they are missing."""
    value, low, high = (steps_text(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
    ends = f"{low} or more" if high == "-" else f"{low} to {high}"
    return value if value == "-" else f"{value} [{ends}]"


def _by(study: Study, statistic: str) -> str:
    """Return the clause on the statistic of the ranking; empty for the default statistic."""
    return "" if statistic == default_statistic(study) else f" by {names_of([statistic])[0]}"


def _number(n_shown: int, n_rows: int, what: str) -> str:
    """Return the number of rows, and of those that are shown if these are fewer."""
    return ("" if n_shown == n_rows else f"{n_shown:,} of ") + count_text(n_rows, what)


def _candidates(ranked: pd.DataFrame, study: Study, at: At | None) -> list[str]:
    """Return the sentences on the cells that may be the best, or why that is not known."""
    if len(ranked) == 1:
        return ["there is only one cell"]
    if ranked["may_be_best"].isna().all():
        return ["which cells may be the best is unknown: this result keeps no rows of runs (--keep runs keeps them)"]
    return [
        may_be_best(ranked, study, at),
        "p-values compare each cell with the first on common seeds, adjusted for the number of cells (Holm)",
    ]


def _print_each(study: Study, best: pd.DataFrame, n_rows: int, by: Sequence[str], statistic: str) -> None:
    """Print a line for the best cell of each combination of the values of some parameters."""
    name, which = names_of([statistic])[0], _number(len(best), n_rows, "value" if len(by) == 1 else "combination")
    table = make_table(f"the best cell for each of {which} of {', '.join(by)}, best first{_by(study, statistic)}")
    others = [each for each in swept(study) if each not in by]
    for each in (*by, "best of", "cell"):
        add_column(table, each)
    table.add_column("other parameters", no_wrap=True)
    table.add_column(f"{name}{', %' if name == 'rate' else ''}\n[95 % interval of the best of k]", justify="right")
    for row in best.to_dict("records"):
        values = [short(row[each]) for each in by]
        rest = name_text(row, others) or "-"
        table.add_row(*values, f"{row['best_of']:,}", str(row["cell"]), rest, _best_text(row, statistic))
    print_table(table)
    print(
        "intervals allow for the choice of the best of k cells: all k intervals hold together with 95 % confidence "
        "(Bonferroni)"
    )


def _best_text(row: Mapping[Any, Any], statistic: str) -> str:
    """Return the statistic of a best cell with its interval."""
    ends = {f"{statistic}{end}": row[column] for end, column in (
        ("", statistic), ("_low", "best_of_low"), ("_high", "best_of_high")
    )}  # fmt: skip
    if statistic == "convergence_rate":
        return rate_text(ends)
    return interval_text(ends, statistic) if measure_of(statistic) else _with_interval(ends, statistic)
