"""The best cells, comparisons and what matters, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sweep.terminal.tables import add_column, how_many, make_table, print_table
from sweep.wording import (
    chance_text,
    difference_text,
    short,
    steps_difference_text,
    steps_ratio_text,
)

if TYPE_CHECKING:
    import pandas as pd

_OTHER_LINES = 10
_RATES = ("rate of\nfirst,\n%", "rate of\nsecond,\n%", "difference, %\n[95 % interval]", "p-value\n(Holm)")
_STEPS = (
    *("first\nfaster,\n%", "second\nfaster,\n%", "p-value\n(Holm)"),
    *("expected steps,\nfirst / second\n[95 % interval]", "mean steps,\nfirst - second\n[95 % interval]"),
)


def print_comparison(table: pd.DataFrame, by: Sequence[str], top: int | None) -> None:
    """Print comparisons of rates, and then of steps, a line each; of more than fit those with the smallest p-values.

    Parameters
    ----------
    table
        As of :meth:`sweep.Result.compare`.
    by
        Its parameters.
    top
        So many lines.

    Raises
    ------
    SweepError
        If ``top`` is below 1.
    """
    n_shown = how_many(2 * len(table), top, _OTHER_LINES)
    n_shown = min(len(table), n_shown if top is not None or n_shown == 2 * len(table) else max(n_shown // 2, 5))
    smallest = table[["p_value", "p_steps"]].min(axis=1).sort_values(kind="stable").index
    rows = (table if n_shown == len(table) else table.loc[smallest[:n_shown]]).to_dict("records")
    of_all = f", {n_shown:,} of {len(table):,} comparisons, smallest p-values first" if n_shown < len(table) else ""
    _print_rates(rows, by, f"rates{of_all}")
    print()
    _print_steps(rows, by, f"steps{of_all}")
    print(*_explained(rows), sep="\n")


def _print_rates(rows: Sequence[dict[Any, Any]], by: Sequence[str], title: str) -> None:
    """Print how many runs converge."""
    shown = make_table(title)
    told = "equivalent" in rows[0]
    counts = ("seeds", "pairs") if any(row["n_pairs"] > row["n_seeds"] for row in rows) else ("seeds",)
    for name in (*by, "first", "second", *counts):
        add_column(shown, name)
    for name in (*_RATES, "equivalent") if told else _RATES:
        shown.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        difference = difference_text(*(row[f"difference{end}"] for end in ("", "_low", "_high")))
        rates = [f"{100 * row[f'{side}_rate']:.1f}" for side in ("first", "second")]
        values = [short(row[name]) for name in (*by, "first", "second")]
        values += [f"{row[name]:,}" for name in (f"n_{what}" for what in counts)]
        equivalent = [{True: "yes", False: "not shown"}.get(row["equivalent"], "-")] if told else []
        shown.add_row(*values, *rates, difference, chance_text(row["p_value_holm"]), *equivalent)
    print_table(shown)


def _print_steps(rows: Sequence[dict[Any, Any]], by: Sequence[str], title: str) -> None:
    """Print how many steps they take."""
    shown = make_table(title)
    for name in (*by, "first", "second"):
        add_column(shown, name)
    for name in _STEPS:
        shown.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        faster = [f"{100 * row[f'{side}_faster']:.1f}" for side in ("first", "second")]
        values = [short(row[name]) for name in (*by, "first", "second")]
        ratio = steps_ratio_text(row, ("first", "second"))
        mean = steps_difference_text(*(row[f"restricted_mean_difference{end}"] for end in ("", "_low", "_high")))
        shown.add_row(*values, *faster, chance_text(row["p_steps_holm"]), ratio, mean)
    print_table(shown)


def _explained(rows: Sequence[dict[Any, Any]]) -> list[str]:
    """Say what the compared steps are, and what equivalent is."""
    limits = {str(row["steps_limit"]) for row in rows} - {"<NA>"}
    limit = f"{int(limits.pop()):,}, " if len(limits) == 1 else ""
    told = [
        "expected steps are those of all runs for each that converges; in mean steps a run that does not counts as "
        f"{limit}the most that both may take"
    ]
    if "equivalent" in rows[0]:
        told.append("rates are equivalent where the 90 % interval of their difference lies within the margin")
    return told
