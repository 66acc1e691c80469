"""Cells that may be the best by a custom statistic: the best stays among any number of cells, and worse ones leave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep.statistics.by_function import N_RESAMPLES
from sweep.statistics.outcomes import Measured
from sweep.statistics.ranking import best_cells
from tests.sweep.own import only_plugins

Array = np.ndarray[Any, Any]


@pytest.fixture(autouse=True)
def own() -> Iterator[None]:
    """Declare the mean of a column, of which low values are good."""
    with only_plugins():

        @sweep.statistic
        def mean_x(runs: pd.DataFrame) -> float:
            return float(runs["x"].mean())

        yield


def contends(values: Array, statistic: Callable[[Array], Array] = lambda values: values.mean(axis=1)) -> Array:
    """Return which cells may be the best, by values of their runs, (cells, seeds)."""
    n_cells, n_seeds = values.shape
    drawn = np.random.default_rng(0).integers(0, n_seeds, (N_RESAMPLES, n_seeds))
    resampled = np.stack([statistic(values[:, seeds]) for seeds in drawn], axis=1)
    cells = pd.DataFrame({"cell": np.arange(n_cells), "n_runs": n_seeds, "mean_x": statistic(values)})
    ranked = best_cells(cells, Measured(resampled), "mean_x")
    return ranked.set_index("cell")["may_be_best"].sort_index().to_numpy(bool)


def test_worse_cells_leave() -> None:
    """Of 91 cells, 90 that are much worse are left out, although 999 resamples cannot count so small a share."""
    values = np.random.default_rng(1).exponential(size=(91, 20))
    values[0] -= 2.0
    assert np.flatnonzero(contends(values)).tolist() == [0]


@pytest.mark.parametrize("worst", [1.0, np.inf])
def test_cells_without_variation(worst: float) -> None:
    """Values that are equal in all runs, or infinite, are worse with 20 seeds, but among 91 cells not with 5."""
    values = np.full((91, 20), worst)
    values[0] = 0.0
    assert np.flatnonzero(contends(values)).tolist() == [0]
    assert contends(values[:, :5]).all()


def test_some_infinite_values() -> None:
    """A cell that is finite in some resamples only, and worse there, is left out."""
    values = np.random.default_rng(1).exponential(size=(91, 20))
    values[0] -= 2.0
    values[1:, 0] = np.inf
    assert np.flatnonzero(contends(values)).tolist() == [0]


@pytest.mark.soak
@pytest.mark.parametrize("n_cells", [2, 10, 91])
@pytest.mark.parametrize("n_seeds", [20, 100])
@pytest.mark.parametrize("kind", ["normal", "exponential", "share"])
def test_the_best_stays(kind: str, n_seeds: int, n_cells: int) -> None:
    """Each of several equal cells is among those that may be the best in at least about 95 % of studies."""
    random = np.random.default_rng(3)
    draw = {
        "normal": random.normal,
        "exponential": random.exponential,
        "share": lambda size: (random.random(size) < 0.1) * 1.0,
    }[kind]
    kept = [contends(draw(size=(n_cells, n_seeds))) for _ in range(1000 if n_cells == 2 else 200)]
    assert np.mean(kept) >= 0.94
