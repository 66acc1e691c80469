"""Cells by rank, for figures that draw each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sweep.figures.statistics import Selected, drawn_values

if TYPE_CHECKING:
    import pandas as pd


def by_rank(selected: Selected) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the cells with the statistic, from the worst to the best, and those without it."""
    has = np.isfinite(drawn_values(selected.table, selected.statistic))
    upwards = not selected.less_is_better
    ranked = selected.table[has].sort_values(selected.statistic, ascending=upwards, kind="stable")
    return ranked, selected.table[~has]


def some_of(cells: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return at most ``most`` rows, evenly spaced from the first to the last."""
    if len(cells) <= most:
        return cells
    return cells.iloc[np.linspace(0, len(cells) - 1, most).round().astype(int)]
