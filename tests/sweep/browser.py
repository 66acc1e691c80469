"""Pages in a browser, if one is installed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def needs_browser(test: Any) -> Any:
    """Mark a test as one of `make test-all`, which installs what drives a browser."""
    return pytest.mark.wide(pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")(test))


class WatchedPage:
    """A page in a browser, which may load only what is below its address."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.address = address
        self.page = browser.new_page(**options)
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
