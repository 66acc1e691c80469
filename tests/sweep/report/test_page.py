"""The report: its numbers equal the cells, it loads nothing, and it works in a browser."""

from __future__ import annotations

import re
from html.parser import HTMLParser
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
from sweep.system.formatting import short, steps_text
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


class Tables(HTMLParser):
    """Read the tables of a page: rows of texts, by the id of the table or of the section around it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.addresses: list[str] = []
        self._place, self._rows, self._open = "", [], False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record addresses and the start of tables, rows and cells."""
        values = dict(attrs)
        self.addresses += [str(values[name]) for name in ("src", "href", "xlink:href", "action") if name in values]
        if tag in ("section", "table") and values.get("id"):
            self._place = str(values["id"])
        if tag == "table":
            self._rows = self.tables.setdefault(self._place, [])
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
            self._open = True

    def handle_endtag(self, tag: str) -> None:
        """Record the end of a cell."""
        self._open &= tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        """Append text to the open cell."""
        if self._open:
            self._rows[-1][-1] += data.strip()


@pytest.mark.wide
def test_numbers_are_those_of_the_cells(result: Result, path: Path) -> None:
    """The table has a row for every cell, with its numbers."""
    rows = Tables(path.read_text("utf-8")).tables["all-cells"]
    expected = []
    for row in result.cells.to_dict("records"):
        rate = statistic_text(OF_CONVERGENCE["convergence_rate"], row)
        steps = [steps_text(row[name]) for name in ("steps_q50", "expected_steps")]
        counts = [f"{row[f'n_{status}']:,}" for status in ("converged", "diverged", "stalled", "exhausted")]
        expected.append([str(row["cell"]), *(short(row[name]) for name in SWEPT), *counts, rate, *steps])
    assert rows[1:] == expected
    assert rows[0][:4] == ["cell", "hidden", "learning rate", "distribution"]


def test_best_cells_and_comparisons(result: Result, path: Path) -> None:
    """The page shows the results of `best` and `compare`."""
    tables = Tables(path.read_text("utf-8")).tables
    best = result.best(top=10)
    assert [row[1] for row in tables["best"][1:]] == [str(cell) for cell in best["cell"]]
    compared = result.compare("distribution", each_at_best=True)
    (row,) = compared.to_dict("records")
    found = dict(zip(*tables["comparisons"][-4:-2], strict=True))
    rates = {found[f"rate of {side}, %"] for side in ("first", "second")}
    assert rates == {f"{100 * row[f'{side}_rate']:.1f}" for side in ("first", "second")}
    assert (
        f"+{100 * abs(row['difference']):.1f} ["
        in found["difference, % [95\N{NO-BREAK SPACE}%\N{NO-BREAK SPACE}interval]"]
    )


def test_page_loads_nothing(path: Path) -> None:
    """Every address is an anchor or a data URL, and no identifier occurs twice."""
    text = path.read_text("utf-8")
    assert all(address.startswith(("#", "data:")) for address in Tables(text).addresses)
    assert not re.search(r"@import|url\((?!#|['\"]?#)", text)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert len(text) < 3_000_000


def test_names_are_escaped(path: Path) -> None:
    """Names and descriptions are escaped."""
    text = path.read_text("utf-8")
    assert "<script>alert" not in text
    assert "&lt;b&gt;Is &amp; " in text


def test_answer_and_provenance(result: Result, path: Path) -> None:
    """The page contains the answer, the identity, the digest and the CPU."""
    text = path.read_text("utf-8")
    assert " of 480 runs converged" in text
    assert "Best cell: hidden " in text
    assert "What matters for convergence" in text
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
    rows = Tables(text).tables["all-cells"][1:]
    assert [row[0] for row in rows] == [str(cell) for cell in result.best(top=5)["cell"]]
    assert "5 of 24 cells, best first, each of 20 runs. The file cells.parquet has all of them." in text


@pytest.mark.parametrize(
    "study",
    [
        make_study(count=3, hidden=2, learning_rate=0.1),
        make_study(count=3, criterion="none"),
        make_study(count=3, learning_rate=[1e-30, 1e-29]),
        make_study(count=1),
    ],
    ids=["one cell", "no criterion", "never converges", "one seed"],
)
def test_every_study_has_a_report(study: sweep.Study) -> None:
    """No page shows a missing value as None or nan."""
    text = report_page(sweep.run(study))
    assert "None" not in re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL)
    assert not re.search(r"\bnan\b", re.sub(r"<svg.*?</svg>|<script.*?</script>", "", text, flags=re.DOTALL))


@pytest.mark.wide
def test_recorded_curves_are_drawn(result: Result) -> None:
    """Only a study that records learning curves has a figure of them."""
    recorded = report_page(sweep.run(make_study(count=5, curves={"seeds": 3})))
    assert "Training loss, medians and quartiles" in recorded
    assert "Training loss" not in report_page(result)


@pytest.mark.wide
def test_report_of_counts(result: Result) -> None:
    """Without rows the page leaves out comparisons and replays, and says why."""
    text = report_page(sweep.run(result.study, keep="cells"))
    assert "this result keeps no rows" in text
    assert 'id="comparisons"' not in text
    assert 'id="replay"' not in text


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
    assert opened.complaints == []


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
    assert opened.complaints == []


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
    assert opened.complaints == []
