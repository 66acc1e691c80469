"""Comparisons of a measure (final loss, error, correct outputs) on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sweep.statistics.measures import MEASURES, counts_outputs, is_signed
from sweep.system.formatting import chance_text, measure_text, short
from sweep.terminal.tables import add_column, how_many, make_table, print_table

if TYPE_CHECKING:
    import pandas as pd

_OTHER_LINES = 10


def print_measured_comparison(table: pd.DataFrame, by: Sequence[str], measure: str, top: int | None) -> None:
    """Print comparisons of a measure, a line each; if not all fit, those with the smallest p-values.

    Parameters
    ----------
    table
        The table of :meth:`sweep.Result.compare` by a measure.
    by
        Its parameters.
    measure
        A key of :data:`sweep.statistics.measures.MEASURES`.
    top
        Lines to print; by default those that fit on the screen.

    Raises
    ------
    SweepError
        If ``top`` is below 1.
    """
    n_shown = how_many(len(table), top, _OTHER_LINES)
    rows = table if n_shown == len(table) else table.sort_values("p_value", kind="stable").head(n_shown)
    of = f"{n_shown:,} of {len(table):,} comparisons, smallest p-values first, by" if n_shown < len(table) else "by"
    shown = make_table(f"{of} {MEASURES[measure]}")
    for name in (*by, "first", "second", "seeds", "pairs"):
        add_column(shown, name)
    what, effect = _told(measure)
    for name in (f"{what} of\nfirst", f"{what} of\nsecond", f"{effect}\n[95 % interval]"):
        shown.add_column(name, justify="right", no_wrap=True)
    for name in ("first\nlower, %", "second\nlower, %", "p-value\n(Holm)"):
        shown.add_column(name, justify="right", no_wrap=True)
    for row in rows.to_dict("records"):
        values = [short(row[name]) for name in (*by, "first", "second")]
        values += [f"{row[name]:,}" for name in ("n_seeds", "n_pairs")]
        shown.add_row(*values, *comparison_texts(row, measure), chance_text(row["p_value_holm"]))
    print_table(shown)
    what, effect = _told(measure)
    if effect == "difference" and what == "median":
        print("difference: mean of the first less the second, of pairs in which both are finite")
    if effect == "ratio":
        print("ratio: geometric mean of the first over that of the second, of pairs in which both are finite")
    print("p-values: exact sign-flip test of seeds on the shares of pairs in which either is lower")


def _told(measure: str) -> tuple[str, str]:
    """Return the statistic of both sides, and the effect that compares them."""
    if counts_outputs(measure):
        return "mean", "difference"
    return "median", "difference" if is_signed(measure) else "ratio"


def comparison_texts(row: Mapping[Any, Any], measure: str) -> list[str]:
    """Return texts of a comparison: both sides, the effect with its interval, and shares of pairs in percent."""
    what, effect = _told(measure)
    sides = [measure_text(row[f"{side}_{what}"]) for side in ("first", "second")]
    value, low, high = (measure_text(row[f"{effect}{end}"]) for end in ("", "_low", "_high"))
    lower = [f"{100 * row[f'{side}_lower']:.1f}" for side in ("first", "second")]
    return [*sides, value if "-" in (low, high) else f"{value} [{low}, {high}]", *lower]
