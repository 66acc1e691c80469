"""Figures of the report: one drawing for light and dark pages, legible on narrow screens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import sweep
from sweep.report import write_report
from tests.sweep.browser import Opened, needs_browser
from tests.sweep.support import make_study

RATES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of a study of three parameters, where some cells never converge."""
    swept = {"learning_rate": RATES, "scale": [0.2, 0.5, 1.0], "distribution": ["normal", "uniform"]}
    result = sweep.run(make_study(hidden=2, count=10, threshold=0.9, **swept))
    return write_report(result, tmp_path_factory.mktemp("report"))


@pytest.mark.wide
def test_figures_use_the_colors_of_the_page(path: Path) -> None:
    """No figure has a fixed white background or black foreground."""
    pictures = re.findall(r"<svg.*?</svg>", path.read_text("utf-8"), re.DOTALL)
    assert len(pictures) == 8
    for picture in pictures:
        assert "currentColor" in picture
        assert "#000000" not in picture
        backgrounds = re.findall(r'<g id="[^"]*patch_\d+">\s*<path d="[^"]*"[^>]*style="([^"]*)"', picture)
        assert not [style for style in backgrounds if "fill: #ffffff" in style]


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_follow_the_scheme(browser: Any, path: Path, scheme: str) -> None:
    """Text and axes have the text color of the page; numbers within fields keep a legible color."""
    opened = Opened(browser, path, color_scheme=scheme)
    color = opened.page.evaluate("getComputedStyle(document.body).color")
    fills = "(all) => all.map((each) => getComputedStyle(each).fill)"
    for k in range(opened.page.locator(".picture").count()):
        texts = opened.page.locator(".picture").nth(k).locator("text").evaluate_all(fills)
        assert color in texts
        assert set(texts) <= {color, "rgb(255, 255, 255)", "rgb(13, 13, 13)", "rgb(128, 128, 128)"}
    strokes = "(all) => [...new Set(all.map((each) => getComputedStyle(each).stroke))]"
    assert color in opened.page.locator(".picture path").evaluate_all(strokes)
    assert "rgba(0, 0, 0, 0)" in opened.page.evaluate("getComputedStyle(document.querySelector('.picture')).background")


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_letters_are_legible(browser: Any, path: Path, width: int) -> None:
    """No text is smaller than seven pixels, and the page is never wider than the screen."""
    opened = Opened(browser, path, viewport={"width": width, "height": 800})
    sizes = opened.page.locator(".picture text").evaluate_all(
        "(all) => all.map((each) => parseFloat(getComputedStyle(each).fontSize) * each.getScreenCTM().a)"
        ".filter((size) => size > 0)"
    )
    assert min(sizes) >= 6.99
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
