"""The page of `sweep explore` in a browser: what it draws equals what the server trained."""

from __future__ import annotations

import re
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweep.columns import STATUSES
from tests.sweep.browser import Explorer, WatchedPage, needs_browser
from tests.waiting import LONG_FOR_PAGES, until

pytest.importorskip("starlette")
STUDY = ["xor", "--set", "hidden=2", "--set", "max_steps=20"]
MAP = "x=learning_rate&x_low=0.001&x_high=1&y=output_learning_rate&y_low=0.001&y_high=1"
COLORS = {"converged": "0072b2", "diverged": "d55e00", "stalled": "cc79a7", "exhausted": "8c8c8c", "plateau": "e69f00"}
SMALL, LARGE = {"width": 700, "height": 600}, {"width": 1280, "height": 900}  # few tiles, and a usual screen
# Returns the visible tiles, [[place, canvas size, colors of the pixels as 0xRRGGBB]].
TILES = """() => {
    const frame = document.querySelector(".picture").getBoundingClientRect();
    return [...document.querySelector(".picture").querySelectorAll("canvas.tile")].filter((canvas) => {
        const box = canvas.getBoundingClientRect();
        return Math.abs(box.width - 256) < 1 && box.left < frame.right && box.right > frame.left
            && box.top < frame.bottom && box.bottom > frame.top;
    }).map((canvas) => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const colors = [];
        for (let k = 0; k < data.length; k += 4) colors.push(65536 * data[k] + 256 * data[k + 1] + data[k + 2]);
        return [canvas.dataset.tile, canvas.width, colors];
    });
}"""

# After the first one, an animation has begun.
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Server(Explorer):
    """A server of maps, which can be killed and started again at the same address."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        super().__init__(*STUDY, "--out", str(self.out))

    def statuses(self, place: str, size: int) -> np.ndarray:
        """Return the statuses of the pixels of a tile."""
        with urllib.request.urlopen(f"{self.address}tile/{place}/{size}?{MAP}") as answer:
            return np.frombuffer(answer.read(), "<f8")[: size * size].astype(int)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a server for all tests."""
    with Server(tmp_path_factory.mktemp("explore")) as running:
        yield running


class Page(WatchedPage):
    """A page of maps in a browser."""

    def __init__(self, browser: Any, server: Server, place: str = "", **options: Any) -> None:
        self.server = server
        super().__init__(browser, server.address, **{"viewport": SMALL, **options})
        self.page.goto(f"{server.address}#{MAP}{place}")
        self.finish()

    def finish(self) -> None:
        """Wait until all visible tiles are trained."""
        self.rest(finished=True)

    def number(self, name: str) -> int:
        """Return a number in the address."""
        found = re.search(rf"[#&]{name}=(\d+)", self.page.url)
        assert found is not None
        return int(found[1])

    def reach(self, z: int, column: int | None = None, row: int | None = None) -> None:
        """Wait until the address has a level and, to a pixel, a place."""

        def is_there() -> bool:
            ends = {"column": column, "row": row}
            near = (abs(self.number(name) - end) <= 1 for name, end in ends.items() if end is not None)
            return self.number("z") == z and all(near)

        self.until(is_there)

    def check_tiles(self, level: int) -> None:
        """Check that each visible tile, coarse or fine, has the colors of its runs; needs the option ``bypass_csp``."""
        palette = np.array([int(COLORS[status], 16) for status in STATUSES])
        tiles = [tile for tile in self.page.evaluate(TILES) if tile[1] > 1]
        assert tiles
        for place, size, colors in tiles:
            assert place.startswith(f"{level}/")
            assert np.array_equal(np.array(colors), palette[self.server.statuses(place, size)])

    def click(self, across: float, down: float, **options: Any) -> None:
        """Click at fractions of the picture."""
        box = self.page.locator(".picture").first.bounding_box()
        self.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
        self.page.locator(".picture").first.click(
            position={"x": across * box["width"], "y": down * box["height"]}, **options
        )


@needs_browser
def test_first_picture_and_legend(browser: Any, server: Server) -> None:
    """The page says what it shows, at which level and where, in words too."""
    opened = Page(browser, server, viewport=LARGE)
    page = opened.page
    assert page.locator("h1").inner_text() == "xor"
    assert "converged" in page.locator(".legend").inner_text()
    page.locator("#summary", has_text="In view:").wait_for(state="attached")
    sentence = page.locator("#summary").text_content()
    assert re.search(r"level 1\. Center: learning rate 0\.03\d*, output learning rate", sentence)
    assert page.locator(".axis.x text").count() > 3
    assert opened.number("z") == 1
    assert page.locator(".level").inner_text() == "Level 1: 512 pixels a side."


@needs_browser
def test_twelve_levels_down_no_tile_is_wrong(browser: Any, server: Server) -> None:
    """Each pixel has the color of its run while one zooms by wheel and keys, and moves."""
    opened = Page(browser, server, "&z=1&column=270&row=300", bypass_csp=True)
    page = opened.page
    opened.check_tiles(1)
    page.locator(".picture").focus()
    for level in range(2, 14):
        if level % 2:
            page.keyboard.press("Equal")
        else:
            box = page.locator(".picture").bounding_box()
            page.mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 0.45 * box["height"])
            page.mouse.wheel(0, -60)
        page.locator(".level", has_text=f"Level {level}:").wait_for()
        opened.rest()
        page.keyboard.press("ArrowRight")
        page.locator(f"canvas[data-tile^='{level}/']:not([width='1'])").first.wait_for()
        opened.reach(level)
        opened.check_tiles(level)
    opened.finish()
    opened.check_tiles(13)
    texts = page.locator(".axis.x text:not(.title)").all_text_contents()
    assert len(texts) > 1
    assert len(set(texts)) == len(texts)


@needs_browser
def test_address_history_and_tabs(browser: Any, server: Server) -> None:
    """The address restores the view in another tab, exactly at the deepest level, and Back returns."""
    deep = "&z=42&column=400000000000001&row=300000000000007"
    opened = Page(browser, server, deep)
    assert (opened.number("column"), opened.number("row")) == (400000000000001, 300000000000007)
    opened.page.locator("[name=value]").select_option("steps")
    opened.finish()
    other = Page(browser, server)
    other.page.goto(opened.page.url)
    other.finish()
    assert other.page.url == opened.page.url
    assert other.page.locator(".readout").inner_text() == opened.page.locator(".readout").inner_text()
    before = opened.page.url
    opened.page.locator(".picture").focus()
    opened.page.keyboard.press("Minus")
    opened.reach(41)
    opened.page.go_back()
    opened.until(lambda: opened.page.url == before)
    opened.page.go_back()
    opened.until(lambda: "value=status" in opened.page.url)
    opened.finish()


@needs_browser
def test_the_whole_map_fits_and_stays_in_view(browser: Any, server: Server) -> None:
    """On a low window too, no pixel of the whole map is cut off, and no drag moves its center away."""
    opened = Page(browser, server, "&z=5&column=1000&row=1000", viewport={"width": 1280, "height": 500})
    page = opened.page
    page.get_by_role("button", name="Whole map").click()
    opened.finish()
    frame = page.locator(".picture").bounding_box()
    tiles = [each.bounding_box() for each in page.locator(".picture canvas.tile").all()]
    assert len(tiles) == 4
    for tile in tiles:
        assert frame["x"] <= tile["x"]
        assert tile["x"] + tile["width"] <= frame["x"] + frame["width"]
        assert frame["y"] <= tile["y"]
        assert tile["y"] + tile["height"] <= frame["y"] + frame["height"]
    middle = (frame["x"] + frame["width"] / 2, 400)
    for _ in range(2):
        page.mouse.move(*middle)
        page.mouse.down()
        page.mouse.move(middle[0] + 500, middle[1] - 200, steps=3)
        page.mouse.up()
        opened.rest()
    opened.reach(1, 0, 511)
    opened.finish()


@needs_browser
def test_keys_pressed_during_an_animation_count(browser: Any, server: Server) -> None:
    """Each of several quick presses zooms by a level, on both maps, also in the other direction at once."""
    opened = Page(browser, server, "&z=3&column=1000&row=1000&pair=1")
    page = opened.page
    page.locator(".picture").first.focus()
    for key, times, level in (("Equal", 4, 7), ("Minus", 3, 4)):
        for _ in range(times):
            page.keyboard.press(key)
            page.evaluate(TWO_FRAMES)
        texts = [f"Level {level}: {256 * 2**level:,} pixels a side."] * 2
        opened.until(lambda texts=texts: page.locator(".level").all_inner_texts() == texts)
    for _ in range(2):
        page.locator(".leaflet-control-zoom-in").first.click()
        page.evaluate(TWO_FRAMES)
    opened.reach(6)
    opened.finish()


@needs_browser
def test_float64_ends(browser: Any, server: Server) -> None:
    """Where neighboring pixels have equal values, the page says so."""
    narrow = "x=learning_rate&x_low=0.5&x_high=0.50001&x_scale=linear&y=output_learning_rate"
    opened = Page(browser, server)
    opened.page.goto(f"{server.address}#{narrow}&z=36&column=8796093022208&row=8796093022208")
    opened.finish()
    sentence = opened.page.locator(".limit").inner_text()
    assert sentence == "float64 ends here: neighboring pixels are equal in learning rate."


@needs_browser
def test_networks_of_pixels(browser: Any, server: Server) -> None:
    """A click shows the network of a pixel; Shift keeps those that are open, Escape closes the last."""
    opened = Page(browser, server)
    page = opened.page
    opened.click(0.5, 0.7)
    panel = page.locator(".network").first
    panel.locator("code").wait_for()
    assert panel.locator("code").inner_text().startswith("sweep trace xor --set hidden=2")
    assert panel.locator(".curve .line").count() == 1
    panel.get_by_text("Weights").click()
    assert panel.locator(".weights").count() >= 3
    opened.click(0.55, 0.5, modifiers=["Shift"])
    page.locator(".network code").nth(1).wait_for()
    assert page.locator(".mark").all_inner_texts() == ["1", "2"]
    page.locator(".picture").focus()
    page.keyboard.press("Shift+Enter")
    page.locator(".network code").nth(2).wait_for()
    page.reload()
    page.locator(".network code").nth(2).wait_for()
    for left in (2, 1, 0):
        page.keyboard.press("Escape")
        opened.until(lambda left=left: page.locator(".network").count() == left)


@needs_browser
def test_large_losses_and_constant_outputs(browser: Any, server: Server) -> None:
    """A loss axis shows whole numbers, and the legend says whether outputs are equal or differ slightly."""
    opened = Page(browser, server, "&z=1&column=256&row=256")
    page = opened.page
    faked = {"spread": 0.0}

    def answer(route: Any) -> None:
        found = route.fetch().json()
        found["losses"] = {"steps": [0, 1, 2], "losses": [5e6, 1e5, 1e3]}
        n = len(found["surface"]["outputs"])
        found["surface"]["outputs"] = [0.5 + faked["spread"] * k / (n - 1) for k in range(n)]
        route.fulfill(json=found)

    page.route("**/network?*", answer)
    for spread, sentence in ((0.0, "0.5 everywhere."), (0.00012, "From 0.50000 (dark) to 0.50012 (light).")):
        faked["spread"] = spread
        opened.click(0.5, 0.5)
        page.locator(".note", has_text=sentence).wait_for()
        chart = page.locator(".curve").bounding_box()
        texts = page.locator(".curve text")
        assert "1,000,000" in texts.all_text_contents()
        assert min(text.bounding_box()["x"] for text in texts.all()) >= chart["x"]
        page.keyboard.press("Escape")


@needs_browser
def test_within_one_integer_the_axis_names_it(browser: Any, server: Server) -> None:
    """Where the center of no integer is in view, one or two that are in view in part are named."""
    opened = Page(browser, server)
    page = opened.page
    axes = "x=hidden&x_low=0.5&x_high=4.5&y=learning_rate&y_low=0.001&y_high=1"
    for column, texts in ((4096, ["2", "3"]), (3300, ["2"]), (7300, ["4"])):
        page.goto("about:blank")
        page.goto(f"{server.address}#{axes}&z=5&column={column}&row=4096")
        opened.until(lambda texts=texts: page.locator(".axis.x text:not(.title)").all_text_contents() == texts)
    opened.finish()


@needs_browser
def test_keys_reach_all_controls(browser: Any, server: Server) -> None:
    """Tab goes to each control, which shows that it has the focus; from the map, arrows move, + and - zoom."""
    opened = Page(browser, server, "&z=3&column=1000&row=1000&networks=0.3.1000.1000")
    page = opened.page
    page.locator(".network code").wait_for()
    stops = opened.tab_stops()
    assert set(opened.controls()) <= set(stops)
    while not page.locator(".picture:focus-visible").count():
        page.keyboard.press("Tab")
    for key, place in (("ArrowRight", (3, 1064, 1000)), ("ArrowDown", (3, 1064, 1064)), ("+", (4, 2128, 2128))):
        page.keyboard.press(key)
        opened.reach(*place)
    page.keyboard.press("-")
    opened.reach(3)
    page.keyboard.press("Shift+Enter")
    page.locator(".network code").nth(1).wait_for()


@needs_browser
def test_learned_functions_have_names(browser: Any, server: Server) -> None:
    """The legend, the value at the center and the panel of its network name the function."""
    opened = Page(browser, server, "&z=1&column=256&row=256&value=learned_function")
    page = opened.page
    page.locator(".legend", has_text="XOR (0110): ").wait_for()
    name = page.locator(".readout").inner_text().split(": learned function ")[1]
    assert re.fullmatch(r".+ \([01]{4}\)", name)
    page.locator(".picture").focus()
    page.keyboard.press("Enter")
    page.locator(".network dd", has_text=name).wait_for()


@needs_browser
def test_side_by_side(browser: Any, server: Server) -> None:
    """Two maps with different options show the same place, and the third one their difference."""
    opened = Page(browser, server, bypass_csp=True)
    page = opened.page
    page.locator("[name=pair]").check()
    page.locator("[data-map='1'] summary").click()
    page.locator("[name='set.dtype.2']").select_option("float32")
    page.locator("[name=difference]").check()
    page.locator("[data-map='2'] .leaflet-container").wait_for()
    opened.finish()
    assert "set.dtype.2=float32" in page.url
    assert re.search(r"equal: \d+ %", page.locator("[data-map='2'] .legend").inner_text())
    page.locator("[data-map='1'] .picture").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Equal")
    opened.until(lambda: page.locator(".level").all_inner_texts() == ["Level 1: 512 pixels a side."] * 3)
    readouts = page.locator(".readout")
    opened.until(lambda: len({re.split(": status|: equal", text)[0] for text in readouts.all_inner_texts()}) == 1)
    for suffix in ("", ".2"):
        page.locator(f"[name='value{suffix}']").select_option("final_loss")
    page.locator("[data-map='2'] .legend", has_text="difference in").wait_for()
    page.locator("[name=pair]").uncheck()
    page.locator("[data-map='1']").wait_for(state="detached")
    opened.until(lambda: ".2=" not in page.url)


@needs_browser
def test_several_seeds_and_locked_colors(browser: Any, server: Server) -> None:
    """With several seeds, a pixel is a rate with its interval; limits of colors can be locked; refusals are shown."""
    opened = Page(browser, server, "&z=20&column=100000000&row=100000000")
    page = opened.page
    page.locator("[name=value]").select_option("final_loss")
    opened.finish()
    page.get_by_label("lock limits").check()
    opened.until(lambda: re.search(r"[#&]low=[^&]+&high=", page.url) is not None)
    page.get_by_label("highest value on the color scale").fill("123")
    page.keyboard.press("Enter")
    opened.until(lambda: "high=123" in page.url)
    page.locator("[name=value]").select_option("status")
    page.locator("[name=seeds]").fill("3")
    page.keyboard.press("Enter")
    page.locator(".readout", has_text="of 3 runs").wait_for()
    page.locator("[name=x_high]").fill("0.0001")
    page.keyboard.press("Enter")
    page.locator("#notice", has_text="must have a lower and a higher end").wait_for()
    opened.page.goto("about:blank")
    opened.page.goto(f"{server.address}#x=nothing")
    page.locator("#notice", has_text="unknown axis 'nothing'").wait_for()
    page.locator("h1", has_text="xor").wait_for()
    opened.finish()
    opened.complaints = [text for text in opened.complaints if "400" not in text]  # the browser reports refusals


@needs_browser
def test_typing_while_an_answer_arrives(browser: Any, server: Server) -> None:
    """What a user types is kept if the answer to an earlier change arrives meanwhile, and Back replaces it."""
    opened = Page(browser, server)
    page = opened.page
    seeds = page.locator("[name=seeds]")
    held: list[Any] = []
    page.route("**/choices?*", lambda route: route.continue_() if held else held.append(route))
    page.locator("[name=value]").select_option("final_loss")
    opened.until(lambda: held)
    seeds.fill("3")
    held[0].continue_()
    opened.finish()
    assert seeds.input_value() == "3"
    page.keyboard.press("Enter")
    page.locator(".readout", has_text="of 3 runs").wait_for()
    page.go_back()
    opened.finish()
    assert seeds.input_value() == "1"


@needs_browser
def test_server_is_killed_and_started_again(browser: Any, server: Server) -> None:
    """The page waits for the server, says so, and goes on when it is there again."""
    opened = Page(browser, server, bypass_csp=True)
    page = opened.page
    server.end()
    page.locator(".picture").focus()
    page.keyboard.press("Equal")
    page.locator("#notice", has_text="The server does not answer; trying again.").wait_for()
    address = server.address
    server.start()
    assert server.address == address
    page.locator("#notice").wait_for(state="hidden")
    opened.finish()
    opened.check_tiles(1)
    opened.complaints = [text for text in opened.complaints if "ERR_" not in text]  # requests without a server


@needs_browser
def test_tiles_that_cannot_be_kept_are_named(browser: Any, tmp_path: Path) -> None:
    """The page says why tiles are not written, and shows them all the same."""
    server = Server(tmp_path / "tiles")
    shutil.rmtree(server.out)
    server.out.write_text("")
    opened = Page(browser, server, "&z=0&column=128&row=128")
    opened.page.locator("#fault", has_text="tiles are not kept: ").wait_for()
    opened.close()
    server.end()


@needs_browser
def test_a_damaged_folder_is_named(browser: Any, tmp_path: Path) -> None:
    """The page says which file is damaged, rather than that the server does not answer."""
    server = Server(tmp_path)
    server.statuses("0/0/0", 256)
    until(lambda: list(tmp_path.glob("*/cells.parquet")))
    server.end()
    for path in tmp_path.glob("*/run.json"):
        path.write_text("{")
    server.start()
    page = browser.new_page(viewport=SMALL)
    page.goto(f"{server.address}#{MAP}&z=0&column=128&row=128")
    page.locator("#notice", has_text="run.json' is damaged").wait_for(timeout=1000 * LONG_FOR_PAGES)
    page.close()
    server.end()
