"""The report: its numbers equal the cells, it loads nothing, and it works in a browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import sweep
from sweep import Result, SweepError
from sweep.report import page as report
from sweep.report import report_page, write_report
from sweep.results.sentences import answer
from sweep.results.tables.table import statistic_text
from sweep.statistics.of_cells import OF_CONVERGENCE
from sweep.system.formatting import steps_text
from tests.sweep.browser import Opened, needs_browser
from tests.sweep.support import command, make_study

NAME, DESCRIPTION = "reported", "<b>Is & 'this' \"escaped\"?</b><script>alert(1)</script>"
SWEPT: dict[str, Any] = {
    "hidden": [2, 3, 4],
    "learning_rate": [0.05, 0.1, 0.2, 0.4],
    "distribution": ["normal", "uniform"],
}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Train a study of three parameters into a folder with a space and a quote in its name."""
    study = make_study(count=20, threshold=0.3, name=NAME, **SWEPT)
    study.description = DESCRIPTION
    return sweep.run(study, out=tmp_path_factory.mktemp("report") / "a 'b'")


@pytest.fixture(scope="module")
def path(result: Result) -> Path:
    """Write its report."""
    assert result.directory is not None
    return write_report(result, result.directory / "report.html")


def test_page_loads_nothing(path: Path) -> None:
    """Every address is an anchor or a data URL, and no identifier occurs twice."""
    text = path.read_text("utf-8")
    addresses = re.findall(r'\b(?:src|href|xlink:href|action)="([^"]*)"', text)
    assert addresses
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert not re.search(r"@import|url\((?!#|['\"]?#)", text)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert len(text) < 3_000_000


def test_names_are_escaped(path: Path) -> None:
    """Names and descriptions are escaped."""
    text = path.read_text("utf-8")
    assert "<script>alert" not in text
    assert "&lt;b&gt;Is &amp; " in text


def test_provenance(result: Result, path: Path) -> None:
    """The page contains the identity, the digest and the CPU."""
    text = path.read_text("utf-8")
    for fact in (result.facts["identity"], result.facts["digest"], result.facts["cpu"]):
        assert str(fact) in text


@pytest.mark.wide
def test_same_result_same_page(result: Result, path: Path) -> None:
    """The page does not depend on the time of writing."""
    assert report_page(result) == path.read_text("utf-8")


@pytest.mark.wide
def test_many_cells(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    """If there are too many cells, the page shows the best ones and says so."""
    monkeypatch.setattr(report, "MOST_CELLS", 10)
    monkeypatch.setattr(report, "BEST_CELLS", 5)
    text = report_page(result)
    first_runs = re.findall(r'<tr data-run="(\d+)">', text)
    assert list(map(int, first_runs)) == (20 * result.best(top=5)["cell"]).tolist()
    assert "5 of 24 cells, best first, each of 20 runs. The file cells.parquet has all of them." in text


def test_report_that_cannot_be_written(result: Result, tmp_path: Path) -> None:
    """A missing folder is refused with its path, and a file that browsers would not show as a page."""
    with pytest.raises(SweepError, match=r"gone/page\.html"):
        write_report(result, tmp_path / "gone" / "page.html")
    with pytest.raises(SweepError, match=r"suffix \.html, got .*page\.pdf"):
        write_report(result, tmp_path / "page.pdf")
    assert not list(tmp_path.iterdir())


def test_command(place: Path) -> None:
    """`sweep report` writes the page into the results folder, or to the path of `--out`."""
    assert command("run", "mine.toml", "--out", "r").code == 0
    assert command("report", "r").out == "report in r/report.html\n"
    assert command("report", "r", "--out", "page.html").code == 0
    assert Path("page.html").read_bytes() == Path("r/report.html").read_bytes()
    assert command("report", "nothing").code == 2


def test_notebooks_show_studies_and_results(result: Result) -> None:
    """Notebooks show the answer, the best cells, and descriptions of studies; print shows the answer."""
    assert " of 480 runs converged" in str(result).splitlines()[0]
    assert "\n" not in repr(result)
    shown = result._repr_html_()
    assert " of 480 runs converged" in shown
    assert shown.count(".</div>") == len(answer(result))
    assert "10 of 24 cells, best first" in shown
    assert "480 networks of one hidden layer" in result.study._repr_html_()
    assert "0 runs" not in sweep.run(make_study(count=2, criterion="none"))._repr_html_()


@needs_browser
def test_opens_without_errors_and_requests(browser: Any, path: Path) -> None:
    """The console shows no message, and the page is the only request."""
    opened = Opened(browser, path)
    assert opened.complaints == []
    assert opened.requests == [path.as_uri()]
    assert opened.page.title() == f"{NAME}: report"


@needs_browser
def test_wide_boxes_fade_on_a_phone(browser: Any, path: Path) -> None:
    """Tables and figures wider than the screen fade out until they are scrolled to the end."""
    opened = Opened(browser, path, viewport={"width": 390, "height": 844})
    cells = opened.page.locator("#cells .tall, div.tall").first
    assert "more" in cells.get_attribute("class").split()
    assert "gradient" in cells.evaluate("box => getComputedStyle(box).maskImage")
    cells.evaluate("box => { box.scrollLeft = box.scrollWidth; }")
    opened.page.wait_for_function("!document.querySelector('div.tall').classList.contains('more')")
    opened.page.set_viewport_size({"width": 1600, "height": 900})
    opened.page.wait_for_function("!document.querySelector('.more')")


@needs_browser
def test_table_sorts(browser: Any, path: Path, result: Result) -> None:
    """A click on a header sorts up, a second click sorts down; missing values stay last."""
    opened = Opened(browser, path)
    cells = result.cells
    rates, medians = (opened.page.locator("#all-cells thead button").nth(k) for k in (8, 9))
    for ascending in (True, False):
        rates.click()
        order = cells.sort_values("convergence_rate", ascending=ascending, kind="stable")
        rate = OF_CONVERGENCE["convergence_rate"]
        assert opened.column(8) == [statistic_text(rate, row) for row in order.to_dict("records")]
    for ascending in (True, False):
        medians.click()
        known = cells["steps_q50"].dropna().sort_values(ascending=ascending)
        assert opened.column(9) == [steps_text(value) for value in known] + ["-"] * (len(cells) - len(known))
    names = opened.page.locator("#all-cells thead button").nth(3)
    names.click()
    assert opened.column(3) == sorted(opened.column(3))
    assert opened.page.locator("th[aria-sort=ascending]").count() == 1


@needs_browser
def test_table_filters(browser: Any, path: Path, result: Result) -> None:
    """Filters hide other cells, and the page counts the shown ones."""
    opened = Opened(browser, path)
    opened.page.locator("select").nth(0).select_option("3")
    opened.page.locator("select").nth(2).select_option("uniform")
    chosen = result.cells[(result.cells["hidden"] == 3) & (result.cells["distribution"] == "uniform")]
    assert opened.column(0) == [str(cell) for cell in chosen["cell"]]
    assert opened.page.locator("#shown").inner_text() == "4 of 24 cells"
    opened.page.locator("select").nth(0).select_option("all")
    assert len(opened.column(0)) == 12


@needs_browser
def test_click_shows_how_to_replay(browser: Any, path: Path) -> None:
    """A click on a cell shows the command that replays its first run."""
    import shlex

    opened = Opened(browser, path)
    opened.page.locator("#all-cells tbody tr").nth(5).click()
    assert "Cell 5 has runs 100 to 119, with seeds 0 to 19." in opened.page.locator("#replay").inner_text()
    arguments = shlex.split(opened.page.locator("#replay code").inner_text())
    finished = command(*arguments[1:])
    assert finished.code == 0
    assert "run 100 is equal to its stored row" in finished.err


@needs_browser
@pytest.mark.parametrize(("scheme", "background"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(13, 17, 23)")])
@pytest.mark.parametrize("width", [390, 1200])
def test_light_and_dark_on_screens_of_any_width(
    browser: Any, path: Path, scheme: str, background: str, width: int
) -> None:
    """The page follows the color scheme of the system and is never wider than the screen."""
    opened = Opened(browser, path, color_scheme=scheme, viewport={"width": width, "height": 800})
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == background
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
