"""What answers say of a race: which cells are left, what was saved, and intervals that hold at any number of seeds."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import sweep
from sweep import Study, SweepError
from sweep.results.comparison import Pairing
from sweep.results.sentences import answer
from sweep.results.tables.cells_table import cells_table
from sweep.statistics.outcomes import Measured
from sweep.statistics.racing import mean_interval
from tests.sweep.invented import result_of
from tests.sweep.support import make_study

TABLES: dict[str, Any] = {
    "data": {"task": "xor"},
    "network": {"hidden": 4},
    "training": {"max_steps": 60},
    "convergence": {"threshold": 0.3},
    "parameters": {"learning_rate": {"values": [0.01, 0.1, 0.2, 30.0]}},
}


def raced(until: dict[str, Any] | None, count: int = 160, **tables: Any) -> sweep.Result:
    """Return the result of a race, or of all seeds."""
    seeds = {"count": count} | ({"until": until} if until else {})
    return sweep.run(Study(**{**TABLES, "seeds": seeds, **tables}))


@pytest.fixture(scope="module")
def by_rate() -> sweep.Result:
    """Race by the convergence rate."""
    return raced({"best": "rate"})


def test_without_a_dropped_cell_seeds_depend_on_no_result() -> None:
    """A race that drops nothing gave all cells the same seeds; the answer has the interval alone."""
    result = raced({"best": "rate", "confidence": 0.999}, count=10)
    assert result.race()["left"].all()
    text = "\n".join(answer(result))
    assert "no cell was dropped" in text
    assert "optimistic" not in text
    assert re.search(r"^the convergence rate of learning_rate \S+ is .* at any number of seeds", text, re.MULTILINE)


def test_intervals_are_those_of_the_runs(by_rate: sweep.Result) -> None:
    """The intervals of the table hold at any number of seeds."""
    for row in by_rate.race().itertuples():
        converged = by_rate.runs().query(f"cell == {row.cell}")["status"] == "converged"
        low, high = mean_interval(np.array([converged], float), 0.95)
        assert (row.low, row.high) == (low[0], high[0])


@pytest.mark.wide
def test_replicates_are_ranked_together() -> None:
    """Cells of several splits race as one configuration, and answers count configurations.

    Those that are left are ranked by their values, not by intervals, which are wide with two splits.
    """
    result = raced(
        {"best": "test_accuracy", "confidence": 0.6, "first": 10},
        count=40,
        data={"task": "parity", "bits": 3, "train_count": 6},
        parameters={"split_seed": {"values": [1, 2]}, "learning_rate": {"values": [0.1, 0.2, 0.3]}},
        convergence={"criterion": "none"},
    )
    table = result.over_replicates.race()
    assert len(table) == 3
    assert "cell" not in table
    assert 2 * table["n_seeds"].sum() == result.facts["n_runs"]
    best, text = result.best(), "\n".join(answer(result))
    n_left = table["left"].sum()
    means = result.runs().groupby("learning_rate")["test_accuracy"].mean()[table["learning_rate"][table["left"]]]
    assert best["learning_rate"].tolist()[:n_left] == means.sort_values(ascending=False).index.tolist()
    assert best["may_be_best"].tolist() == [True] * n_left + [False] * (3 - n_left)
    assert f"best cell: learning_rate {means.idxmax()}: " in text
    assert "racing (by test_accuracy)" in text
    pooled = result.over_replicates
    assert cells_table(pooled, pooled.cells, top=1).frame["learning_rate"].tolist() == [means.idxmax()]
    with pytest.raises(SweepError, match="race: needs"):
        result.race()


def adaptive(n_seeds: list[int], until: dict[str, Any] | None = None) -> sweep.Result:
    """Return invented runs of six cells, with as many seeds in each as a race might train."""
    tables = make_study(count=40, hidden=[2, 3], learning_rate=[0.1, 0.2, 0.4]).canonical()
    tables["seeds"] |= {"until": until} if until else {}
    del tables["method"]
    study = Study(**tables)
    converged = np.random.default_rng(8).random((6, 40)) < np.linspace(0.1, 0.9, 6)[:, None]
    kept = np.arange(40) < np.array(n_seeds)[:, None]
    result = result_of(study, Measured.of_ends(np.where(kept, 50, -1).astype(np.int32), converged & kept))
    result.complete = True
    return result


UNTIL = {"best": "rate", "first": 10}
UNEVEN = [40, 20, 10, 40, 40, 20]


def test_pooled_comparisons_weigh_cells_alike() -> None:
    """Pairs that are pooled have the seeds of all their cells; a row of single cells has all of theirs."""
    result = adaptive(UNEVEN, UNTIL)
    rows = result.outcomes.converged
    (pooled,) = result.compare("hidden", []).to_dict("records")
    assert (pooled["n_seeds"], pooled["n_pairs"]) == (10, 30)
    assert pooled["difference"] == pytest.approx(rows[:3, :10].mean() - rows[3:, :10].mean())
    assert result.compare("learning_rate", [])["n_seeds"].tolist() == [20, 10, 10]  # of both values
    assert result.compare("hidden")["n_seeds"].tolist() == [40, 20, 10]


def test_two_results_are_pooled_with_the_seeds_of_all_cells_if_either_raced() -> None:
    """Without a race, pairs are all that are there, as in partial results."""
    every = adaptive([40] * 6)
    for raced, n_pairs in ((adaptive(UNEVEN, UNTIL), 60), (adaptive(UNEVEN), 170)):
        pairing = Pairing(every, raced)
        assert pairing.compare([])["n_pairs"].tolist() == [n_pairs]
        assert pairing.compare()["n_pairs"].tolist() == UNEVEN
        assert ("the same weight" in pairing.pooled([])) == (n_pairs == 60)
        assert "the same weight" not in pairing.pooled(["hidden", "learning_rate"])
