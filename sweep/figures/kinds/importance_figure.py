"""Importance of parameters: bars of the shares of variance between runs (main and total effects)."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sweep.analysis.importance import EXPLAINED, LEAST_SEEDS, crossed_fault
from sweep.figures.axis import heading, spaced
from sweep.figures.canvas import new_axes, put_legend, say_why
from sweep.figures.colors import NAMED_COLORS
from sweep.figures.figure_kind import Caption, FigureKind, figure_function
from sweep.results.answers import default_statistic
from sweep.results.estimate import pairs_seeds
from sweep.results.queries import importance_fault
from sweep.results.result import Result
from sweep.statistics.of_cells import measure_of

# Characters per line of a label.
_WIDTH = 34
_LEGEND_WIDTH = 17
# Most bars; smaller shares are left out.
_MOST_BARS = 16


@figure_function(
    "the study lacks the statistic, or the result is partial",
    result="A complete result.",
    value="A statistic or measure of :meth:`sweep.Result.importance`. By default convergence and steps, or the measure "
    "by which answers rank cells if patterns are held out or there is no criterion.",
)
def importance_bars(result: Result, ax: Axes | None = None, *, value: str | None = None) -> Axes:
    """Draw the shares of the variance between runs explained by parameters, their pairs and the seed (main effects)."""
    default = default_statistic(result)
    by_default = [default] if measure_of(default) else list(EXPLAINED)
    statistics = by_default if value is None else [value]
    found = [result.importance(statistic, errors=pairs_seeds(result)) for statistic in statistics]
    tables = [_known(each) for each in found]
    order = np.argsort(-np.max([table["share"].to_numpy() for table in tables], axis=0), kind="stable")[:_MOST_BARS]
    ax = ax or new_axes(7.0, 1.6 + 0.42 * len(order))
    thickness = 0.8 / len(tables)
    for k, (table, explained) in enumerate(zip(tables, (each.attrs["explained"] for each in found), strict=True)):
        rows = table.iloc[order]
        ends = np.arange(len(rows)) + (k - (len(tables) - 1) / 2) * thickness
        error = None if rows["share_error"].isna().any() else 196 * rows["share_error"]
        label = textwrap.fill(explained, _LEGEND_WIDTH)
        ax.barh(ends, 100 * rows["share"], thickness, xerr=error, color=NAMED_COLORS[k], label=label, capsize=2.5,
                error_kw={"elinewidth": 1, "ecolor": "black"})  # fmt: skip
    terms, part_of = (tables[0][name].iloc[order] for name in ("term", "part_of"))
    names = [spaced(name) + " by itself" * isinstance(of, str) for name, of in zip(terms, part_of, strict=True)]
    ax.set_yticks(range(len(order)), [textwrap.fill(name, _WIDTH) for name in names])
    ax.invert_yaxis()
    ax.set_xlim(left=0)
    ax.set_xlabel("share of the variance between runs, %")
    ax.grid(axis="x", alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)
    if np.nansum([table["share"].sum() for table in tables]) > 0:
        put_legend(ax)
    else:
        ax.set_xticks([])
        why = "all runs have the same outcome, so there is no variance to explain"
        say_why(ax, f"nothing to draw: {why if len(order) else found[0].attrs['note']}")
    notes = ["with 95 % intervals"] if len(order) and not tables[0]["share_error"].isna().any() else []
    left_out = len(tables[0]) - len(order)
    notes += (
        ["options that vary together share a bar; by itself: estimated main effect"] if part_of.notna().any() else []
    )
    notes += [f"{left_out} smaller shares are left out"] if left_out else []
    notes += [each.attrs["note"] for each in found if each.attrs["note"] and len(order)]
    ax.set_title(heading(result, shown=list(result.study.parameters), notes=notes), fontsize=10)
    return ax


def _known(table: pd.DataFrame) -> pd.DataFrame:
    """Return the terms with a known share. Without rows the seed has only a total effect, and its name says so."""
    if table["share"].notna().all():
        return table
    counted = table["share"].isna() & table["total_share"].notna()
    return table.assign(
        term=table["term"].where(~counted, table["term"] + " (total effect)"),
        share=table["share"].fillna(table["total_share"]),
    ).dropna(subset=["share"])


def _refusal(result: Result) -> str | None:
    pooled = result.over_replicates
    n_seeds = pooled.study.seeds.count // pooled.replicates
    return importance_fault(result) or crossed_fault(pooled.replicates, n_seeds, pooled.pooled_over) or None


KIND = FigureKind(
    importance_bars,
    60,
    "shares of the variance of a value (rate, mean_steps or a measure) that parameters explain: main and total effects",
    _refusal,
    (Caption("What explains the variance between runs", 50, least_varied=1, least_seeds=LEAST_SEEDS),),
)
