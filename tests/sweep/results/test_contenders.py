"""The table of contenders: the cells that may be the best, differences from the first, seeds that separate them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import sweep
from sweep import Result
from sweep.report import report_page
from sweep.results.answers import column_of
from sweep.results.tables.contenders_table import contenders
from sweep.results.tables.table import with_ends
from sweep.statistics.paired import one_sided_sign_test
from sweep.statistics.power import seeds_to_separate
from sweep.statistics.ranking import ranked_by
from tests.sweep.support import command, make_study


@pytest.fixture(scope="module")
def result() -> Result:
    """Train cells of which several may be the best."""
    swept = {"hidden": [2, 3], "learning_rate": [0.05, 0.2], "distribution": ["normal", "uniform"]}
    return sweep.run(make_study(count=30, max_steps=200, threshold=0.4, **swept))


@pytest.mark.parametrize("by", ["rate", "expected_steps", "median_steps", "final_loss", "n_correct"])
def test_contenders_are_those_of_the_ranking(result: Result, by: str) -> None:
    """Each statistic has its contenders, in the order of the ranking; the first has no difference."""
    ranked = result.best(by)
    cells = list(ranked["cell"][ranked["may_be_best"]])
    tables = contenders(result, ranked, column_of(by, ranked_by()))
    if len(cells) == 1:
        assert tables == []
        return
    (table,) = tables
    assert list(table.frame["cell"]) == cells
    if by in ("median_steps", "final_loss"):  # ranked by sign tests at two values, which no difference describes
        assert [column.head for column in table.columns][-1] == "p-value (Holm)"
        assert "n_separating" not in table.frame
        assert len(table.notes) == 1
    else:
        assert table.texts[0][-3:] == ["-", "-", "-"]
        needed = table.frame.dropna(subset=["n_separating"])
        assert (needed["n_separating"] > needed["n_seeds"]).all()
    assert all(len(texts) == len(table.columns) for texts in table.texts)


def test_differences_are_those_of_comparisons(result: Result) -> None:
    """The difference from the first is that of a comparison of the two cells."""
    (table,) = result.tables("contenders")
    first, *others = table.frame.to_dict("records")
    same = ("hidden", "learning_rate", "distribution")
    checked = 0
    for row in others:
        differ = [name for name in same if row[name] != first[name]]
        if len(differ) != 1:
            continue
        compared = result.compare(differ[0])
        here = compared[
            [all(each[name] == row[name] for name in same if name != differ[0]) for each in compared.to_dict("records")]
        ]
        (found,) = here.to_dict("records")
        sign = 1 if found["first"] == row[differ[0]] else -1
        ends = sorted(sign * found[name] for name in with_ends("difference"))
        assert sorted(row[name] for name in with_ends("difference")) == pytest.approx(ends)
        checked += 1
    assert checked


def test_differences_of_means_are_those_of_the_ranking(result: Result) -> None:
    """The interval of a mean correct output excludes 0 where the unadjusted p-value of the ranking is below 2.5 %."""
    ranked = result.best("n_correct").assign(may_be_best=True)
    (table,) = contenders(result, ranked, column_of("n_correct", ranked_by()))
    rows = table.frame.iloc[1:]
    assert (rows["difference"] <= 0).all()
    assert list(rows["difference"]) == pytest.approx(list(rows["n_correct_mean"] - ranked["n_correct_mean"].iloc[0]))
    excluded = list(rows["difference_high"] < 0)
    assert excluded == list(rows["p_value"] < 0.025)
    assert any(excluded)


def test_json_describes_all_columns(result: Result) -> None:
    """Numbers of seeds are integers; the difference is that of the cell from the first."""
    written = result.export("json", table="contenders")
    assert written is not None
    read = json.loads(written)
    columns = read["columns"]
    assert all(column["description"] for column in columns.values())
    assert columns["n_seeds"]["type"] == "Int64"
    assert [row["n_seeds"] for row in read["rows"]][:2] == [None, 30]
    assert columns["rank"]["description"] == "place in the ranking, from 1"
    assert columns["difference"]["description"] == "value of the cell minus that of the first, on common seeds"


def test_screen_and_page_show_the_first_ten(tmp_path: Path) -> None:
    """With few seeds nearly all cells may be the best; titles name the number of all, and files have all."""
    result = sweep.run(make_study(count=2, hidden=[2, 3], learning_rate=[k / 50 for k in range(1, 8)], threshold=0.9))
    (table,) = result.tables("contenders")
    n = int(result.best()["may_be_best"].sum())
    assert n == table.n_rows == len(table.frame) > 10
    cut = f"10 of {n} cells that may be the best of 14"
    page = report_page(result)
    assert cut in page
    assert "10 of 14 cells, best first" in page
    sweep.run(result.study, tmp_path / "r")
    assert cut in command("best", tmp_path / "r").out
    for name, n_rows in (("contenders", n), ("best", 14)):
        for options, n_expected in (((), n_rows), (("--top", "3"), 3)):
            printed = command("export", tmp_path / "r", "--table", name, *options)
            assert printed.out.count("\n") == 1 + n_expected


def test_so_many_seeds_separate_two_rates() -> None:
    """With the seeds that are named, the test of the ranking finds the difference in about 80 % of studies."""
    rates, n, n_compared = (0.8, 0.6), 200, 3
    spread = np.sqrt(sum(rate * (1 - rate) for rate in rates) / n)
    half = stats.norm.ppf(0.975) * spread
    needed = seeds_to_separate(-0.2, -0.2 - half, -0.2 + half, n, n_compared)
    assert needed
    random = np.random.default_rng(1)
    one, other = (random.random((4000, needed)) < rate for rate in rates)
    p_values = one_sided_sign_test((one & ~other).sum(axis=1), (~one & other).sum(axis=1))
    assert (p_values <= 0.05 / n_compared).mean() == pytest.approx(0.8, abs=0.05)
    assert seeds_to_separate(0.0, -0.1, 0.1, n, 1) is None
    assert seeds_to_separate(1e-9, -0.1, 0.1, n, 1) is None
