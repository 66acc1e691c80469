"""Swept splits and draws of noise are replicates like seeds: answers pool over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep import Result, Study, figures
from sweep.analysis.cells import columns_of
from sweep.analysis.compare import ComparedBy, compare_sides
from sweep.analysis.importance import Explained, importance_of
from sweep.results.comparison import Pairing
from sweep.results.sentences import answer
from sweep.statistics.estimates import Rate
from sweep.statistics.intervals import student_quantile
from sweep.statistics.of_cells import of_measure
from sweep.statistics.outcomes import Measured
from sweep.statistics.ranking import best_cells
from sweep.statistics.runs import NOT_COUNTED, Correct, Runs
from sweep.statistics.sides import Side
from tests.sweep.invented import invented, measured_result
from tests.sweep.invented import result_of as result_of_outcomes
from tests.sweep.naive_race import naive_race
from tests.sweep.support import command, make_study

NOISE = {"task": "parity", "bits": 4, "label_noise": 0.1}
SPLIT = {"task": "parity", "bits": 4, "train_count": 10}


def study_of(count: int, n_splits: int, **options: Any) -> Study:
    """Return a study of two options with draws of noise between them."""
    noise = {"noise_seed": list(range(n_splits))} if n_splits else {}
    given = {"hidden": [2, 3], **noise, "learning_rate": [0.1, 0.2, 0.3]} | options
    return make_study(count=count, data=NOISE, **given)


def drawn(random: np.random.Generator, n: int, n_splits: int, n_seeds: int, *spreads: float) -> np.ndarray:
    """Return normal values of (n, splits, seeds) with the standard deviations of splits, seeds and single runs."""
    shapes = (1, n_splits, 1), (1, 1, n_seeds), (n, n_splits, n_seeds)
    return sum(spread * random.normal(size=shape) for spread, shape in zip(spreads, shapes, strict=True))


def compare_measured(
    sides: tuple[Measured, ...] | list[Measured], strata: pd.DataFrame, by: list[str], measure: str, most: Correct
) -> pd.DataFrame:
    """Return the comparison of two sides by a measure."""
    one, other = (Side(each, np.zeros(len(strata))) for each in sides)
    return compare_sides(one, other, strata, by, ComparedBy(measure, most))


def test_answers_pool_over_splits() -> None:
    """Cells of answers are configurations, with the quantiles of all their runs."""
    values = np.exp(drawn(np.random.default_rng(3), 6, 5, 20, 0.5, 0.3, 1.0) - np.arange(6).reshape(6, 1, 1) / 2)
    of_cells = values.reshape(2, 3, 5, 20).swapaxes(1, 2).reshape(30, 20)
    result = measured_result(study_of(20, 5, criterion="none"), "final_loss", of_cells)
    best = result.best()
    medians = np.quantile(values.reshape(6, -1), 0.5, axis=1, method="inverted_cdf")
    np.testing.assert_array_equal(best["final_loss_q50"], np.sort(medians))
    assert (best["n_runs"] == 100).all()
    assert (result.compare("hidden")["n_pairs"] == 100).all()
    summary = result.summarize("hidden")
    expected = np.quantile(values.reshape(2, -1), 0.5, axis=1, method="inverted_cdf")
    np.testing.assert_array_equal(summary["final_loss_q50"], expected)


@pytest.mark.parametrize(("measure", "n_seeds"), [("final_loss", 20), ("final_loss", 1), ("rate", 20)])
def test_two_results_pool_over_splits(measure: str, n_seeds: int) -> None:
    """Two results compare as two values of one study do, also where one has more splits, in another order."""
    random, hidden = np.random.default_rng(9), [2, 3]
    given = {"criterion": "none"} if measure == "final_loss" else {}
    values = np.exp(drawn(random, 4, 5, n_seeds, 0.5, 0.3, 1.0)) + np.arange(4).reshape(4, 1, 1)

    def result_of(own: np.ndarray, rates: list[float], splits: list[int]) -> Result:
        rate = rates if len(rates) > 1 else rates[0]
        study = make_study(count=n_seeds, data=NOISE, hidden=hidden, noise_seed=splits, learning_rate=rate, **given)
        cells = own.reshape(2, len(rates), len(splits), -1).swapaxes(1, 2).reshape(-1, n_seeds)
        if measure == "final_loss":
            return measured_result(study, measure, cells)
        return result_of_outcomes(study, Measured.of_ends(np.where(cells < 2, 50, 100).astype(np.int32), cells < 2))

    both = result_of(values, [0.1, 0.2], list(range(5)))
    more = random.random((2, 1, n_seeds))
    first = result_of(np.concatenate([values[::2], more], axis=1)[:, ::-1], [0.1], [7, 4, 3, 2, 1, 0])
    second = result_of(values[1::2], [0.2], list(range(5)))
    pairing = Pairing(first, second)
    for by in ([], ["hidden"]):
        expected = both.compare("learning_rate", [*by, measure]).drop(columns=["first", "second"])
        found = pairing.compare([*by, measure]).drop(columns=["first", "second"])
        pd.testing.assert_frame_equal(found, expected)
        assert (found["n_pairs"] == 5 * n_seeds * (2 - len(by))).all()
    assert len(pairing.compare()) == 2
    assert len(pairing.compare(["noise_seed", measure])) == 5
    assert pairing.pooled([]).startswith("pairs of all values of noise_seed are pooled")
    assert pairing.pooled(["noise_seed"]) == ""


def test_curves_and_profiles_pool_over_splits() -> None:
    """Cumulative incidence and profiles count seeds and splits; with one seed, splits take its place."""
    result = invented(study_of(20, 5), rates=np.repeat(np.linspace(0.3, 0.9, 6), 5).tolist())
    curves = result.incidence("hidden")
    assert list(curves) == ["hidden", "steps", "incidence", "low", "high", "band_low", "band_high", "at_risk"]
    last = curves.groupby("hidden").tail(1).set_index("hidden")
    rates = result.summarize("hidden").set_index("hidden")
    for mine, other in (("incidence", ""), ("low", "_low"), ("high", "_high")):
        np.testing.assert_allclose(last[mine], rates[f"convergence_rate{other}"])
    assert (curves["band_high"] - curves["band_low"]).max() == pytest.approx(1.0)  # of five splits
    cell = result.incidence(["hidden", "learning_rate"]).groupby(["hidden", "learning_rate"]).tail(1)
    cells = result.over_replicates.cells
    widths = (cells["convergence_rate_high"] - cells["convergence_rate_low"]).to_numpy()
    assert (cell["high"] - cell["low"]).to_numpy() == pytest.approx(widths)
    assert set(result.incidence("noise_seed")["noise_seed"]) == set(range(5))
    profile = result.performance_profile("hidden")
    assert (profile["n_problems"] == 300).all()
    single = result.incidence(["hidden", "learning_rate", "noise_seed"])
    assert len(single.groupby(["hidden", "learning_rate", "noise_seed"])) == 30
    parallel = result.parallel_runs(2)
    assert len(parallel) == 6  # a mean over splits for each configuration, whose interval would need more splits
    assert parallel["convergence_rate_low"].isna().all()

    outcomes = invented(study_of(1, 12)).outcomes
    splits = result_of_outcomes(study_of(1, 12), outcomes)
    folded = outcomes.steps.reshape(2, 12, 3), outcomes.converged.reshape(2, 12, 3)
    seeds = result_of_outcomes(
        study_of(12, 0), Measured.of_ends(*(each.swapaxes(1, 2).reshape(6, 12) for each in folded))
    )
    for by in ((), "hidden"):
        pd.testing.assert_frame_equal(splits.incidence(by), seeds.incidence(by))
    pd.testing.assert_frame_equal(splits.performance_profile("hidden"), seeds.performance_profile("hidden"))


def test_replicates_that_are_not_named_are_pooled() -> None:
    """Where one of two replicates is named, answers pool over the other, and none of its values is the best."""
    study = make_study(count=6, hidden=[2, 3], learning_rate=0.2, noise_seed=[0, 1, 2], split_seed=[5, 6],
                       criterion="none", data={**SPLIT, "label_noise": 0.1})  # fmt: skip
    values = np.random.default_rng(8).random((2, 3, 2, 6))
    result = measured_result(study, "final_loss", values.reshape(12, 6))
    of_splits = result.best(["split_seed", "final_loss"])
    assert "noise_seed" not in of_splits
    assert (of_splits["n_runs"] == 18).all()
    picked = result.best("final_loss", at={"noise_seed": [1]})
    assert set(picked) >= {"hidden", "noise_seed"}
    assert "split_seed" not in picked
    medians = np.quantile(values[:, 1].reshape(2, 12), 0.5, axis=1, method="inverted_cdf")
    np.testing.assert_array_equal(picked["final_loss_q50"], np.sort(medians))
    compared = result.compare("split_seed", ["hidden", "final_loss"])
    assert (compared["n_pairs"] == 18).all()
    assert len(result.summarize(["noise_seed", "split_seed"])) == 6


def test_ends_combine_clusters_of_seeds_and_splits() -> None:
    """The half of an interval is that of seeds, plus that of splits, minus that of runs, as squares."""
    random = np.random.default_rng(4)
    values = np.rint(50 + drawn(random, 1, 6, 12, 6.0, 4.0, 3.0)).reshape(1, 72)
    runs = Runs.of_measured(Measured(values, 6), np.zeros(1, int), correct=Correct(100, 50))
    found = columns_of(of_measure("n_correct"), runs).iloc[0]
    crossed = values.reshape(6, 12)
    unseen = 1 - 0.05 ** (1 / 72)
    squares = []
    for clusters in (crossed.mean(axis=0), crossed.mean(axis=1), crossed.ravel()):
        n = len(clusters)
        squares.append((student_quantile(n) * clusters.std(ddof=1)) ** 2 / n)
    mean = crossed.mean()
    low = squares[0] + squares[1] - squares[2] + (unseen * (mean - 50 * (crossed.min() > 0 and mean > 50))) ** 2
    high = squares[0] + squares[1] - squares[2] + (unseen * (100 - mean)) ** 2
    assert found["n_correct_mean"] == mean
    assert found["n_correct_mean_low"] == pytest.approx(mean - np.sqrt(low))
    assert found["n_correct_mean_high"] == pytest.approx(mean + np.sqrt(high))


def test_p_values_are_those_of_their_intervals() -> None:
    """P-values of runs that share seeds and splits are at most 5 % where their intervals exclude 0."""
    random = np.random.default_rng(3)
    seen = np.zeros(2, int)
    for _ in range(30):
        better = drawn(random, 1, 5, 20, 0.7, 0.3, 1.0).reshape(1, 100) + 0.9
        sides = Measured(np.rint(50 + 3 * better), 5), Measured(np.full((1, 100), 50.0), 5)
        found = compare_measured(sides, pd.DataFrame({"one": [0]}), [], "n_correct", Correct(100, 50)).iloc[0]
        excludes = found["advantage_low"] > 0 or found["advantage_high"] < 0
        assert (found["p_value"] <= 0.05) == excludes
        seen[int(excludes)] += 1
    assert (seen > 2).all()


def test_differences_of_shares_stay_within_their_bounds() -> None:
    """Ends that are combined from wide intervals of few seeds and splits are at most those of certainty."""
    random = np.random.default_rng(6)
    result = measured_result(study_of(3, 3), "n_correct", random.choice([4.0, 16.0], size=(18, 3)))
    found = result.compare("hidden", ["learning_rate", "n_correct"])
    for name, most in (("advantage", 1), ("difference", 16)):
        ends = found[[f"{name}_low", f"{name}_high"]].to_numpy()
        assert (np.abs(ends) <= most).all()
        assert (ends[:, 0] <= found[name]).all()
        assert (found[name] <= ends[:, 1]).all()
    assert (found["advantage_low"] == -1).any()


def test_ratios_stay_above_zero() -> None:
    """Ends of ratios of expected steps that are combined from few seeds and splits are not negative."""
    found = invented(study_of(3, 3), rates=np.tile([0.3, 0.9, 0.6], 6).tolist()).compare("hidden", ["learning_rate"])
    ends = found[["expected_steps_ratio_low", "expected_steps_ratio_high"]].to_numpy()
    assert (ends[:, 0] == 0.0).any()
    assert (ends[:, 0] >= 0.0).all()
    assert (ends[:, 0] <= found["expected_steps_ratio"]).all()
    assert (found["expected_steps_ratio"] <= ends[:, 1]).all()


def test_with_one_seed_splits_take_its_place() -> None:
    """A study of one seed and twelve splits has the answers of one split and twelve seeds."""
    values = np.exp(np.random.default_rng(3).normal(size=(2, 12, 3)))
    splits = measured_result(study_of(1, 12, criterion="none"), "final_loss", values.reshape(72, 1))
    seeds = measured_result(study_of(12, 0, criterion="none"), "final_loss", values.swapaxes(1, 2).reshape(6, 12))
    pd.testing.assert_frame_equal(splits.best(), seeds.best().drop(columns="cell"), check_dtype=False)
    pd.testing.assert_frame_equal(splits.compare("learning_rate"), seeds.compare("learning_rate"))
    of_splits, of_seeds = splits.importance(), seeds.importance()
    pd.testing.assert_frame_equal(of_splits, of_seeds)


@pytest.mark.parametrize(("n_splits", "n_seeds"), [(3, 20), (4, 2)])
def test_few_splits_or_seeds_have_no_shares(n_splits: int, n_seeds: int) -> None:
    """Shares that could be -1 or 2 are missing, and tables, answers and figures say why."""
    result = measured_result(study_of(n_seeds, n_splits, criterion="none"), "final_loss",
                             np.random.default_rng(2).random((6 * n_splits, n_seeds)))  # fmt: skip
    table = result.importance()
    assert table[["share", "total_share", "variance"]].isna().all(axis=None)
    why = f"shares need at least 4 values of noise_seed and 3 seeds, got {n_splits} and {n_seeds}"
    assert table.attrs["note"] == why
    if n_splits == 3:
        assert any(sentence.endswith(why) for sentence in answer(result))
    axes = figures.importance_bars(result)
    (written,) = axes.texts
    assert "intervals" not in axes.get_title()
    assert why in written.get_text().replace("\n", " ")
    assert figures.KINDS["importance"].refusal(result) == why


def test_four_splits_and_three_seeds_have_shares() -> None:
    """In simulations with interactions, no share is far from the range of 0 to 1."""
    random, grid = np.random.default_rng(7), study_of(12, 0).grid
    shares = []
    for _ in range(100):
        values = drawn(random, 6, 4, 3, 0.3, 0.3, 1.0) + 2 * random.normal(size=(6, 4, 1))
        shares.append(importance_of(Explained(values.reshape(6, 12), "", ""), grid, 4, "noise_seed")["share"])
    assert np.mean([(each.min() < -0.2) | (each.max() > 1.2) for each in shares]) <= 0.03


def test_variance_components_are_unbiased() -> None:
    """On average, terms without effect have no share, and seeds and splits those with which they were drawn."""
    random, grid = np.random.default_rng(6), study_of(12, 0).grid
    found = []
    for _ in range(100):
        values = drawn(random, 6, 5, 12, 0.5, 1.0, 1.5)
        found.append(importance_of(Explained(values.reshape(6, 60), "", ""), grid, 5, "noise_seed")["variance"])
    average, error = np.mean(found, axis=0), np.std(found, axis=0) / 10
    # single runs: 1.5**2, of which a sixth is the interaction of seed and split in the averages over cells
    assert (np.abs(average - [0, 0, 0, 1.0, 0.25, 1.5**2]) < 4 * error).all()
    assert (error < 0.06).all()


@pytest.mark.parametrize(("n_splits", "n_left"), [(5, 4), (6, 1)])
def test_few_splits_exclude_no_cell(n_splits: int, n_left: int) -> None:
    """Six splits may separate four cells by accuracy, however different these are, but five may not."""
    rng = np.random.default_rng(1)
    values = np.array([0.9, 0.5, 0.5, 0.5])[:, None] + rng.normal(0, 0.01, (4, 20 * n_splits))
    cells = pd.DataFrame({"cell": range(4), "n_runs": 20 * n_splits, "test_accuracy_mean": values.mean(axis=1)})
    ranked = best_cells(cells, Measured(values, n_splits), "test_accuracy_mean", Correct(1, 0.5))
    assert ranked["may_be_best"].sum() == n_left


def test_trained_splits(tmp_path: Path) -> None:
    """A trained study has pooled answers from memory and from its folder, also in tables and notebooks."""
    given = {"hidden": [2, 3], "split_seed": [0, 4], "learning_rate": [0.1, 0.3]}
    study = make_study(count=3, data=SPLIT, max_steps=20, criterion="none", **given)
    result = sweep.run(study, tmp_path / "r")
    opened = sweep.open_result(tmp_path / "r")
    pd.testing.assert_frame_equal(opened.best("test_loss"), result.best("test_loss"))
    rows = result.runs(["hidden", "learning_rate", "test_loss"]).groupby(["hidden", "learning_rate"])["test_loss"]
    expected = rows.quantile(0.5, interpolation="lower").sort_values()
    np.testing.assert_array_equal(result.best("test_loss")["test_loss_q50"], expected)
    *ranking, why = command("best", tmp_path / "r").out.splitlines()
    assert not any("split_seed" in line for line in ranking)
    assert why == "2 values of split_seed are too few to exclude any of 4 cells by their means; 6 or more may"
    shown = command("show", tmp_path / "r", "--by", "hidden").out
    assert "2 values of hidden, each of 2 cells and 12 runs" in shown
    assert "intervals count each seed and each value of split_seed once" in shown
    assert "split_seed 0" not in shown
    assert "4 cells, each of 6 runs" in command("show", tmp_path / "r").out
    assert "4 cells, best first, each of 6 runs" in result._repr_html_()
    assert "2 values of split_seed" in command("show", tmp_path / "r", "--by", "split_seed").out


@pytest.mark.wide
def test_figures_pool_over_splits() -> None:
    """Figures of cells have no axis of splits unless it is named."""
    given = {"hidden": [2, 3], "split_seed": [0, 4], "learning_rate": [0.1, 0.3]}
    result = sweep.run(make_study(count=4, data=SPLIT, max_steps=10, criterion="none", **given))
    for kind in ("lines", "heatmap", "contour", "slice", "parallel"):
        axes = figures.draw(result, kind).axes
        assert not any("split seed" in f"{each.get_xlabel()}{each.get_ylabel()}" for each in axes)
    named = figures.draw(result, "heatmap", x="split_seed", y="hidden").axes[0]
    assert named.get_xlabel() == "split seed"
    assert figures.draw(result, "heatmap").axes[0].get_title() == (
        "small: 4 seeds with each of 2 values of split seed per cell"
    )
    for plain in (figures.line_plot, figures.heatmap, figures.contour, figures.parallel, figures.slice_plot):
        title = plain(result, **({"x": "hidden"} if plain is figures.slice_plot else {})).get_title()
        assert "with each of 2 values of split seed" in title.replace("\n", " "), plain
    plain_bands, drawn_bands = (
        [band.get_paths()[0].vertices.tolist() for band in axes.collections]
        for axes in (figures.line_plot(result, x="hidden", color="learning_rate"),
                     figures.draw(result, "lines", x="hidden", color="learning_rate").axes[0])
    )  # fmt: skip
    assert plain_bands == drawn_bands
    assert figures.line_plot(result, x="split_seed", color="hidden").get_xlabel() == "split seed"


# Simulated studies of each case.
STUDIES = 300


@pytest.mark.soak
@pytest.mark.parametrize("n_splits", [3, 5, 10, 30])
@pytest.mark.parametrize("n_seeds", [5, 20, 100])
@pytest.mark.parametrize(
    "spreads", [(0.0, 0.0, 1.0), (3.0, 0.3, 0.5), (0.3, 3.0, 0.5), (1.0, 0.3, 1.0), (1.0, 1.0, 0.3)]
)
def test_equal_sides_with_effects_of_their_own(n_splits: int, n_seeds: int, spreads: tuple[float, ...]) -> None:
    """Where splits and seeds move both sides independently, at most 7 % of equal sides differ.

    Intervals cover in 93 % or more. They are wider with few splits or seeds, which show no more.
    """
    n, random = 400, np.random.default_rng(100 * n_splits + n_seeds)
    shapes = (n, n_splits, 1), (n, 1, n_seeds), (n, n_splits, n_seeds)
    one, other = (
        sum(spread * random.normal(size=shape) for spread, shape in zip(spreads, shapes, strict=True)).reshape(n, -1)
        for _ in range(2)
    )
    study, error = pd.DataFrame({"study": range(n)}), np.sqrt(0.93 * 0.07 / n)
    sides = [Measured(np.clip(np.rint(50 + 4 * each), 0, 100), n_splits) for each in (one, other)]
    means = compare_measured(sides, study, ["study"], "n_correct", Correct(100, 0))
    ends = [
        Measured.of_ends(
            random.integers(50, 100, size=each.shape, dtype=np.int32), each > -0.5 * np.linalg.norm(spreads), n_splits
        )
        for each in (one, other)
    ]  # some 69 % converge
    rates = compare_sides(*(Side(each, np.full(n, 100)) for each in ends), study, ["study"])
    for table, p_values in ((means, ["p_value"]), (rates, ["p_value", "p_steps"])):
        for name in p_values:
            assert (table[name] <= 0.05).mean() <= 0.07 + 3 * error, name
    estimated = [(means, "advantage", 0), (means, "difference", 0), (rates, "difference", 0)]
    estimated += [(rates, "expected_steps_ratio", 1), (rates, "restricted_mean_difference", 0)]
    for table, name, truth in estimated:
        covered = ((table[f"{name}_low"] <= truth) & (truth <= table[f"{name}_high"])).mean()
        assert covered >= 0.93 - 3 * error, (name, covered)
    runs = Runs.of_measured(sides[0], study["study"].to_numpy(), correct=Correct(100, 0))
    found, mean = columns_of(of_measure("n_correct"), runs), of_measure("n_correct")[0].name
    assert ((found[f"{mean}_low"] <= 50) & (found[f"{mean}_high"] >= 50)).mean() >= 0.93 - 3 * error


@pytest.mark.soak
@pytest.mark.parametrize(("n_splits", "n_seeds"), [(5, 10), (5, 20), (10, 20), (20, 20), (10, 100)])
@pytest.mark.parametrize("spreads", [(0.0, 0.0, 1.0), (0.7, 0.3, 1.0), (1.0, 1.0, 0.3)])
@pytest.mark.parametrize("failures", [0.0, 0.01, 0.05])
def test_intervals_and_tests_hold(n_splits: int, n_seeds: int, spreads: tuple[float, ...], failures: float) -> None:
    """Means and medians are covered in 93 % or more; equal cells may all be the best, and at most 7 % differ."""
    random = np.random.default_rng(5)

    def right(n: int) -> np.ndarray:
        values = np.rint(100 - 4 * np.exp(drawn(random, n, n_splits, n_seeds, *spreads) / 2))
        failed = random.random(values.shape) < failures
        return np.clip(np.where(failed, 50, values), 0, 100).reshape(n, -1)

    whole = np.rint(100 - 4 * np.exp(np.linalg.norm(spreads) * random.normal(size=400000) / 2))
    whole = np.clip(np.where(random.random(len(whole)) < failures, 50, whole), 0, 100)
    held, wrong, differ, half = [], 0, 0, Correct(100, 50)
    for _ in range(STUDIES):
        values = right(4)
        truths = ("n_correct", half, whole.mean()), ("margin", NOT_COUNTED, np.median(whole))
        for k, (measure, most, truth) in enumerate(truths):
            measured = Measured(values[:1] + k * 1e-6 * random.random(values[:1].shape), n_splits)
            runs = Runs.of_measured(measured, np.zeros(1, int), correct=most)
            table, name = columns_of(of_measure(measure), runs).iloc[0], of_measure(measure)[k].name
            held.append((table[f"{name}_low"] - 0.01 <= truth <= table[f"{name}_high"] + 0.01, k))
        cells = pd.DataFrame({"cell": range(4), "n_runs": n_splits * n_seeds, "n_correct_mean": values.mean(axis=1)})
        measured = Measured(values, n_splits)
        wrong += not best_cells(cells, measured, "n_correct_mean", half).set_index("cell")["may_be_best"][0]
        sides = measured.at(np.array([0])), measured.at(np.array([1]))
        differ += compare_measured(sides, pd.DataFrame({"one": [0]}), [], "n_correct", half)["p_value"][0] < 0.05
    error = np.sqrt(0.93 * 0.07 / STUDIES)  # of a simulated share
    for k in range(2):
        assert np.mean([each for each, kind in held if kind == k]) >= 0.93 - 3 * error
    assert wrong <= (0.05 + 3 * error) * STUDIES
    assert differ <= (0.07 + 3 * error) * STUDIES


def test_functions_pool_over_splits() -> None:
    """Shares of learned functions count the runs of all draws of noise, and intervals each seed and each draw once."""
    study = study_of(4, 3, hidden=2, learning_rate=[0.1, 0.3], max_steps=100)
    result = sweep.run(Study(**study.canonical() | {"record": {"measures": ["learned_function"]}}))
    runs, table = result.runs(), result.functions("learning_rate", top=2)
    assert "noise_seed" not in table
    assert (table["n_runs"] == 12).all()
    for row in table.to_dict("records"):
        same = runs[runs["learning_rate"] == row["learning_rate"]]
        learned = same["learned_function"].eq(row["learned_function"]).to_numpy()[np.newaxis]  # by draw, then by seed
        assert row["n_learned"] == learned.sum()
        of_runs = Runs.of_measured(Measured.of_ends(np.zeros((1, 12), np.int32), learned, 3), np.zeros(1, np.int64))
        ends = Rate(of_runs, of_runs.converged).ends()
        assert [row["share_low"], row["share_high"]] == [end.item() for end in ends]
    apart = result.functions(["noise_seed", "learning_rate"])
    assert set(apart["noise_seed"]) == {0, 1, 2}
    assert (apart["n_runs"] == 4).all()


def test_splits_race_together() -> None:
    """Cells that differ in the split alone race together: all have equally many seeds."""
    study = Study(
        data={"task": "spiral", "n": 12, "train_count": 6},
        network={"hidden": 3},
        training={"optimizer": "adam", "max_steps": 12},
        convergence={"criterion": "none"},
        parameters={"split_seed": {"values": [1, 2, 3]}, "learning_rate": {"values": [1e-6, 0.02, 0.05]}},
        seeds={"count": 40, "until": {"best": "test_loss"}},
    )
    result = sweep.run(study, threads=1)
    n_runs = result.cells.pivot_table(index="learning_rate", columns="split_seed", values="n_runs")
    assert (n_runs.nunique(axis=1) == 1).all()
    assert n_runs[1].iloc[0] < 40
    finish = naive_race(
        [
            [(-run["test_loss"]).tolist() for _, run in rows.groupby("split_seed")]
            for _, rows in sweep.run(Study(**study.canonical() | {"seeds": {"count": 40}}))
            .runs()
            .groupby("learning_rate")
        ],
        study.seeds.rounds,
        0.95,
        by_wins=True,
    )
    assert n_runs[1].tolist() == finish.n_seeds
