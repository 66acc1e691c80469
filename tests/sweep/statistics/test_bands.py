"""Simultaneous bands: their constants, and their simulated coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.special import erfc

from sweep.analysis import incidence
from sweep.analysis.incidence import incidence_by
from tests.sweep.invented import outcomes_of, result_of
from tests.sweep.support import make_study


def chance_beyond(height: float) -> float:
    """Return the bound of the probability that the largest error times sqrt(n) exceeds a height."""

    def bound(t: float) -> float:
        return float(np.sqrt(np.pi / 2) * erfc(np.sqrt(2) * t) / (height - t))

    return float(minimize_scalar(bound, bounds=(0, height - 1e-9), method="bounded", options={"xatol": 1e-12}).fun)


def test_constants_of_bands() -> None:
    """Both constants follow from Massart's bound, for single runs and for seeds with several runs."""
    assert pytest.approx(np.sqrt(np.log(2 / 0.05) / 2)) == incidence._OF_RUNS
    assert brentq(lambda height: chance_beyond(height) - 0.05, 1.0, 3.0) == pytest.approx(incidence._OF_SEEDS, abs=1e-9)


def test_bands_are_missing_where_seeds_are() -> None:
    """There is no band over cells that lack runs of some seeds. Single cells have one."""
    study = make_study(count=40, hidden=[2, 3], learning_rate=[0.1])
    outcomes = outcomes_of(np.random.default_rng(2), np.array([0.3, 0.6]), 40, 0.5)
    partial = result_of(study, outcomes.only(np.arange(40) >= np.array([[10], [0]])))
    assert partial.incidence()[["band_low", "band_high"]].isna().all(axis=None)
    single = partial.incidence("hidden")
    assert single[["band_low", "band_high"]].notna().all(axis=None)
    for result in (result_of(study, outcomes), result_of(study, outcomes, keep="cells")):
        curve = result.incidence()
        half = incidence._OF_SEEDS / np.sqrt(40)
        np.testing.assert_allclose(curve["band_high"], np.minimum(curve["incidence"] + half, 1))
        np.testing.assert_allclose(curve["band_low"], np.maximum(curve["incidence"] - half, 0))
    assert (single["band_low"] <= single["incidence"]).all()


def held(n_seeds: int, rates: list[float], shared: float, times: int) -> float:
    """Return how often the band of a sample of seeds contains the true curve at every step."""
    random = np.random.default_rng(7)
    study = make_study(count=n_seeds, hidden=list(range(1, 1 + len(rates))), learning_rate=[0.1], max_steps=100)
    n_held = 0
    # Half of the rate have converged by a step in proportion: see outcomes_of.
    for _ in range(times):
        outcomes = outcomes_of(random, np.array(rates), n_seeds, shared)
        result = result_of(study, outcomes)
        curve = incidence_by(result.tally, study.grid, [])
        steps = np.arange(101)
        truth = np.mean(rates) * np.clip(steps / 50, 0, 1)
        places = np.searchsorted(curve["steps"], steps, side="right")
        half = (incidence._OF_RUNS if len(rates) == 1 else incidence._OF_SEEDS) / np.sqrt(n_seeds)
        found = np.concatenate([[0.0], curve["incidence"]])[places]
        n_held += bool((np.abs(found - truth) <= half + 1e-12).all())
    return n_held / times


@pytest.mark.soak
@pytest.mark.parametrize("n_seeds", [20, 100, 1000])
@pytest.mark.parametrize("rates", [[0.5], [0.99], [0.1, 0.5, 0.9], [0.99] * 8])
@pytest.mark.parametrize("shared", [0.0, 0.9, 1.0])
def test_bands_hold_whole_curves(n_seeds: int, rates: list[float], shared: float) -> None:
    """Nominal 95 % bands contain the curve in at least 94 % of simulated studies."""
    assert held(n_seeds, rates, shared, 200) >= 0.94


@pytest.mark.slow
def test_some_bands_hold_whole_curves() -> None:
    """One case with few seeds."""
    assert held(20, [0.3, 0.8], 1.0, 30) >= 0.9
