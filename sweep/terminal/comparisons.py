"""The best cells, comparisons and what matters, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sweep.answers import swept
from sweep.result import Result
from sweep.sentences import may_be_best
from sweep.study import Study
from sweep.terminal.tables import add_column, how_many, make_table, print_table
from sweep.wording import chance_text, count_text, difference_text, rate_text, short, steps_text

if TYPE_CHECKING:
    import pandas as pd

_OTHER_LINES = 10
_COMPARED = (
    *("rate of\nfirst, %", "rate of\nsecond, %", "difference, %\n[95 % interval]", "p-value\n(Holm)"),
    *("first\nfaster, %", "second\nfaster, %", "p-value\n(Holm)"),
)


def print_best(result: Result, by: str, top: int | None) -> None:
    """Print the best cells, and how many of all may be the best.

    Raises
    ------
    SweepError
        If cells cannot be ranked by that, ``top`` is below 1, or convergence is not judged.
    """
    ranked = result.best(by)
    n_shown = min(how_many(len(ranked), top, _OTHER_LINES), len(ranked))
    names = swept(result.study)
    table = make_table(f"{n_shown:,} of {count_text(len(ranked), 'cell')}, best first")
    for name in (
        "rank",
        "cell",
        *names,
        "rate, %\n[95 % interval]",
        "median_steps",
        "expected_steps",
        "p_value\n(Holm)",
    ):
        add_column(table, name)
    table.add_column("")
    for row in ranked.head(n_shown).to_dict("records"):
        steps = [_with_interval(row, name) for name in ("steps_q50", "expected_steps")]
        word = "may be the best" if row["may_be_best"] is True else ""
        parameters = [short(row[name]) for name in names]
        table.add_row(
            str(row["rank"]),
            str(row["cell"]),
            *parameters,
            rate_text(row),
            *steps,
            chance_text(row["p_value_holm"]),
            word,
        )
    print_table(table)
    print(_told_apart(ranked, result.study))


def _with_interval(row: dict[Any, Any], name: str) -> str:
    """Write steps with their interval; a dash where there are none."""
    value, low, high = (steps_text(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
    return value if value == "-" else f"{value} [{low} to {high}]"


def _told_apart(ranked: pd.DataFrame, study: Study) -> str:
    """Say how many cells may be the best, or why that is not known."""
    if len(ranked) == 1:
        return "there is one cell"
    if ranked["may_be_best"].isna().all():
        return "which cells may be the best takes the rows of runs, and this result keeps none"
    told = f"{may_be_best(ranked, study)}; compared on common seeds with the first, at 5 % for all cells (Holm)"
    lacking = int(ranked["may_be_best"].isna().sum())
    return f"{told}; {count_text(lacking, 'cell')} that lack runs stand last and are not compared" if lacking else told


def print_comparison(table: pd.DataFrame, by: Sequence[str], top: int | None) -> None:
    """Print comparisons, a line for each; of more than fit those with the smallest p-values.

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
    n_shown = how_many(len(table), top, _OTHER_LINES)
    rows = table if n_shown == len(table) else table.sort_values("p_value", kind="stable").head(n_shown)
    shown = make_table(
        f"{n_shown:,} of {len(table):,} comparisons, smallest p-values first" if n_shown < len(table) else ""
    )
    for name in (*by, "first", "second", "seeds", "pairs"):
        add_column(shown, name)
    for name in _COMPARED:
        shown.add_column(name, justify="right", no_wrap=True)
    for row in rows.to_dict("records"):
        difference = difference_text(*(row[f"difference{end}"] for end in ("", "_low", "_high")))
        rates = [f"{100 * row[f'{side}_rate']:.1f}" for side in ("first", "second")]
        faster = [f"{100 * row[f'{side}_faster']:.1f}" for side in ("first", "second")]
        chances = [chance_text(row[f"{name}_holm"]) for name in ("p_value", "p_steps")]
        values = [short(row[name]) for name in (*by, "first", "second")]
        values += [f"{row[name]:,}" for name in ("n_seeds", "n_pairs")]
        shown.add_row(*values, *rates, difference, chances[0], *faster, chances[1])
    print_table(shown)
