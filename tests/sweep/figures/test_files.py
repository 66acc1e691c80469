"""Files of figures: formats, names and errors."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure

import sweep
from sweep import SweepError
from sweep.figures import draw, figure_path, save_figure
from sweep.figures.canvas import shown_by
from tests.sweep.support import assert_refused, command, make_study


def drawn() -> Figure:
    """Draw a small study."""
    return draw(sweep.run(make_study(count=3)))


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".SVG", b"<?xml"), (".pdf", b"%PDF")])
def test_suffix_decides_the_format(tmp_path: Path, suffix: str, start: bytes) -> None:
    """Raster and vector formats are supported; the case of the suffix does not matter."""
    save_figure(drawn(), tmp_path / f"rate{suffix}")
    assert (tmp_path / f"rate{suffix}").read_bytes().startswith(start)


def test_path_of_a_figure(tmp_path: Path) -> None:
    """In a folder the file is named after the statistic; an unknown suffix is refused."""
    assert figure_path(tmp_path, "steps_q50") == tmp_path / "steps_q50.png"
    assert figure_path(tmp_path / "rate.SVG", "steps_q50") == tmp_path / "rate.SVG"
    for name in ("rate.docx", "rate", "gone/rate.txt"):
        with pytest.raises(SweepError, match=rf"\.pdf, \.png.*{name}"):
            figure_path(tmp_path / name, "steps_q50")


def test_figure_that_cannot_be_written(tmp_path: Path) -> None:
    """A missing folder is refused with the path, and nothing is written."""
    with pytest.raises(SweepError, match=r"gone/rate\.png.*No such file"):
        save_figure(drawn(), tmp_path / "gone" / "rate.png")
    assert list(tmp_path.iterdir()) == []


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    """A name that is too long is refused in one sentence."""
    sweep.run(make_study(count=2), out=tmp_path / "r")
    assert_refused(command("figure", tmp_path / "r", "--out", tmp_path / ("x" * 300 + ".png")), ("xxx",))


def test_what_a_figure_shows() -> None:
    """The description names the value, the axes, and what the colors are, without units."""
    result = sweep.run(make_study(count=3, hidden=[2, 3], learning_rate=[0.1, 0.2]))
    assert shown_by(draw(result, "lines")) == "runs converged over hidden, by learning rate"
    assert shown_by(draw(result, "lines", x="learning_rate", facet="hidden")) == "runs converged over learning rate"
    assert shown_by(draw(result, "heatmap")) == "runs converged by hidden and learning rate"
    assert shown_by(draw(result, "loss")) == "final loss over initial loss"
