"""Cumulative incidence against its definition and scipy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sweep import figures
from sweep.analysis.incidence import EVENTS, cumulative_incidence, incidence_by
from sweep.statistics.intervals import wilson_interval
from sweep.statistics.outcomes import Measured
from tests.sweep.invented import outcomes_of, result_of
from tests.sweep.statistics.rates import rate_intervals
from tests.sweep.statistics.test_steps import LIMIT, Ends, groups, tally_of
from tests.sweep.support import make_study


@pytest.mark.slow
@given(groups(), st.sampled_from(EVENTS))
def test_incidence_by_its_definition(runs: list[Ends], event: str) -> None:
    """The table has the share of all runs at each step of the event, and at the last step of any run."""
    for ends in runs:
        table = cumulative_incidence(tally_of([ends]), event)
        own = {steps for status, steps in ends if status == event}
        assert table["steps"].tolist() == sorted(own | {max(steps for _, steps in ends)})
        for row in table.itertuples():
            n = sum(status == event and steps <= row.steps for status, steps in ends)
            assert row.incidence == n / len(ends)
            low, high = wilson_interval(np.array([n]), np.array([len(ends)]))
            assert (row.low, row.high) == (pytest.approx(low[0], abs=1e-12), pytest.approx(high[0], abs=1e-12))
            assert row.at_risk == sum(steps >= row.steps for _, steps in ends)


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, LIMIT), st.booleans()), min_size=1, max_size=40))
def test_incidence_of_one_risk_is_that_of_scipy(runs: list[tuple[int, bool]]) -> None:
    """If runs converge or are exhausted, incidence is one minus the Kaplan-Meier estimate."""
    ends = [("converged", steps) if event else ("exhausted", LIMIT) for steps, event in runs]
    table = cumulative_incidence(tally_of([ends]))
    uncensored = [steps for steps, event in runs if event]
    if not uncensored:
        assert table["incidence"].tolist() == [0.0]
        return
    found = stats.ecdf(stats.CensoredData(uncensored, right=[LIMIT] * (len(runs) - len(uncensored)))).cdf
    expected = dict(zip(found.quantiles.tolist(), found.probabilities.tolist(), strict=True))
    for row in table.itertuples():
        assert row.incidence == pytest.approx(max(v for k, v in expected.items() if k <= row.steps), rel=1e-12)


@pytest.mark.slow
def test_cells_of_other_limits() -> None:
    """Curves of cells with different step limits end at the rate of the summary, where the last run ends."""
    study = make_study(count=50, hidden=[2, 3], max_steps=[100, 5000], learning_rate=0.1)
    random = np.random.default_rng(1)
    limits = np.array([100, 5000, 100, 5000])
    steps = random.integers(1, 4000, (4, 50))
    converged = steps <= limits[:, None]
    outcomes = Measured.of_ends(np.where(converged, steps, limits[:, None]).astype(np.int32), converged)
    result = result_of(study, outcomes)
    for by in ("max_steps", "hidden"):
        last = result.incidence(by).groupby(by).last()
        np.testing.assert_allclose(last["incidence"], result.summarize(by).set_index(by)["convergence_rate"])
    ends = [100, int(outcomes.steps[[1, 3]].max())]
    assert result.incidence("max_steps").groupby("max_steps")["steps"].max().tolist() == ends
    ax = figures.incidence(result, color="max_steps")
    assert [line.get_xdata()[-1] for line in ax.lines] == ends


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_bands_over_cells_count_seeds(shared: float) -> None:
    """At each step, the interval over cells is that of the rate by this step."""
    study = make_study(count=15, hidden=[2, 3, 4], learning_rate=[0.1])
    outcomes = outcomes_of(np.random.default_rng(2), np.array([0.3, 0.6, 0.9]), 15, shared)
    curve = result_of(study, outcomes).incidence()
    assert len(curve) <= 50
    for row in curve.itertuples():
        by = Measured.of_ends(outcomes.steps, outcomes.converged & (outcomes.steps <= row.steps))
        low, high = rate_intervals(by, np.zeros(3, np.int64))
        assert (row.low, row.high) == (pytest.approx(low[0], abs=1e-12), pytest.approx(high[0], abs=1e-12))


def test_no_band_where_seeds_are_not_known() -> None:
    """Intervals over several cells are missing without rows and for other events. Single cells have them."""
    study = make_study(count=40, hidden=[2, 3], learning_rate=[0.1])
    result = result_of(study, outcomes_of(np.random.default_rng(2), np.array([0.3, 0.6]), 40, 0.5), keep="cells")
    assert result.incidence()[["low", "high"]].isna().all(axis=None)
    assert result.incidence("hidden")[["low", "high"]].notna().all(axis=None)
    rows = result_of(study, outcomes_of(np.random.default_rng(2), np.array([0.3, 0.6]), 40, 0.5))
    assert rows.incidence(event="stalled")[["low", "high"]].isna().all(axis=None)
    curves = incidence_by(rows.tally, study.grid, ["hidden"], "converged", rows.outcomes)
    pd.testing.assert_frame_equal(curves, rows.incidence("hidden"))
