"""Comparisons of a measure (final loss, error, correct outputs) on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sweep.measures import MEASURES
from sweep.system.formatting import chance_text, difference_text, interval_text, measure_text, short
from sweep.terminal.tables import add_column, how_many, make_table, print_table

if TYPE_CHECKING:
    import pandas as pd

_OTHER_LINES = 10


def print_measured_comparison(table: pd.DataFrame, by: Sequence[str], measure: str, top: int | None) -> None:
    """Print comparisons of a measure, a line each. If not all fit, print those with the smallest p-values.

    Parameters
    ----------
    table
        The table of :meth:`sweep.Result.compare` by a measure.
    by
        Its parameters.
    measure
        A key of :data:`sweep.measures.MEASURES`.
    top
        Lines to print; by default those that fit on the screen.

    Raises
    ------
    SweepError
        If ``top`` is below 1.
    """
    n_shown = how_many(len(table), top, _OTHER_LINES)
    rows = table if n_shown == len(table) else table.sort_values("p_value", kind="stable").head(n_shown)
    of_all = f", {n_shown:,} of {len(table):,} comparisons, smallest p-values first" if n_shown < len(table) else ""
    shown = make_table(f"{MEASURES[measure].label}{of_all}")
    for name in (*by, "first", "second", "seeds", "pairs"):
        add_column(shown, name)
    what = "mean" if MEASURES[measure].counts_outputs else "median"
    heads = [f"{what} of\nfirst", f"{what} of\nsecond", *(["difference\n[95 % interval]"] if what == "mean" else [])]
    heads += ["first\nbetter,\n%", "second\nbetter,\n%", "advantage, %\n[95 % interval]", "p-value\n(Holm)"]
    for name in heads:
        shown.add_column(name, justify="right", no_wrap=True)
    for row in rows.to_dict("records"):
        values = [short(row[name]) for name in (*by, "first", "second")]
        values += [f"{row[name]:,}" for name in ("n_seeds", "n_pairs")]
        shown.add_row(*values, *comparison_texts(row, measure), chance_text(row["p_value_holm"]))
    print_table(shown)
    print(f"runs are paired by seed; the {'higher' if MEASURES[measure].more_is_better else 'lower'} value is better")
    print("advantage: share of pairs in which the first is better, minus the share in which the second is better")
    print("p-value: tests whether the advantage is 0, adjusted for all rows (Holm)")


def comparison_texts(row: Mapping[Any, Any], measure: str) -> list[str]:
    """Return texts of a comparison: both sides, a difference of means, shares of better runs, and the advantage."""
    what = "mean" if MEASURES[measure].counts_outputs else "median"
    texts = [measure_text(row[f"{side}_{what}"]) for side in ("first", "second")]
    if what == "mean":
        texts.append(interval_text(row, "difference"))
    better = [f"{100 * row[f'{side}_better']:.1f}" for side in ("first", "second")]
    return [*texts, *better, difference_text(*(row[f"advantage{end}"] for end in ("", "_low", "_high")))]
