"""What the page of a report says where little was swept, little converged, or not all is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sweep
from sweep.report import report_page, write_report
from sweep.report.losses import best_value
from tests.sweep.browser import Opened, needs_browser
from tests.sweep.support import make_study

NEVER: dict[str, Any] = {"learning_rate": [1e-9, 1e-8], "threshold": 1e-9}


@pytest.mark.parametrize(
    ("swept", "sentence"),
    [
        (
            {"learning_rate": 0.1},
            "4 networks of one hidden layer to learn 4 patterns of 2 inputs and 1 target: 4 seeds.",
        ),
        ({"learning_rate": [0.1, 0.2]}, "4 seeds in each of 2 cells, one for each value of learning rate."),
        (
            {"learning_rate": [0.1, 0.2], "scale": [0.5, 1.0]},
            "4 seeds in each of 4 cells, one for each combination of learning rate and scale.",
        ),
    ],
)
def test_what_was_asked(swept: dict[str, Any], sentence: str) -> None:
    """One cell, the values of one parameter, and combinations of several are called so."""
    assert sentence in report_page(sweep.run(make_study(count=4, hidden=2, **swept)))


def test_one_cell_is_one_cell() -> None:
    """It is counted in the singular."""
    page = report_page(sweep.run(make_study(count=4, hidden=2, learning_rate=0.1)))
    assert '<output id="shown">1 cell</output>' in page


@pytest.mark.wide
def test_nothing_is_best_where_no_run_converged() -> None:
    """Cells are not ranked, and no value is called the best of its parameter; one run that converged is enough."""
    page = report_page(sweep.run(make_study(count=4, **NEVER)))
    assert "No run converged in any of 4 cells." in page
    assert "Best cells" not in page
    assert "Comparisons" not in page
    page = report_page(sweep.run(make_study(count=4, **{**NEVER, "threshold": [1e-9, 1e9]})))
    assert "Best cells" in page
    assert "Comparisons" in page


@pytest.mark.parametrize(("count", "told"), [(9, False), (10, True)])
def test_what_matters_takes_seeds(count: int, told: bool) -> None:
    """No bars of shares stand below the sentence that says that there are too few seeds to tell them from chance."""
    page = report_page(sweep.run(make_study(count=count, threshold=0.3)))
    assert ("is estimated from at least 10 seeds per cell" in page) != told
    assert ("What explains the variance between runs" in page) == told


def test_best_value_of_pairs_that_have_cells_of_their_own() -> None:
    """In a partial result a value may have a high rate in the cells of one pair; the best is behind no other."""
    pairs = [("a", "b", 0.3), ("a", "c", -0.1), ("b", "c", -0.05)]
    compared = [{"first": first, "second": second, "difference": ahead} for first, second, ahead in pairs]
    assert best_value(compared, "difference") == "c"
    assert best_value([{"first": "a", "second": "b", "difference": 0.0}], "difference") == "a"


def test_few_runs_of_many_are_counted() -> None:
    """Where a share would be written as 0.0 % though some runs converged, how many these are is said."""
    below = [1e9, *(1e-9 * k for k in range(1, 2400))]
    page = report_page(sweep.run(make_study(count=1, hidden=2, learning_rate=1e-9, max_steps=1, threshold=below)))
    assert "Of 2,400 runs 1 (0.0 %) converged; 100.0 % exhausted." in page


@needs_browser
def test_digests_are_whole_on_narrow_screens(browser: Any, tmp_path: Path) -> None:
    """They are broken rather than cut off, and tables have as many columns as there is room for."""
    result = sweep.run(make_study(count=4, threshold=0.3), tmp_path / "r")
    opened = Opened(browser, write_report(result, tmp_path), viewport={"width": 390, "height": 800})
    table = opened.page.locator("#provenance .wide")
    assert table.evaluate("(each) => each.scrollWidth <= each.clientWidth")
    right = opened.page.locator("#provenance td").evaluate_all(
        "(all) => Math.max(...all.map((each) => each.getBoundingClientRect().right))"
    )
    assert right <= 390
