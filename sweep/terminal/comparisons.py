"""Comparisons of values of a parameter, or of two results, on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sweep.system.formatting import (
    chance_text,
    difference_text,
    short,
    steps_difference_text,
    steps_ratio_text,
)
from sweep.system.plain_values import is_integer
from sweep.terminal.tables import add_column, how_many, make_table, print_table, too_wide

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

_OTHER_LINES = 10
_RATES = ("rate of\nfirst,\n%", "rate of\nsecond,\n%", "difference, %\n[95 % interval]", "p-value\n(Holm)")
_FASTER = ("first\nfaster,\n%", "second\nfaster,\n%")
_STEPS = (
    *("p-value\n(Holm)", "expected steps,\nfirst / second\n[95 % interval]"),
    "mean steps,\nfirst - second\n[95 % interval]",
)
# Lines between two tables: headers of up to three lines, a rule, a title and an empty line.
_BETWEEN = 6


def print_comparison(table: pd.DataFrame, by: Sequence[str], top: int | None) -> None:
    """Print comparisons of rates and of steps, a line each. If not all fit, print those with the smallest p-values.

    Parameters
    ----------
    table
        The table of :meth:`sweep.Result.compare`.
    by
        Its parameters.
    top
        Lines of each table; by default those that fit on the screen.

    Raises
    ------
    SweepError
        If ``top`` is below 1.
    """
    n_shown = how_many(len(table), top, _OTHER_LINES + _BETWEEN + len(table))  # besides the other table
    smallest = table[["p_value", "p_steps"]].min(axis=1).sort_values(kind="stable").index
    rows = (table if n_shown == len(table) else table.loc[smallest[:n_shown]]).to_dict("records")
    of_all = f", {n_shown:,} of {len(table):,} comparisons, smallest p-values first" if n_shown < len(table) else ""
    _print_fitting(lambda whole: _rates(rows, by, whole=whole), f"rates{of_all}", "seeds need")
    print()
    _print_fitting(lambda whole: _steps(rows, by, whole=whole), f"steps{of_all}", "faster runs need")
    print(*_explained(rows), sep="\n")


def _print_fitting(make: Callable[[bool], Table], title: str, dropped: str) -> None:
    """Print a table. On a narrow screen omit some columns, which the title names."""
    table = make(True)
    width = too_wide(table)
    if width:
        table = make(False)
        title += f" ({dropped} a screen {width} columns wide)"
    table.title = title
    print_table(table)


def _rates(rows: Sequence[dict[Any, Any]], by: Sequence[str], *, whole: bool) -> Table:
    """Return the table of rates; numbers of seeds and pairs only in the ``whole`` table."""
    shown = make_table()
    with_margin = "equivalent" in rows[0]
    several = any(row["n_pairs"] > row["n_seeds"] for row in rows)
    counts = ["seeds", *(["pairs"] if several else [])] if whole else []
    for name in (*by, "first", "second", *counts):
        add_column(shown, name)
    for name in (*_RATES, "equivalent") if with_margin else _RATES:
        shown.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        difference = difference_text(*(row[f"difference{end}"] for end in ("", "_low", "_high")))
        rates = [f"{100 * row[f'{side}_rate']:.1f}" for side in ("first", "second")]
        values = [short(row[name]) for name in (*by, "first", "second")]
        values += [f"{row[name]:,}" for name in (f"n_{what}" for what in counts)]
        equivalent = [{True: "yes", False: "not shown"}.get(row["equivalent"], "-")] if with_margin else []
        shown.add_row(*values, *rates, difference, chance_text(row["p_value_holm"]), *equivalent)
    return shown


def _steps(rows: Sequence[dict[Any, Any]], by: Sequence[str], *, whole: bool) -> Table:
    """Return the table of steps; shares of faster runs only in the ``whole`` table."""
    shown = make_table()
    for name in (*by, "first", "second"):
        add_column(shown, name)
    for name in (*_FASTER, *_STEPS) if whole else _STEPS:
        shown.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        faster = [f"{100 * row[f'{side}_faster']:.1f}" for side in ("first", "second")] if whole else []
        values = [short(row[name]) for name in (*by, "first", "second")]
        ratio = steps_ratio_text(row, ("first", "second"))
        mean = steps_difference_text(*(row[f"restricted_mean_difference{end}"] for end in ("", "_low", "_high")))
        shown.add_row(*values, *faster, chance_text(row["p_steps_holm"]), ratio, mean)
    return shown


def _explained(rows: Sequence[dict[Any, Any]]) -> list[str]:
    """Return the definitions of compared steps and of equivalence."""
    limits = {row["steps_limit"] if is_integer(row["steps_limit"]) else None for row in rows}
    limit = f"{limits.pop():,}, " if len(limits) == 1 and None not in limits else ""
    sentences = [
        "expected steps (ERT): the steps of all runs, divided by the number of converged runs",
        f"mean steps (RMST): a run that does not converge counts as {limit}the smaller limit of both sides",
    ]
    if "equivalent" in rows[0]:
        sentences.append(
            "equivalent: tests exclude a difference of the margin or more, at 5 % for all rows together (Holm)"
        )
    return sentences
