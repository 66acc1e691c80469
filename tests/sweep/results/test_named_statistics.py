"""Statistics that are computed where they are named equal those of plain NumPy, in cells, pools and figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import sweep
from sweep.figures import draw
from sweep.results.pooled_cells import cells_with
from sweep.statistics.intervals import wilson_interval
from sweep.statistics.of_cells import NAMED
from tests.sweep.support import make_study


@pytest.fixture(scope="module")
def result() -> sweep.Result:
    """Return runs of which some converge early, some late and some never."""
    options = {"hidden": [4, 8], "learning_rate": [0.01, 0.05], "max_steps": 200}
    return sweep.run(make_study(**options, count=30, threshold=0.3))


@pytest.mark.parametrize(("name", "part"), [("rate_within_tenth", 10), ("rate_within_half", 2)])
def test_shares_within_a_part_of_the_steps(result: sweep.Result, name: str, part: int) -> None:
    """They count runs that converged by then, with Wilson's interval, in each cell and over cells."""
    runs = result.runs()
    early = (runs["status"] == "converged") & (runs["steps"] * part <= 200)
    assert 0 < early.sum() < (runs["status"] == "converged").sum()
    of_cells = early.groupby(runs["cell"])
    cells = cells_with(result, name)
    low, high = wilson_interval(of_cells.sum().to_numpy(), of_cells.size().to_numpy())
    assert np.allclose(cells[name], of_cells.mean())
    assert np.allclose(cells[f"{name}_low"], low)
    assert np.allclose(cells[f"{name}_high"], high)
    pooled = result.summarize(["hidden", name])
    assert np.allclose(pooled[name], early.groupby(runs["hidden"]).mean())
    assert (pooled[f"{name}_low"] < pooled[name]).all()
    assert len(draw(result, "heatmap", value=name).axes)
    assert len(draw(result, "lines", value=name, x="hidden").axes)


def test_stored_tables_lack_them(result: sweep.Result, tmp_path: Path) -> None:
    """So a new statistic changes no stored file; results that keep counts only have them too."""
    assert not {*result.cells} & NAMED.keys()
    counted = sweep.run(result.study, tmp_path / "counted", keep="cells")
    assert cells_with(counted, "rate_within_half").equals(cells_with(result, "rate_within_half"))
