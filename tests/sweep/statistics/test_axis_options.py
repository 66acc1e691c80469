"""Main effects of options that vary together, against an exact grid of the same function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import qmc

from sweep import Study
from sweep.analysis.axis_options import AxisOptions, bins_of, varied_options
from sweep.analysis.importance import importance
from tests.rings import one_in
from tests.sweep.invented import outcomes_of, result_of

Points = NDArray[np.float64]


def effect(u: Points) -> Points:
    """Return a function of four options: a step, a line, a pure interaction with the line's partner, and a wave."""
    step, line, partner, wave = u.T
    return np.asarray(
        0.8 * (step < 0.5) + 0.3 * line + 3.6 * (step - 0.5) * (partner - 0.5) + 0.2 * np.sin(6 * wave), np.float64
    )


# The variance of the mean at each value of each option, on a fine grid.
_FINE = (np.arange(4000) + 0.5) / 4000
EXACT = np.array([(0.8 * (_FINE < 0.5)).var(), (0.3 * _FINE).var(), 0.0, (0.2 * np.sin(6 * _FINE)).var()])


def draw(method: str, n: int, random: np.random.Generator) -> Points:
    """Return points of four options."""
    if method == "random":
        return np.asarray(random.random((n, 4)))
    engine: Any = qmc.Sobol(4, seed=random) if method == "sobol" else qmc.LatinHypercube(4, seed=random)
    return np.asarray(engine.random(512 if method == "sobol" else n)[:n])


def axis_of(u: Points) -> dict[str, tuple[float, ...]]:
    """Return points as an axis."""
    return {name: tuple(column.tolist()) for name, column in zip("abcd", u.T, strict=True)}


@pytest.mark.slow
@pytest.mark.parametrize("method", one_in(3, ["sobol", "random", "latin"]))
@pytest.mark.parametrize("n", [128, pytest.param(512, marks=pytest.mark.wide)])
def test_effects_of_drawn_options(method: str, n: int) -> None:
    """On average the effect is that of the grid, and errors cover it. Sobol points vary far less than random ones."""
    found, errors = [], []
    for seed in range(30):
        u = draw(method, n, np.random.default_rng(seed))
        options, values = AxisOptions(axis_of(u)), effect(u)[:, None]
        assert options.names == list("abcd")
        effects, of_bins = options.effects(values)
        without = np.array([options.effects(values, kept)[0][:, 0] for kept in options.without_blocks()])
        found.append(effects[:, 0])
        errors.append(np.hypot(np.sqrt((len(without) - 1) * without.var(axis=0)), of_bins[:, 0]))
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(30)
    ranges = 0.08 * EXACT  # a range averages over its values
    assert (abs(mean - EXACT) < 4 * error + ranges + 0.012 * EXACT.sum()).all(), (mean, EXACT)
    covered = (abs(np.array(found) - EXACT) < 1.96 * np.array(errors)).mean(axis=0)
    assert (covered > 0.8).all(), covered
    if (method, n) == ("sobol", 512):
        assert np.std(found, axis=0).max() < 0.005


def test_a_grid_with_holes_is_averaged_exactly() -> None:
    """If points are most of a grid, effects are those of the grid, without a correction."""
    values = np.array([[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [5.0, 5.0, 6.0, 6.0, 7.0, 7.0]])
    table = values[0][:, None] ** 2 + 10 * values[1][None, :]
    names = {"one": np.repeat(np.arange(6), 6), "other": np.tile(np.arange(6), 6)}
    axis = {name: tuple(each.tolist()) for name, each in names.items()}
    options = AxisOptions(axis)
    effects, of_bins = options.effects(table.reshape(-1, 1))
    assert not of_bins.any()
    assert options.without_blocks() == []
    assert effects[:, 0] == pytest.approx([(values[0] ** 2).var(), (10 * values[1]).var()])
    few = {name: each[:1] + each[2:] for name, each in {"one": (1, 1, 2, 2, 3, 3), "other": (1, 2, 1, 2, 1, 2)}.items()}
    assert AxisOptions(few).names == ["other"]


def test_dependent_options_have_no_share() -> None:
    """Options that determine each other have no share; an independent third option has one."""
    random = np.random.default_rng(3)
    one, other = random.random((2, 200))
    axis = {"one": tuple(one.tolist()), "twice": tuple((2 * one).tolist()), "other": tuple(other.tolist())}
    assert AxisOptions(axis).names == ["other"]
    assert AxisOptions({name: values[:20] for name, values in axis.items()}).names == []
    texts = ("relu", "tanh") * 100
    assert AxisOptions({"act": texts, "same": tuple(map(len, ("a", "bb") * 100))}).names == []
    assert varied_options({"a": (1, 1), "b": (1, 2)}) == ["b"]


def test_bins() -> None:
    """Bins of numbers are ranges with equal numbers of points. Equal values and texts share a bin."""
    values = tuple(np.random.default_rng(0).permutation(100).tolist())
    bins = bins_of(values, 5)
    assert np.bincount(bins).tolist() == [20] * 5
    assert (bins == np.array(values) // 20).all()
    assert np.bincount(bins_of((1, 1, 1, 1, 2, 3), 2)).tolist() == [4, 2]
    assert len(set(bins_of(tuple("abcdef"), 2).tolist())) == 6


Rate = Callable[[float, float], float]


def rate(learning_rate: float, scale: float) -> float:
    """Return the convergence rate of simulated runs."""
    return 0.15 + 0.5 * learning_rate + 0.2 * scale * (learning_rate > 0.5)


def test_a_sample_agrees_with_the_grid() -> None:
    """Shares in a drawn sample agree with those in the full grid of the same values, within their errors."""
    steps = [(k + 0.5) / 18 for k in range(18)]
    options = {"learning_rate": steps, "scale": steps}
    tables: dict[str, Any] = {"data": {"task": "xor"}, "network": {"hidden": 2}, "seeds": {"count": 60}}
    grid = Study(**tables, parameters=options)
    sample = Study(**tables, samples=[{"method": "random", "count": 150, **options}])
    found = {}
    for name, study in (("grid", grid), ("sample", sample)):
        cells = [study.grid.values(cell) for cell in range(study.n_cells)]
        rates = np.array([rate(cell["learning_rate"], cell["scale"]) for cell in cells])
        outcomes = outcomes_of(np.random.default_rng(1), rates, 60, 0.3)
        result = result_of(study, outcomes)
        found[name] = importance(result.cells, study.grid, "convergence_rate", outcomes).set_index("term")
        unpaired = importance(result.cells, study.grid, "convergence_rate").set_index("term")
        for option in options:
            assert unpaired["share"][option] == pytest.approx(found[name]["share"][option], abs=0.04)
    table = found["sample"]
    assert table["part_of"].dropna().to_dict() == dict.fromkeys(options, "learning_rate & scale")
    whole = table[table["part_of"].isna()]
    assert whole["share"].sum() == pytest.approx(1)
    exact = found["grid"]
    for option in options:
        error = np.hypot(table["share_error"][option], exact["share_error"][option])
        assert abs(table["share"][option] - exact["share"][option]) < 2.5 * error
        assert error < 0.15
    together = exact["share"][[*options, "learning_rate x scale"]].sum()
    assert table["share"]["learning_rate & scale"] == pytest.approx(together, abs=0.05)


def test_shares_that_cannot_be_estimated_are_missing() -> None:
    """With few points or runs that all end alike, shares are missing; with few seeds, errors are. Nothing warns."""
    tables: dict[str, Any] = {"data": {"task": "xor"}, "network": {"hidden": 2}}
    options = {"learning_rate": {"min": 0.1, "max": 1.0}, "scale": {"min": 0.1, "max": 1.0}}
    for count, n_seeds, level in ((64, 12, 0.5), (128, 1, 0.5), (128, 12, 1.0), (128, 5, 0.5)):
        study = Study(**tables, samples=[{"count": count, **options}], seeds={"count": n_seeds})
        outcomes = outcomes_of(np.random.default_rng(1), np.full(count, level), n_seeds, 0.0)
        for rows in (outcomes, None):
            table = importance(result_of(study, outcomes).cells, study.grid, "convergence_rate", rows)
            own = table.set_index("term").loc[list(options)]
            assert own["share"].isna().all() == (count == 64 or level == 1.0)
            assert own["share_error"].isna().all() == (count == 64 or level == 1.0 or n_seeds < 10 or rows is None)
