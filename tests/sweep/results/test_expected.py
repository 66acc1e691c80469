"""Comparison of results with published figures."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pytest

import sweep
from sweep.errors import SweepError
from sweep.results.expected import check_figures, disagrees
from sweep.results.tables.expected_table import expected_table
from sweep.statistics.agreement import MedianOfRuns, Published, agreement, mean_of_runs
from sweep.statistics.estimates import Rate
from sweep.statistics.intervals import Array, HasInterval
from sweep.statistics.of_cells import NAMED, OF_CONVERGENCE, every, main_statistic_of
from sweep.statistics.runs import Runs
from sweep.study.expectations import built_in_expectations, load_expectations


@cache
def result() -> sweep.Result:
    """Return 300 runs of two cells, of which some converge."""
    changes = {
        "hidden": [4, 8],
        "scale": 0.5,
        "learning_rate": 0.05,
        "threshold": 0.1,
        "seeds.count": 100,
        "max_steps": 300,
    }
    return sweep.run(sweep.load_study("xor", changes))


def expected_of(*figures: dict[str, Any]) -> Any:
    """Return the table of these figures."""
    return sweep.expect(result(), {"figures": list(figures)})


def test_values_of_every_kind() -> None:
    """Each way to name a figure finds the number that plain pandas finds."""
    rows = result().runs()
    four, eight = (rows[rows["cell"] == cell] for cell in (0, 1))
    converged = eight[eight["status"] == "converged"]
    cases: list[tuple[dict[str, Any], float]] = [
        ({"statistic": "n_converged"}, (rows["status"] == "converged").sum()),
        ({"statistic": "rate", "where": {"hidden": 4}}, (four["status"] == "converged").mean()),
        ({"statistic": "median_steps", "where": {"hidden": 8}}, eight["steps"].sort_values().iloc[49]),
        (
            {"measure": "steps", "statistic": "mean", "among": "converged", "where": {"hidden": 8}},
            converged["steps"].mean(),
        ),
        (
            {"measure": "steps", "statistic": "max", "among": "steps < 200"},
            rows.loc[rows["steps"] < 200, "steps"].max(),
        ),
        (
            {"measure": "final_loss", "statistic": "median", "first_seeds": 10},
            rows[rows["seed"] < 10]["final_loss"].median(),
        ),
        ({"share": "n_correct == 4", "where": {"hidden": 8}}, (eight["n_correct"] == 4).mean()),
    ]
    table = expected_of(*({**figure, "published": 0, "kind": "exact"} for figure, _ in cases))
    np.testing.assert_allclose(table["obtained"], [value for _, value in cases], rtol=1e-12)
    runs = {"measure": "steps_to_converge", "where": {"hidden": 4}, "published": [0] * 9}
    steps = four["steps"].astype(float).where(four["status"] == "converged", np.inf)[:9]
    assert set(np.isinf(steps)) == {True, False}
    assert expected_of(runs)["obtained"].tolist() == steps.tolist()


def test_statistics_are_those_of_tables() -> None:
    """Statistics of cells are those of the table of cells, or of those that are named, with their intervals."""
    everything = [*OF_CONVERGENCE, main_statistic_of("n_correct").name, "final_loss_q75", *NAMED]
    names = [name for name in everything if every()[name].has_interval and name != "restarted_steps"]
    figures = [{"statistic": name, "where": {"hidden": 8}, "published": 0, "kind": "statistical"} for name in names]
    for row, figure in zip(expected_of(*figures).to_dict("records"), figures, strict=True):
        statistic = every()[figure["statistic"]]
        expected = result().statistic(statistic.name).iloc[1][list(statistic.columns)].astype(float).tolist()
        found = [row["obtained"], *([expected[1]] if statistic.error else []), row["low"], row["high"]]
        np.testing.assert_allclose(found, expected, err_msg=statistic.name)
    rate = {"statistic": "finite_rate", "published": 1}
    assert expected_of(rate)["obtained"].tolist() == [1.0]


@pytest.mark.parametrize("name", [name for name, each in built_in_expectations().items() if each.figures])
def test_built_in_studies_have_what_their_figures_need(name: str) -> None:
    """Columns, cells and seeds of published figures exist in the built-in studies, which this does not train."""
    study = sweep.load_study(name)
    assert check_figures(study, built_in_expectations()[name].figures)


def test_exact_figures_agree_in_their_digits() -> None:
    """A figure off by more than half a unit of its last digit disagrees, unless the difference is known."""
    loss = float(result().runs()["final_loss"].iloc[0])
    figure = {"measure": "final_loss", "where": {"hidden": 4}, "seeds": [0]}
    right, off = f"{loss:.5f}", f"{loss + 1e-5:.5f}"
    table = expected_of(
        {**figure, "published": [right]},
        {**figure, "published": [off]},
        {**figure, "published": [off], "tolerance": 2},
        {**figure, "published": [off], "known_difference": "a misprint"},
    )
    assert table["agrees"].tolist() == [True, False, True, False]
    assert expected_of({"statistic": "rate", "published": 1})["agrees"].tolist() == [False]  # no digits are left out
    assert disagrees(table)
    assert not disagrees(table.drop(index=1))
    shown = expected_table(table, "mine")
    assert [texts[-1] for texts in shown.texts] == ["yes", "no", "within tolerance", "no (known)"]
    assert shown.notes == ("final loss, hidden 4, seed 0: a misprint",)


@pytest.mark.parametrize("figure", [
    {"measure": "steps", "statistic": "mean", "among": "converged", "where": {"hidden": 8}},
    {"measure": "steps", "statistic": "median", "among": "converged", "where": {"hidden": 8}},
    {"statistic": "restricted_mean_steps", "where": {"hidden": 8}},
])  # fmt: skip
def test_moved_figures_are_noticed(figure: dict[str, Any]) -> None:
    """A figure that is far off, with a small error, disagrees; the right one, or one with a large error, agrees."""
    value = expected_of({**figure, "published": 0, "kind": "statistical"})["obtained"].iloc[0]
    table = expected_of(
        {**figure, "published": value, "error": 1.0},
        {**figure, "published": 1.5 * value, "error": 1.0},
        {**figure, "published": 1.5 * value, "error": value},
    )
    assert table["agrees"].tolist() == [True, False, True]
    assert (table["difference_low"] <= table["difference"]).all()
    assert (table["difference"] <= table["difference_high"]).all()


def test_many_equal_seeds_share_a_line() -> None:
    """The steps of many seeds are one line of the printed table, but for those that differ."""
    steps = result().runs()["steps"].tolist()[:20]
    steps[7] += 1
    figure = {"measure": "steps", "where": {"hidden": 4}, "published": steps}
    shown = expected_table(expected_of(figure), "mine")
    assert [texts[2] for texts in shown.texts] == ["19 equal", str(steps[7] - 1)]


@pytest.mark.parametrize(
    ("figure", "sentence"),
    [
        ({"statistic": "rat", "published": 1}, "rat: unknown statistic 'rat'"),
        ({"measure": "loss", "published": [1]}, "unknown column of runs 'loss'"),
        ({"measure": "steps", "seeds": [400], "published": [1]}, "seeds: must be from 0 to 99, got 400"),
        ({"statistic": "rate", "first_seeds": 400, "published": 1}, "first_seeds: must be at most 100, got 400"),
        ({"statistic": "rate", "where": {"hidden": 3}, "published": 1}, "hidden: must be one of 4, 8; got 3"),
        (
            {"measure": "steps", "statistic": "max", "among": "diverged", "published": 1},
            "no run meets the condition diverged",
        ),
        ({"measure": "status", "where": {"hidden": 4}, "published": 1}, "column status: must hold numbers"),
        ({"measure": "status", "statistic": "mean", "published": 1}, "column status: must hold numbers"),
        ({"share": "status == convergd", "published": 1}, "condition: must be status == or != converged or diverged"),
        ({"share": "status > converged", "published": 1}, "condition: must be status == or != converged or diverged"),
        ({"share": "steps ~ 3", "published": 1}, "condition: must be COLUMN OPERATOR VALUE"),
        ({"measure": "steps_to_converge", "statistic": "mean", "published": 1}, "mean: must be of finite values"),
        ({"statistic": "expected_steps", "published": 1, "trials": 9}, "trials: must be left out for this statistic"),
        ({"statistic": "rate", "first_seeds": 1, "published": 1, "error": 1}, "the statistic has no interval"),
    ],
)
def test_refusals(figure: dict[str, Any], sentence: str) -> None:
    """What the result does not have is refused with a sentence that names the figure."""
    with pytest.raises(SweepError) as raised:
        expected_of(figure)
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("figure", "sentence"),
    [
        ({"measure": "steps", "published": [1]}, "where: must select one cell, got 2"),
        ({"measure": "w[0,1]", "seeds": 3, "published": 1}, "where: must select one cell, got 2"),
        ({"statistic": "rate", "published": 76, "trials": 50}, "published: must be a rate from 0 to 1, got 76"),
        ({"statistic": "n_converged", "published": 1, "error": 1}, "kind: must be exact for counts and extremes"),
        ({"measure": "steps", "statistic": "max", "published": 1, "error": 1}, "kind: must be exact for counts and"),
    ],
)
def test_refused_before_training(figure: dict[str, Any], sentence: str) -> None:
    """What a study cannot have is known before it is trained."""
    figures = load_expectations({"figures": [figure]}).figures
    with pytest.raises(SweepError, match=re.escape(sentence)):
        check_figures(result().study, figures)


def runs_of(n: int) -> Runs:
    """Return runs of one cell."""
    return Runs(np.zeros(n, np.int64), np.zeros(n, np.int64), seed=np.arange(n))


def p_value(values: Array, what: str, published: Published) -> float:
    """Return the p-value of a statistic of values."""
    runs = runs_of(len(values))
    made: dict[str, HasInterval] = {
        "mean": mean_of_runs(runs, values),
        "median": MedianOfRuns(runs, values),
        "rate": Rate(runs, values > np.log(2)),
    }
    return agreement(made[what], published, values, (1, 2) if what == "median" else None).p_value


def simulated(what: str, knows: str, n: int, rng: np.random.Generator, factor: float = 1.0) -> float:
    """Return the p-value of a published figure of 25 runs, times a factor, beside n runs of the same distribution."""
    own, theirs = rng.gamma(3.0, 1 / 3, n), rng.gamma(3.0, 1 / 3, 25)
    marked = int((theirs > np.log(2)).sum())
    value = {"mean": theirs.mean(), "median": np.median(theirs), "rate": marked / 25}[what] * factor
    facts: dict[str, Any] = {
        "sd": {"sd": theirs.std(ddof=1), "trials": 25},
        "trials": {"trials": 25},
        "successes": {"successes": marked, "trials": 25},
    }[knows]
    return p_value(own, what, Published(value, **facts))


def test_runs_that_never_converge_have_no_finite_median() -> None:
    """A finite published median disagrees with runs of which 95 % never converge, unless it is that of a single run."""
    values = np.array([np.inf] * 95 + [50.0] * 5)

    def chance(published: Published) -> float:
        return agreement(MedianOfRuns(runs_of(len(values)), values), published, values, (1, 2)).p_value

    assert max(map(chance, (Published(50.0, trials=50), Published(50.0, error=5.0), Published(50.0)))) < 1e-6
    assert 0.05 < chance(Published(50.0, trials=1)) < 0.2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "knows"),
    [("mean", "sd"), ("mean", "trials"), ("median", "trials"), ("rate", "successes"), ("rate", "trials")],
)
def test_false_alarms(what: str, knows: str) -> None:
    """P-values of figures of the same distribution are below a level in at most that share of simulations."""
    rng = np.random.default_rng(sum(map(ord, what + knows)))
    n = 300
    found = np.array([simulated(what, knows, 400, rng) for _ in range(n)])
    for level in (0.05, 0.01):
        assert (found <= level).mean() <= level + 3 * np.sqrt(level * (1 - level) / n)


@pytest.mark.parametrize("what", ["mean", "median", "rate"])
def test_five_percent_are_noticed(what: str) -> None:
    """With 10,000 runs, a figure that is 5 % off is noticed where its error is known to be a tenth of that."""
    rng = np.random.default_rng(7)
    values = rng.gamma(3.0, 1 / 3, 10_000)
    true = {"mean": 1.0, "median": 0.8913, "rate": 0.6527}[what]
    assert p_value(values, what, Published(true, error=0.005 * true)) > 0.01
    assert p_value(values, what, Published(1.05 * true, error=0.005 * true)) < 0.001
    assert p_value(values, what, Published(0.95 * true, error=0.005 * true)) < 0.001


def test_units_do_not_matter() -> None:
    """The p-value of a mean of skewed values is that of the same runs in a unit that is a thousandth."""
    values = np.random.default_rng(7).gamma(3.0, 1 / 3, 400)
    small, large = (p_value(unit * values, "mean", Published(1.3 * unit, trials=25)) for unit in (1, 1000))
    assert large == pytest.approx(small, rel=1e-6)


def test_weights_and_curves() -> None:
    """Figures are also final weights of a run, and points of its learning curve."""
    changes = {"record.weights": "final", "record.curves": {"steps": [0, 3, 7], "seeds": 2}, "hidden": 2}
    study = sweep.load_study(
        "xor", {**changes, "learning_rate": 0.1, "seeds.base": 4, "seeds.count": 2, "max_steps": 7}
    )
    made = sweep.run(study)
    weights, curves = made.weights(), made.learning_curves()
    figures = [
        {"measure": ["w[1,0]", "c[0]"], "seeds": [5, 4], "published": [weights["w"][1, 1, 0], weights["c"][0, 0]]},
        {"measure": "train_loss", "steps": [3, 7], "published": curves["train_loss"].iloc[[1, 2]].tolist()},
        {"measure": "v[9,9]", "published": 0},
    ]
    table = sweep.expect(made, {"figures": figures[:2]})
    assert table["agrees"].all()
    assert table["figure"].tolist() == [
        "w[1,0], seed 5",
        "c[0], seed 4",
        *(f"train loss, step {k}, seed 4" for k in (3, 7)),
    ]
    with pytest.raises(SweepError, match=r"measure: must be a weight of .*, got v"):
        sweep.expect(made, {"figures": figures[2:]})
