"""Cells with one statistic have the values of the whole table, and large maps draw means of squares of cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import sweep
from sweep.figures.kinds.heatmap_figure import mean_of_squares
from sweep.results.bare_cells import bare_cells
from sweep.results.pooled_cells import cells_with
from tests.sweep.support import make_study

STATISTICS = ["convergence_rate", "steps_q50", "n_converged", "final_loss_q50", "n_correct_mean", "expected_steps"]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> sweep.Result:
    """Return a result of one seed per cell whose runs are in several parts, by shape, so not in run order."""
    study = make_study(count=1, learning_rate=[0.05, 0.2, 1e3], hidden=[2, 3], scale=[0.5, 1.0], max_steps=100)
    return sweep.run(study, tmp_path_factory.mktemp("bare") / "result")


@pytest.mark.parametrize("statistic", STATISTICS)
def test_values_are_those_of_the_table(result: sweep.Result, statistic: str) -> None:
    """The only run of a cell has each quartile and mean of the cell."""
    found = bare_cells(result, statistic)
    assert found is not None
    whole = cells_with(result, statistic)[["cell", *result.study.parameters, "n_runs", statistic]]
    for name in whole:
        expected = whole[name].to_numpy(np.float64, na_value=np.nan)
        assert np.array_equal(found[name].to_numpy(np.float64), expected, equal_nan=True), name


def test_only_where_they_are_stored(result: sweep.Result, tmp_path: Path) -> None:
    """Several runs of a cell have a median, and statistics that are computed where they are named need the table."""
    assert bare_cells(result, "rate_within_half") is None
    several = sweep.run(make_study(count=2, learning_rate=[0.1, 0.2], max_steps=50), tmp_path / "several")
    assert bare_cells(several, "final_loss_q50") is None
    assert bare_cells(several, "convergence_rate") is not None
    assert bare_cells(sweep.run(several.study), "convergence_rate") is None  # in memory


@pytest.mark.parametrize(("shape", "side"), [((3, 5), 1), ((6, 4), 2), ((7, 20), 3)])
def test_fields_of_large_maps_are_means(shape: tuple[int, int], side: int) -> None:
    """They are means of the cells that have a value, also at the ends of the axes."""
    rng = np.random.default_rng(7)
    grid = np.where(rng.random(shape) < 0.3, np.nan, rng.random(shape))
    grid[:3, :3] = np.nan
    found = mean_of_squares(grid, side)
    assert found.shape == tuple(-(-n // side) for n in shape)
    for row, column in np.ndindex(found.shape):
        square = grid[row * side : (row + 1) * side, column * side : (column + 1) * side]
        known = square[~np.isnan(square)]
        assert np.isclose(found[row, column], known.mean() if known.size else np.nan, equal_nan=True)
