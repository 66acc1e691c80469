"""The page of `sweep explore` of results in a browser: it shows what the results hold, and its address all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

import sweep
from sweep import Result
from tests.sweep.browser import Explorer, WatchedPage, needs_browser
from tests.sweep.support import make_study

pytest.importorskip("starlette")
RATES, UNITS = [0.05, 0.1, 0.2, 0.4], [2, 3, 4]
COUNT = 10
LARGE = {"width": 1280, "height": 900}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "color_scheme": "dark"}
# Returns the color, as 0xRRGGBB, of a canvas at a fraction of its width and height.
COLOR = """(canvas, [across, down]) => {
    const place = [Math.floor(across * canvas.width), Math.floor(down * canvas.height)];
    const [red, green, blue] = canvas.getContext("2d").getImageData(...place, 1, 1).data;
    return 65536 * red + 256 * green + blue;
}"""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Train a study of three options, one of which is a text."""
    study = make_study(
        count=COUNT, threshold=0.3, learning_rate=RATES, hidden=UNITS, distribution=["normal", "uniform"], name="shown"
    )
    return sweep.run(study, out=tmp_path_factory.mktemp("results") / "r")


@pytest.fixture(scope="module")
def address(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve its map."""
    with Explorer(str(result.directory), "--out", str(tmp_path_factory.mktemp("tiles"))) as server:
        yield server.address


class Page(WatchedPage):
    """A page of results in a browser."""

    def __init__(self, browser: Any, address: str, place: str = "", **options: Any) -> None:
        super().__init__(browser, address, **{"viewport": LARGE, **options})
        self.page.goto(f"{address}#x=learning_rate&y=hidden{place}")
        self.finish()

    def finish(self) -> None:
        """Wait until tiles, panel and table are there."""
        self.page.locator(".panel h2").first.wait_for()
        self.rest(finished=True)

    @property
    def hash(self) -> dict[str, str]:
        """What the address says."""
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.page.url).fragment).items()}

    def point(self, column: int, row: int) -> tuple[float, float]:
        """Return the place of a cell on the screen, while the whole map of 512 pixels a side is in view."""
        box = self.page.locator(".picture").first.bounding_box()
        left, top = box["x"] + box["width"] / 2 - 256, box["y"] + box["height"] / 2 - 256
        return left + 512 * (column + 0.5) / len(RATES), top + 512 * (1 - (row + 0.5) / len(UNITS))

    def selected(self) -> tuple[str | None, str | None]:
        """Return the columns and rows in the address."""
        return self.hash.get("columns"), self.hash.get("rows")

    def places(self) -> set[str]:
        """Return the cells that the maps have at their centers."""
        return {text.partition(":")[0] for text in self.page.locator(".readout").all_inner_texts()}

    def rows(self) -> list[list[str]]:
        """Return the texts of the table."""
        lines = self.page.locator("#tables tbody tr").all()
        return [line.locator("td").all_inner_texts() for line in lines]


@needs_browser
def test_colors_are_those_of_the_values(browser: Any, address: str, result: Result) -> None:
    """Each cell has the color that the legend has at its convergence rate."""
    opened = Page(browser, address, "&set.distribution=uniform", bypass_csp=True)
    tile = opened.page.locator("canvas[data-tile='0/0/0'], canvas[data-tile^='1/']").first
    tile.wait_for()
    legend = opened.page.locator(".bar canvas")
    cells = result.cells.set_index(["distribution", "learning_rate", "hidden"])["convergence_rate"]
    colors = {}
    for place in opened.page.locator(".picture canvas.tile").all():
        level, across, down = map(int, place.get_attribute("data-tile").split("/"))
        for i, rate in enumerate(RATES):
            for j, units in enumerate(UNITS):
                at = [(i + 0.5) / len(RATES) * 2**level - across, (1 - (j + 0.5) / len(UNITS)) * 2**level - down]
                if all(0 <= each < 1 for each in at):
                    colors[rate, units] = place.evaluate(COLOR, at)
    assert len(colors) == len(RATES) * len(UNITS)
    for (rate, units), color in colors.items():
        share = round(255 * cells["uniform", rate, units])
        assert color == legend.evaluate(COLOR, [(share + 0.5) / 256, 0])
    assert len(set(colors.values())) > 2


@needs_browser
def test_click_drag_and_keys_select(browser: Any, address: str) -> None:
    """A click selects one cell, a drag with Shift or with the switch several, arrows too; Escape selects none."""
    opened = Page(browser, address)
    page = opened.page
    page.mouse.click(*opened.point(1, 2))
    opened.until(lambda: opened.selected() == ("1:2", "2:3"))
    opened.finish()
    assert "learning rate 0.1, hidden 4" in page.locator(".panel h2").inner_text()
    for switch in (False, True):
        page.keyboard.press("Escape")
        page.get_by_label("drag selects").set_checked(switch)
        if not switch:
            page.keyboard.down("Shift")
        page.mouse.move(*opened.point(3, 0))
        page.mouse.down()
        page.mouse.move(*opened.point(2, 1), steps=4)
        page.mouse.move(*opened.point(1, 1), steps=4)
        page.mouse.up()
        page.keyboard.up("Shift")
        opened.until(lambda: opened.selected() == ("1:4", "0:2"))
        opened.finish()
    page.locator(".picture").focus()
    for key in ("ArrowUp", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowUp", "Shift+ArrowUp", "Shift+ArrowUp"):
        page.keyboard.press(key)
    opened.until(lambda: opened.selected() == ("2:4", "1:3"))
    opened.finish()
    page.locator(".readout", has_text="learning rate 0.4, hidden 4: runs converged").wait_for()
    page.keyboard.press("Enter")
    opened.until(lambda: opened.selected() == ("3:4", "2:3"))
    opened.finish()
    page.keyboard.press("Escape")
    opened.until(lambda: opened.selected() == (None, None))
    opened.finish()


@needs_browser
def test_keys_reach_all_controls(browser: Any, address: str) -> None:
    """Tab goes to each control of maps, panels and tables, which shows that it has the focus."""
    opened = Page(browser, address, "&columns=0:2&rows=1:3")
    assert set(opened.controls()) <= set(opened.tab_stops())


@needs_browser
def test_panel(browser: Any, address: str, result: Result) -> None:
    """The panel has statistics of the selected runs, a line for each row, statuses that occur, and a command."""
    opened = Page(browser, address, "&columns=0:3&rows=1:3")
    panel = opened.page.locator(".panel")
    cells = result.cells.query("learning_rate < 0.3 and hidden > 2")
    n_runs, n_converged = len(cells) * COUNT, int(cells["n_converged"].sum())
    facts = dict(zip(*(panel.locator(name).all_inner_texts() for name in ("dt", "dd")), strict=True))
    rate = next(text for label, text in facts.items() if label.startswith("runs converged"))
    assert float(rate.split()[0]) == pytest.approx(100 * n_converged / n_runs, abs=0.06)
    slices, incidence = panel.locator("figure").all()
    assert slices.locator(".entries li").all_inner_texts() == ["3", "4"]
    assert slices.locator(".line").count() == 2
    assert slices.locator(".dot").count() == 6
    texts = incidence.locator(".entries li").all_inner_texts()
    swatches = incidence.locator(".swatch").all()
    assert len({each.evaluate("(swatch) => getComputedStyle(swatch).color") for each in swatches}) == len(texts) > 1
    converged = next(text for text in texts if text.startswith("converged"))
    assert float(converged.split()[1]) == pytest.approx(100 * n_converged / n_runs, abs=0.06)
    assert panel.locator("code").inner_text().startswith("sweep show ")


@needs_browser
def test_tables_sort_page_and_lead_to_cells(browser: Any, address: str, result: Result) -> None:
    """Tables show what is selected, sorted by a column, a page at a time; a row shows its cell and its command."""
    opened = Page(browser, address, "&rows=0:2")  # without columns, nothing is selected
    page = opened.page
    assert len(opened.rows()) == result.study.n_cells
    page.get_by_role("button", name="learning rate").click()
    page.get_by_role("button", name="learning rate").click()
    page.locator("th[aria-sort=descending]").wait_for()
    opened.finish()
    heads = page.locator("#tables th").all_inner_texts()
    column = next(k for k, text in enumerate(heads) if text.startswith("learning rate"))
    shown = [float(cells[column]) for cells in opened.rows()]
    assert shown == sorted(shown, reverse=True)
    page.locator("#tables tbody tr").nth(len(shown) - 1).click()
    page.locator("path.chosen").wait_for(state="attached")
    assert page.locator("tr.chosen").inner_text().split("\t")[column].strip() == "0.05"
    page.locator("#tables code", has_text="sweep show ").wait_for()
    page.locator(".readout", has_text="learning rate 0.05, ").wait_for()  # the center is that cell
    page.get_by_role("button", name="Runs", exact=True).click()
    page.locator(".pages", has_text=f"1 to 50 of {result.study.n_runs}").wait_for()
    page.get_by_role("button", name="Next").click()
    page.locator(".pages", has_text="51 to 100").wait_for()
    page.locator("#tables tbody tr").first.click()
    page.locator("#tables code", has_text="sweep trace ").wait_for()
    page.locator(".picture").focus()
    page.keyboard.press("Enter")
    page.locator(".pages", has_text=f"1 to {2 * COUNT} of {2 * COUNT}").wait_for()


@needs_browser
def test_address_history_and_modes(browser: Any, address: str) -> None:
    """The address restores all of it in another tab; Back undoes; the map of training and back to results."""
    opened = Page(browser, address)
    page = opened.page
    page.locator("[name='set.distribution']").select_option("normal")
    opened.finish()
    page.mouse.click(*opened.point(2, 1))
    opened.finish()
    page.get_by_role("button", name="Runs", exact=True).click()
    opened.finish()
    page.locator("#tables tbody tr").nth(3).click()
    opened.finish()
    other = Page(browser, address)
    other.page.goto(page.url)
    other.page.locator("tr.chosen").wait_for()
    other.finish()
    assert other.page.url == page.url
    for name in (".readout", ".panel", "#tables"):
        assert other.page.locator(name).inner_text() == page.locator(name).inner_text()
    assert other.page.locator("path.outline").count() == page.locator("path.outline").count() == 4
    assert opened.hash["set.distribution"] == "normal"
    assert opened.hash["chosen"] == "3"
    page.go_back()
    page.locator("tr.chosen").wait_for(state="detached")
    for _ in range(2):
        page.go_back()
    opened.until(lambda: opened.selected() == (None, None))
    opened.finish()
    page.locator("[name=show]").select_option("training")
    page.locator("[name=x_low]").wait_for()
    page.locator("body[data-finished='true']").wait_for()
    assert opened.hash["show"] == "training"
    assert page.locator("#tables, #selection").locator("visible=true").count() == 0
    page.locator("[name=show]").select_option("results")
    page.locator(".panel h2").wait_for()
    opened.finish()
    assert opened.hash["show"] == "results"


@needs_browser
def test_pins_and_difference(browser: Any, address: str, result: Result) -> None:
    """Two maps of one result have their own pinned values and panels; the third one shows the difference."""
    opened = Page(browser, address)
    page = opened.page
    page.locator("[name='set.distribution']").select_option("normal")
    opened.finish()
    page.get_by_label("side by side").check()
    page.locator("[name='set.distribution.2']").select_option("uniform")
    page.get_by_label("difference").check()
    page.locator("[data-map='2'] .leaflet-container").wait_for()
    opened.finish()
    page.locator("[data-map='2'] .picture").click(position={"x": 30, "y": 150})
    page.locator(".panel").nth(1).wait_for()
    opened.finish()
    titles = page.locator(".panel h2").all_inner_texts()
    assert ["normal" in titles[0], "uniform" in titles[1]] == [True, True]
    readouts = page.locator(".readout").all_inner_texts()
    rates = [float(re.findall(r"converged (\S+) %", text)[0].replace("\N{MINUS SIGN}", "-")) for text in readouts]
    assert rates[2] == pytest.approx(rates[1] - rates[0], abs=0.05)
    page.locator("[data-map='0'] .picture").focus()
    before = opened.places()
    page.keyboard.press("ArrowUp")
    opened.until(lambda: opened.places() != before and len(opened.places()) == 1)
    page.get_by_role("button", name="Configurations of map 2").click()
    opened.finish()
    assert {text for row in opened.rows() for text in row} & {"normal", "uniform"} == {"uniform"}


@needs_browser
def test_text_axis(browser: Any, address: str) -> None:
    """An option of texts is an axis, whose values stand at the centers of cells; a slice along it has no lines."""
    opened = Page(browser, address)
    page = opened.page
    page.locator("[name=y]").select_option("distribution")
    opened.finish()
    assert page.locator(".axis.y text:not(.title)").all_text_contents() == ["normal", "uniform"]
    assert opened.hash["y"] == "distribution"
    opened.page.goto("about:blank")
    opened.page.goto(f"{address}#x=learning_rate&y=distribution&z=3&column=1000&row=1900")  # within the lower cell
    opened.until(lambda: page.locator(".axis.y text:not(.title)").all_text_contents() == ["normal"])
    opened.finish()
    page.locator("[name=x]").select_option("distribution")  # an option is on one axis: they change places
    opened.finish()
    assert (opened.hash["x"], opened.hash["y"]) == ("distribution", "learning_rate")
    page.locator(".picture").focus()
    page.keyboard.press("Enter")
    opened.finish()
    slices = page.locator(".panel figure").first
    assert slices.locator(".dot").count() == 2
    assert not [path for path in slices.locator("path.line").all() if "L" in path.get_attribute("d")]


@needs_browser
def test_phone_and_dark(browser: Any, address: str) -> None:
    """On a phone, nothing is wider than the screen; a finger selects cells, and panel and tables are below the map."""
    opened = Page(browser, address, bypass_csp=True, **PHONE)
    page = opened.page
    page.locator(".picture").tap()
    opened.until(lambda: opened.selected() == ("2:3", "1:2"))
    opened.finish()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    boxes = [page.locator(name).first.bounding_box() for name in (".picture", ".panel", "#tables")]
    assert boxes[0]["y"] + boxes[0]["height"] < boxes[1]["y"] < boxes[2]["y"]
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 23)"


@needs_browser
def test_infinite_values_have_their_own_color(browser: Any, address: str) -> None:
    """An infinite median has the color of diverged runs, not that of the largest number, and the legend says so."""
    opened = Page(browser, address, bypass_csp=True)
    page = opened.page
    value = np.tile(np.repeat([1.0, np.inf, 3.0, 4.0], 64), (256, 1))
    headers = {"Sweep-Planes": "value", "Sweep-Distinct": "256,256"}
    page.route("**/tile/**", lambda route: route.fulfill(body=value.astype("<f8").tobytes(), headers=headers))
    page.locator("[name=value]").select_option("final_loss_q50")
    page.locator(".legend", has_text="infinite").wait_for()
    opened.finish()
    colors = [page.locator("canvas.tile").first.evaluate(COLOR, [(k + 0.5) / 4, 0]) for k in range(4)]
    assert colors[1] == 0xD55E00
    assert len(set(colors)) == 4


@needs_browser
def test_large_results_are_summarized_where_they_are_selected(browser: Any, address: str) -> None:
    """Without a selection, the page asks for a table of millions of cells, but for no statistics of them."""
    opened = Page(browser, address)
    page = opened.page

    def enlarged(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "n_cells": 10_000_000})

    page.route("**/choices?*", enlarged)
    page.goto("about:blank")
    opened.requests.clear()
    page.goto(f"{address}#x=learning_rate&y=hidden")
    page.locator("body[data-finished='true']").wait_for()
    page.locator("#hint", has_text="Click on a cell").wait_for()
    page.locator("#tables tbody tr").first.wait_for()
    assert not [each for each in opened.requests if "/selection?" in each]
    page.mouse.click(*opened.point(1, 2))
    opened.finish()
    assert page.locator("#hint").is_hidden()
    assert len(opened.rows()) == 2


@needs_browser
def test_refusals(browser: Any, address: str) -> None:
    """What the address asks for and the results do not have is refused in one sentence; the page still shows a map."""
    opened = Page(browser, address)
    opened.page.goto("about:blank")
    opened.page.goto(f"{address}#x=nothing")
    opened.page.locator("#notice", has_text="unknown axis 'nothing'").wait_for()
    opened.finish()
    opened.page.goto(f"{address}#sort=nothing")
    opened.page.locator("#tables", has_text="nothing").wait_for()
    opened.complaints = [text for text in opened.complaints if "400" not in text]  # the browser reports refusals
