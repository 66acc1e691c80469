"""Performance profiles and run lengths: against their definition, run by run."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sweep
from sweep import StoreError, SweepError
from sweep.statistics.outcomes import Measured
from tests.sweep.invented import outcomes_of, result_of
from tests.sweep.support import make_study

HIDDEN, RATES = [2, 3, 4], [0.1, 0.2]


@st.composite
def outcomes_drawn(draw: st.DrawFn) -> Measured:
    """Draw the ends of runs of six cells, some of which are missing."""
    n = draw(st.integers(1, 5))
    numbers = st.lists(st.sampled_from([-1, 0, 1, 2, 3, 6, 50]), min_size=6 * n, max_size=6 * n)
    steps = np.array(draw(numbers), np.int32).reshape(6, n)
    steps[:, 0] = np.maximum(steps[:, 0], 0)  # one problem is there
    converged = np.array(draw(st.lists(st.booleans(), min_size=6 * n, max_size=6 * n))).reshape(6, n) & (steps >= 0)
    return Measured.of_ends(steps, converged)


@pytest.mark.slow
@given(outcomes_drawn())
def test_profile_by_its_definition(outcomes: Measured) -> None:
    """Shares count problems: seeds with a value of the other parameter, if all their runs are trained."""
    study = make_study(count=outcomes.steps.shape[1], hidden=HIDDEN, learning_rate=RATES)
    profile = result_of(study, outcomes).performance_profile("hidden")
    problems = []
    for rate in range(2):
        for seed in range(outcomes.steps.shape[1]):
            cells = [hidden * 2 + rate for hidden in range(3)]
            if (outcomes.steps[cells, seed] >= 0).all():
                costs = [max(outcomes.steps[c, seed], 1) if outcomes.converged[c, seed] else np.inf for c in cells]
                problems.append([cost / min(costs) if cost < np.inf else np.inf for cost in costs])
    table = np.array(problems)
    assert (profile["n_problems"] == len(table)).all()
    assert (profile["n_unsolved"] == np.isinf(table).all(axis=1).sum()).all()
    for k, hidden in enumerate(HIDDEN):
        own = profile[profile["hidden"] == hidden]
        assert own["factor"].tolist() == sorted({1.0, *table[np.isfinite(table[:, k]), k]})
        for row in own.itertuples():
            assert row.share == pytest.approx(np.mean(table[:, k] <= row.factor), abs=1e-12)
            assert np.isnan(row.low) or row.low - 1e-9 <= row.share <= row.high + 1e-9


def test_profiles_need_values_rows_and_problems() -> None:
    """Profiles need two values, rows of runs, and a seed trained at all values."""
    outcomes = outcomes_of(np.random.default_rng(1), np.full(6, 0.5), 10, 0.5)
    study = make_study(count=10, hidden=HIDDEN, learning_rate=RATES)
    with pytest.raises(SweepError, match="'hiden' is not swept"):
        result_of(study, outcomes).performance_profile("hiden")
    counts = sweep.run(make_study(count=2, hidden=[2, 3]), keep="cells")
    with pytest.raises(StoreError, match="keep='runs'"):
        counts.performance_profile("hidden")
    single = make_study(count=10, hidden=[2], learning_rate=RATES)
    with pytest.raises(SweepError, match="hidden has 1 value; a performance profile compares two or more"):
        result_of(single, outcomes.at(np.arange(2))).performance_profile("hidden")
    with pytest.raises(SweepError, match="no seed is trained at all values of hidden yet"):
        result_of(study, outcomes.only(np.arange(6)[:, None] >= 2)).performance_profile("hidden")


@pytest.mark.slow
@pytest.mark.compiled
def test_run_lengths_over_thresholds() -> None:
    """The share of pairs is the mean of the shares of thresholds. A lower threshold takes no fewer steps."""
    result = sweep.run(
        make_study(count=30, hidden=[8], learning_rate=[0.03], threshold=[0.5, 0.1, 0.01], max_steps=300)
    )
    pairs, single = result.run_lengths(), result.run_lengths("threshold")
    runs = result.runs(["cell", "status", "steps"])
    for row in pairs.itertuples():
        assert row.incidence == ((runs["status"] == "converged") & (runs["steps"] <= row.steps)).mean()
        each = [(own[own["steps"] <= row.steps]["incidence"].max()) for _, own in single.groupby("threshold")]
        assert row.incidence == pytest.approx(np.nan_to_num(each).mean(), abs=1e-12)
    steps = runs["steps"].astype(float).mask(runs["status"] != "converged", np.inf).to_numpy().reshape(3, -1)
    assert (steps[0] <= steps[1]).all()
    assert (steps[1] <= steps[2]).all()
    pd.testing.assert_frame_equal(pairs, result.incidence())
    with pytest.raises(SweepError, match="run-length distributions need several loss thresholds"):
        sweep.run(make_study(count=2)).run_lengths()
    with pytest.raises(SweepError, match="record them with --set"):
        sweep.run(make_study(count=2, threshold=[0.1])).run_lengths()
