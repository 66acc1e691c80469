"""Appearance of figures: labels, legends, titles, colors, empty figures, and notebooks."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

import sweep
from sweep import Result, figures
from sweep.figures.colors import MISSING
from sweep.training.networks.trace import trace
from sweep.training.networks.trajectory import outputs_plane, weights_path
from tests.kernels.support import some_compiled
from tests.sweep.invented import invented
from tests.sweep.support import make_study

RANDOM = np.random.default_rng(3)
THIRTY = [sorted(np.exp(RANDOM.uniform(np.log(low), np.log(high), 30)).tolist()) for low, high in ((1e-3, 1), (0.1, 9))]
ORDERS = [" ".join(order) for order in itertools.islice(itertools.permutations("wvbck"), 10)]
SMALL: dict[str, Any] = {"hidden": 2, "count": 8, "threshold": 1.2, "curves": {"seeds": 4}}
SWEPT: dict[str, dict[str, Any]] = {
    "one": {"learning_rate": [0.05, 0.1, 0.2, 0.4]},
    "two": {"learning_rate": [0.05, 0.1, 0.2, 0.4], "scale": [0.3, 0.5, 1.0]},
    "three": {"learning_rate": [0.05, 0.1, 0.2, 0.4], "scale": [0.5, 1.0], "distribution": ["normal", "uniform"]},
    "names": {"draw_order": ORDERS, "distribution": ["normal", "uniform"], "learning_rate": 0.2},
    "thirty": {"learning_rate": THIRTY[0], "scale": THIRTY[1]},
    "zoomed": {"learning_rate": np.geomspace(1, 5, 9).tolist(), "scale": np.geomspace(0.1, 0.5, 7).tolist()},
    "narrow": {"learning_rate": np.linspace(0.25, 0.2501, 9).tolist(), "scale": [0.5, 1.0]},
    "tiny": {"learning_rate": [1e-9, 3e-9, 1e-8], "scale": [0.5, 1.0, 2.0]},
    "wild": {"learning_rate": [0.2, 50.0, 5e3], "scale": [1.0, 100.0], "max_steps": 20},
    "thresholds": {"threshold": [1.2, 0.6, 0.3], "learning_rate": [0.1, 0.2]},
    "recorded": {"loss_thresholds": [3.0, 1.2, 0.6, 0.3], "learning_rate": [0.1, 0.2], "scale": [0.5, 1.0]},
    "one cell": {"learning_rate": 0.2},
}
# Kinds that need more or other parameters than the study sweeps.
REFUSED = {("heatmap", "one"), ("contour", "one"), ("contour", "names"), ("profile", "thirty")} | {
    *((kind, "one cell") for kind in ("heatmap", "slice", "contour", "parallel", "profile")),
    *(("ecdf", name) for name in SWEPT if name not in ("thresholds", "recorded")),
}
# Every run of the tests draws each kind for four studies, two with few values and two with many.
USUAL = ("two", "thirty", "names", "recorded")
ALL = some_compiled(
    [(kind, name) for name in SWEPT for kind in figures.KINDS if (kind, name) not in REFUSED],
    lambda case: case[1] in USUAL,
)
STEPS = ("lines", "heatmap", "slice", "contour", "parallel")


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    """Train each of the studies."""
    return {name: sweep.run(make_study(**{**SMALL, **options})) for name, options in SWEPT.items()}


class Drawn(dict[tuple[str, str], list[Figure]]):
    """Figures of each kind and study, drawn when first needed; for some kinds also of steps."""

    def __init__(self, results: dict[str, Result]) -> None:
        self.results = results

    def __missing__(self, key: tuple[str, str]) -> list[Figure]:
        """Draw the figures of a kind and a study."""
        kind, name = key
        choices = ({"value": "convergence_rate"}, {"value": "steps_q50"}) if kind in STEPS else ({},)
        assert figures.KINDS[kind].refusal(self.results[name]) is None
        self[key] = [figures.draw(self.results[name], kind, **options) for options in choices]
        for figure in self[key]:
            figure.draw_without_rendering()
        return self[key]


@pytest.fixture(scope="module")
def drawn(results: dict[str, Result]) -> Drawn:
    """Share the figures of all tests."""
    return Drawn(results)


def labels(axis: Axis) -> list[Bbox]:
    """Return the boxes of the labels of an axis."""
    low, high = sorted(axis.get_view_interval())
    ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    texts = [text for tick in ticks for text in (tick.label1, tick.label2) if text.get_visible() and text.get_text()]
    return [text.get_window_extent() for text in texts if text.get_rotation() in (0, 90)]


def shown(figure: Figure) -> list[Axes]:
    """Return the visible axes."""
    return [axes for axes in figure.axes if axes.get_visible() and axes.axison]


def check_labels(figure: Figure) -> None:
    """Fail if labels of ticks overlap."""
    for axis in (axis for axes in shown(figure) for axis in (axes.xaxis, axes.yaxis)):
        pairs = itertools.combinations(labels(axis), 2)
        assert not [1 for first, second in pairs if first.overlaps(second)], axis.get_label_text()


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_labels_never_touch(drawn: Drawn, kind: str, name: str) -> None:
    """No labels of any axis overlap."""
    for figure in drawn[kind, name]:
        check_labels(figure)


@pytest.mark.parametrize("kind", ["lines", "heatmap", "slice"])
@pytest.mark.parametrize("name", some_compiled(["thirty", "names", "zoomed", "narrow"], "thirty".__eq__))
@pytest.mark.parametrize("size", [(4.5, 3.2), (12.0, 9.0)], ids=["small", "large"])
def test_labels_never_touch_at_any_size(
    results: dict[str, Result], kind: str, name: str, size: tuple[float, float]
) -> None:
    """No labels overlap in smaller or larger figures."""
    figure = figures.draw(results[name], kind)
    figure.set_size_inches(size)
    figure.draw_without_rendering()
    check_labels(figure)


@pytest.mark.parametrize(("kind", "name"), [each for each in ALL if each.values[1] != "one cell"])
def test_axes_have_two_labels(drawn: Drawn, kind: str, name: str) -> None:
    """Each axis has at least two labels, also within one decade."""
    for axes in (axes for figure in drawn[kind, name] for axes in shown(figure)):
        is_bar = axes.get_label() == "<colorbar>"
        if any("nothing" in text.get_text() for text in axes.texts):
            continue
        scales = [] if is_bar or (kind, name) == ("parallel", "one") else [axes.xaxis]
        if is_bar or (kind != "parallel" and axes.get_subplotspec().is_first_col()):
            scales.append(axes.yaxis)
        for axis in scales:
            assert sum(bool(text.get_text()) for text in axis.get_ticklabels()) >= 2, axis.get_label_text()


def test_numbers_on_a_zoomed_axis(results: dict[str, Result]) -> None:
    """A logarithmic axis from 1 to 5 has the labels 1, 2 and 5."""
    figure = figures.draw(results["zoomed"], "lines", x="learning_rate")
    figure.draw_without_rendering()
    texts = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert [text for text in texts if text] == ["1", "2", "5"]


def test_all_names_are_written(results: dict[str, Result]) -> None:
    """Long names are rotated, not left out."""
    for kind in ("heatmap", "lines", "slice"):
        axes = figures.draw(results["names"], kind).axes[0]
        assert [label.get_text() for label in axes.get_xticklabels()] == ORDERS
        assert axes.get_xticklabels()[0].get_rotation() > 0


SENTENCES = {
    **dict.fromkeys(
        [("tiny", kind, "steps_q50") for kind in STEPS], "in every cell fewer than half of all runs converged"
    ),
    ("tiny", "contour", None): "runs converged, %: 0 in every cell",
    ("tiny", "importance", None): "nothing to draw: all runs have the same outcome",
    ("tiny", "incidence", None): "no run converged",
    ("tiny", "steps", None): "nothing to draw: no run converged",
    ("tiny", "heatmap", "expected_steps"): "in every cell no run converged",
}


@pytest.mark.parametrize(("name", "kind", "value"), SENTENCES)
def test_empty_figures_say_why(results: dict[str, Result], name: str, kind: str, value: str | None) -> None:
    """A figure without points has a sentence instead."""
    options = {"value": value} if value else {}
    figure = figures.draw(results[name], kind, **options)
    texts = [text.get_text().replace("\n", " ") for axes in figure.axes for text in axes.texts]
    assert any(SENTENCES[name, kind, value] in text for text in texts), texts


def test_extreme_losses(results: dict[str, Result]) -> None:
    """Extreme losses are not drawn, and the title counts them."""
    result = results["wild"]
    runs = result.runs()
    beyond = ~runs["final_loss"].between(1e-100, 1e100)
    ax = figures.losses(result)
    ax.figure.draw_without_rendering()
    assert 0 < beyond.sum() < len(runs)
    points = np.concatenate([each.get_offsets() for each in ax.collections])
    assert sorted(points[:, 1]) == sorted(runs["final_loss"][~beyond])
    assert f"{beyond.sum()} runs with a loss below 1e-100 or above 1e100" in ax.get_title()
    none = figures.losses(result, at={"learning_rate": ["5000"], "scale": ["100"]})
    assert [text.get_text().partition(":")[0] for text in none.texts] == ["nothing to draw"]


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_legends_hide_nothing(drawn: Drawn, kind: str, name: str) -> None:
    """Legends are beside the axes and within the figure."""
    for figure in drawn[kind, name]:
        for legend in (*figure.legends, *(axes.get_legend() for axes in figure.axes)):
            if legend is None:
                continue
            box = legend.get_window_extent()
            assert not [axes for axes in shown(figure) if box.overlaps(axes.get_window_extent())]
            assert box.x1 <= figure.bbox.x1 + 1
            assert box.y0 >= -1


@pytest.mark.parametrize("kind", ["curves", "incidence"])
def test_titles_beside_legends_are_whole(kind: str) -> None:
    """A long title stays within the figure if a wide legend narrows the axes, also for existing axes."""
    options = {"distribution": ["normal", "truncated_normal", "uniform"], "learning_rate": [0.1, 0.2]}
    result = sweep.run(make_study(**{**SMALL, **options}, name="learning-curves-of-xor"))
    figure = figures.draw(result, kind, color="distribution")
    figure.draw_without_rendering()
    (ax,) = figure.axes
    box = ax.title.get_window_extent()
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    existing = Figure(figsize=(7, 4)).subplots()
    figures.learning_curves(result, existing, color="distribution")
    box = existing.title.get_window_extent()
    assert existing.figure.bbox.x0 <= box.x0 < box.x1 <= existing.figure.bbox.x1


def test_parallel_coordinates_of_many_cells() -> None:
    """The best of many lines stand out, and the labels along axes are few and round."""
    points = make_study(count=2, learning_rate=[1.0]).canonical()
    points["parameters"] = {}
    points["samples"] = [
        {"count": 200, "learning_rate": {"geomspace": [1e-3, 1.0]}, "scale": {"min": 0.1, "max": 3.0},
         "hidden": {"range": [2, 64]}}
    ]  # fmt: skip
    points["network"].pop("hidden", None), points["initial_weights"].pop("scale")
    ax = figures.parallel(invented(sweep.Study(**points)))
    lines = [line for line in ax.lines if len(line.get_xdata()) == 3]
    assert len(lines) == 200
    assert [line.get_alpha() for line in lines] == pytest.approx([0.35] * 190 + [0.7] * 10)
    ax.figure.draw_without_rendering()
    along = [[text.get_text() for text in axes.get_yticklabels()] for axes in ax.figure.axes[1:4]]
    assert along == [
        ["0.001", "0.01", "0.1", "1"],
        ["0", "0.5", "1", "1.5", "2", "2.5", "3"],
        ["0", "10", "20", "30", "40", "50", "60"],
    ]


def test_legends_of_a_run_hide_nothing() -> None:
    """The legends of weights and targets overlap no axes."""
    from sweep.figures.traced_run import draw_run

    run = trace(make_study(hidden=2, learning_rate=0.2), 1)
    figure = draw_run(run, weights_path(run), outputs_plane(run))
    figure.draw_without_rendering()
    boxes = [axes.get_legend().get_window_extent() for axes in figure.axes if axes.get_legend()]
    assert len(boxes) == 2
    assert not [1 for box in boxes for axes in figure.axes if box.overlaps(axes.get_window_extent())]


def test_legends_of_existing_axes(results: dict[str, Result]) -> None:
    """Existing axes in a figure without a layout make room for their legend."""
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert figures.incidence(results["two"], left) is left
    figure.draw_without_rendering()
    box = left.get_legend().get_window_extent()
    assert left.get_window_extent().x1 <= box.x0
    assert box.x1 <= right.get_window_extent().x0


GRAY = to_rgb(MISSING)


def brightness(colors: Any) -> Any:
    """Return the brightness of colors."""
    return np.asarray(colors)[..., :3] @ [0.299, 0.587, 0.114]


@pytest.mark.parametrize("value", ["convergence_rate", "steps_q50", "expected_steps", "n_diverged", "n_converged"])
def test_bright_is_better(results: dict[str, Result], value: str) -> None:
    """The best field of a map is the brightest, whether the statistic is better if high or if low."""
    (mesh,) = figures.heatmap(results["two"], value=value).collections
    numbers = np.ma.masked_invalid(mesh.get_array()).compressed()
    best, worst = (numbers.max(), numbers.min())[:: 1 if value in ("convergence_rate", "n_converged") else -1]
    assert best == worst or brightness(mesh.to_rgba(best)) > brightness(mesh.to_rgba(worst)) + 0.2
    lines = [line.get_color() for line in figures.parallel(results["two"], value=value).lines]
    drawn = [brightness(color) for color in lines if not isinstance(color, str) and tuple(color[:3]) != GRAY]
    assert drawn == sorted(drawn)  # the best comes last, on top


@pytest.mark.wide
def test_notebooks_show_pictures(results: dict[str, Result]) -> None:
    """Notebooks show figures and axes as PNG images; both can be pickled."""
    result = results["two"]
    drawn = [figures.draw(result), figures.draw(result, "slice")]
    ours = (figures.line_plot, figures.heatmap, figures.contour, figures.slice_plot, figures.parallel)
    drawn += [each(result) for each in (*ours, figures.importance_bars, figures.incidence, figures.losses)]
    for each in [*drawn, pickle.loads(pickle.dumps(drawn[4]))]:
        assert isinstance(each, (Figure, Axes))
        assert each._repr_png_().startswith(b"\x89PNG")  # type: ignore[union-attr]
