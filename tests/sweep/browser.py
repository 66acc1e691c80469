"""Pages in a browser, if one is installed, and processes of `sweep explore`, which serve some of them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest

from tests.waiting import LONG, LONG_FOR_PAGES, until

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

_NAME = "(each) => `${each.tagName}${each.name ?? ''} ${each.className} ${each.textContent.slice(0, 30)}`"
# Returns the control that has the focus, and whether it is outlined and in view; null if none has.
FOCUSED = f"""() => {{
    const focused = document.activeElement;
    if (!focused || focused === document.body) return null;
    const style = getComputedStyle(focused), box = focused.getBoundingClientRect();
    const isOutlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
    return [({_NAME})(focused), isOutlined, box.bottom > 0 && box.top < innerHeight];
}}"""
# Returns once nothing moves on the page, and all answers are there if ``finished``, for some frames: an animation, and
# what it ends with, may begin a frame later.
AT_REST = """([finished, limit]) => new Promise((done, fail) => {
    let calm = 0;
    const look = () => {
        const moves = document.querySelector(".leaflet-zoom-anim, .leaflet-pan-anim");
        const waits = document.body.dataset.finished !== "true" || document.querySelector("[aria-busy]");
        calm = moves || (finished && waits) ? 0 : calm + 1;
        if (calm === 5) done(); else requestAnimationFrame(look);
    };
    look();
    setTimeout(() => fail(new Error("the page does not come to rest")), limit);
})"""
# Returns the controls that keys must reach.
CONTROLS = f"""() => [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
    .filter((each) => each.checkVisibility() && !each.disabled).map({_NAME})"""


def needs_browser(test: Any) -> Any:
    """Mark a test as one of `make test-all`, which installs what drives a browser."""
    return pytest.mark.wide(pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")(test))


class WatchedPage:
    """A page in a browser, which may load only what is below its address; the fixture of the browser closes it."""

    opened: ClassVar[list[WatchedPage]] = []

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        WatchedPage.opened.append(self)
        self.address = address
        self.page = browser.new_page(**options)
        self.page.set_default_timeout(1000 * LONG_FOR_PAGES)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def close(self) -> None:
        """Check that nothing failed and that no request left its address."""
        assert not [text for text in self.complaints if "willReadFrequently" not in text]  # that is about tests
        assert all(request.startswith((self.address, "data:")) for request in self.requests)
        self.page.close()

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds on the page, whose events arrive only while Playwright waits."""
        until(holds, LONG_FOR_PAGES, lambda seconds: self.page.wait_for_timeout(1000 * seconds))

    def rest(self, *, finished: bool = False) -> None:
        """Wait until no map moves, and, if ``finished``, until all tiles and tables are there."""
        self.page.evaluate(AT_REST, [finished, 1000 * (LONG if finished else LONG_FOR_PAGES)])

    def tab_stops(self) -> list[str]:
        """Press Tab from the start of the page to its end, and return what has the focus, each time visibly."""
        stops: list[str] = []
        while True:
            self.page.keyboard.press("Tab")
            found = self.page.evaluate(FOCUSED)
            if found is None:
                return stops
            name, is_outlined, is_in_view = found
            assert is_outlined, f"the focus on {name} is not seen"
            assert is_in_view, f"{name} has the focus out of view"
            stops.append(name)

    def controls(self) -> list[str]:
        """Return the links, buttons and inputs on the page that are neither hidden nor disabled."""
        found: list[str] = self.page.evaluate(CONTROLS)
        return found


class Opened(WatchedPage):
    """A report in a browser."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        super().__init__(browser, path.as_uri(), **options)
        self.page.goto(self.address)

    def column(self, number: int) -> list[str]:
        """Return the texts of a column in the visible rows."""
        texts: list[str] = self.page.locator(
            f"#all-cells tbody tr:visible td:nth-child({number + 1})"
        ).all_inner_texts()
        return texts


class Explorer:
    """A process of `sweep explore`; as a context it is killed."""

    def __init__(self, *options: str, folder: Path | None = None) -> None:
        command = [sys.executable, "-m", "sweep", "explore", *options, "--no-open"]
        # Tiles have thousands of networks: they need the JIT.
        environment = {**os.environ, "NUMBA_DISABLE_JIT": "0"}
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, cwd=folder, env=environment, **pipes)
        found = re.search(r"http://[^\s#]+", self.process.stdout.readline())
        assert found, self.end()
        self.address = found[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        if self.process.poll() is None:
            self.end()

    def end(self, number: int = signal.SIGKILL) -> str:
        """Send a signal, and return standard error."""
        self.process.send_signal(number)
        errors: str = self.process.communicate(timeout=LONG)[1]
        return errors
