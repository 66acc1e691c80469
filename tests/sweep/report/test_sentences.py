"""Sentences of reports on small, partial or non-converging studies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

import sweep
from sweep.report import report_page, write_report
from sweep.results.tables.compared_tables import best_value, facing_best
from sweep.results.tables.table import with_ends
from tests.sweep.browser import Opened, needs_browser
from tests.sweep.support import make_study

NEVER: dict[str, Any] = {"learning_rate": [1e-9, 1e-8], "threshold": 1e-9}


def test_one_cell_is_singular() -> None:
    """The number of cells is followed by the right form of the noun."""
    page = report_page(sweep.run(make_study(count=4, hidden=2, learning_rate=0.1)))
    assert '<output id="shown">1 cell</output>' in page


def test_best_value_in_a_partial_result() -> None:
    """Pairs may cover different cells; the best value is the one that loses least to any other."""
    pairs = [("a", "b", 0.3), ("a", "c", -0.1), ("b", "c", -0.05)]
    compared = pd.DataFrame(pairs, columns=["first", "second", "difference"])
    assert best_value(compared, "difference") == "c"
    assert best_value(compared.head(1).assign(difference=0.0), "difference") == "a"


def test_the_best_value_is_first() -> None:
    """Where the best value is the second of a comparison, both sides swap, with signs, ratios and ends."""
    row = {"first": [1, 1], "second": [2, 3], "first_rate": [0.2, 0.2], "second_rate": [0.9, 0.5]}
    row |= {"difference": [-0.7, -0.3], "difference_low": [-0.8, -0.4], "difference_high": [-0.5, -0.1]}
    row |= {"expected_steps_ratio": [4.0, 2.0], "expected_steps_ratio_low": [2.0, 1.0]}
    row |= {"expected_steps_ratio_high": [8.0, 5.0], "p_value": [0.01, 0.02]}
    both = pd.DataFrame({"first": [2], "second": [3], "difference": [0.4]})
    facing = facing_best(pd.concat([pd.DataFrame(row), both], ignore_index=True), "difference")
    assert facing[["first", "second"]].to_numpy().tolist() == [[2, 1], [2, 3]]
    swapped = facing.iloc[0]
    assert (swapped["first_rate"], swapped["second_rate"], swapped["p_value"]) == (0.9, 0.2, 0.01)
    assert [swapped[name] for name in with_ends("difference")] == [0.7, 0.5, 0.8]
    assert [swapped[name] for name in with_ends("expected_steps_ratio")] == [0.25, 0.125, 0.5]


def test_few_converged_runs_are_counted() -> None:
    """If some runs converged but their share rounds to 0.0 %, the page also prints their number."""
    thresholds = [1e9, *(1e-9 * k for k in range(1, 2400))]
    page = report_page(sweep.run(make_study(count=1, hidden=2, learning_rate=1e-9, max_steps=1, threshold=thresholds)))
    assert "1 of 2,400 runs converged; 100.0 % ran out of steps (exhausted)." in page


@needs_browser
def test_digests_are_whole_on_narrow_screens(browser: Any, tmp_path: Path) -> None:
    """Digests wrap instead of being cut off."""
    result = sweep.run(make_study(count=4, threshold=0.3), tmp_path / "r")
    opened = Opened(browser, write_report(result, tmp_path), viewport={"width": 390, "height": 800})
    table = opened.page.locator("#provenance .wide")
    assert table.evaluate("(each) => each.scrollWidth <= each.clientWidth")
    right = opened.page.locator("#provenance td").evaluate_all(
        "(all) => Math.max(...all.map((each) => each.getBoundingClientRect().right))"
    )
    assert right <= 390
