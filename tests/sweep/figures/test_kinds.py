"""Each kind of figure needs no options, shows the numbers of the cells, and refuses what it cannot show."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import sweep
from sweep import Result, SweepError, figures
from sweep.figures.axis import Places
from sweep.report.figures import report_figures
from tests.sweep.support import command, make_study

RATES = [0.05, 0.1, 0.2, 0.4]
SWEPT: dict[str, dict[str, Any]] = {
    "three": {"hidden": [2, 3], "learning_rate": RATES, "distribution": ["normal", "uniform"]},
    "two": {"hidden": [2, 3, 4], "learning_rate": RATES},
    "one": {"hidden": 2, "learning_rate": RATES},
    "names": {"hidden": 2, "learning_rate": 0.2, "distribution": ["normal", "uniform"], "bias": [True, False]},
    "nothing": {"hidden": 2, "learning_rate": 0.2},
    "five": {
        **{"hidden": [2, 3], "learning_rate": RATES[:2], "distribution": ["normal", "uniform"]},
        **{"scale": [0.5, 1.0], "max_steps": [5, 60]},
    },
}
EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
# Kinds that refuse a study, and what the reason begins with.
NEEDS: dict[tuple[str, str], str] = {
    **{("heatmap", name): "a heat map needs two parameters" for name in ("one", "nothing")},
    **{("contour", name): "contours need two numeric parameters" for name in ("one", "names", "nothing")},
    ("parallel", "nothing"): "parallel coordinates need a parameter",
    ("slice", "nothing"): "nothing is swept",
    ("profile", "nothing"): "color: a performance profile needs a swept parameter",
    **{("ecdf", name): "run-length distributions need several loss thresholds" for name in ("three", "nothing")},
}


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    """Train each of the studies."""
    return {
        name: sweep.run(make_study(**{"count": 20, "threshold": 0.3, "curves": {"seeds": 5}, **options}))
        for name, options in SWEPT.items()
    }


@pytest.mark.parametrize(("kind", "name"), NEEDS)
def test_refusals_are_known_beforehand(results: dict[str, Result], kind: str, name: str) -> None:
    """A kind that cannot draw a result says what it needs in the sentence of the error."""
    refusal = figures.KINDS[kind].refusal(results[name])
    assert refusal is not None
    assert refusal.startswith(NEEDS[kind, name])
    with pytest.raises(SweepError, match=re.escape(refusal)):
        figures.draw(results[name], kind)


def refused(result: Result) -> set[str]:
    """Return the kinds that cannot draw a result; the others draw it."""
    found = set()
    for name, kind in figures.KINDS.items():
        if kind.refusal(result) is None:
            figures.draw(result, name)
            continue
        found.add(name)
        with pytest.raises(SweepError):
            figures.draw(result, name)
    return found


def test_results_without_rows_or_criterion(tmp_path: Path) -> None:
    """Kinds know whether rows, counts, curves and a criterion are missing; the report draws the others."""
    study = make_study(count=6, distribution=["normal", "uniform"], max_steps=5)
    always = {"ecdf", "curves", "runs"}
    assert refused(sweep.run(study, keep="cells")) == always | {"profile", "loss"}
    sweep.run(study, out=tmp_path / "r")
    (tmp_path / "published").mkdir()
    for name in ("study.toml", "run.json", "cells.parquet"):
        (tmp_path / "published" / name).write_bytes((tmp_path / "r" / name).read_bytes())
    published = sweep.open_result(tmp_path / "published")
    of_counts = {"heatmap", "contour", "incidence", "steps", "ridgeline"}
    assert refused(published) == always | {"profile", "loss"} | of_counts
    assert len(report_figures(published)) == 3  # lines, slices, parallel coordinates
    without = make_study(count=6, max_steps=5, criterion="none", curves={"seeds": 2})
    assert refused(sweep.run(without)) == {"incidence", "ecdf", "profile", "steps", "ridgeline"}


def test_every_kind_is_in_the_gallery() -> None:
    """Each kind has an example in the manual."""
    examples = {path.stem[len("plot_00_") :] for path in EXAMPLES.glob("plot_*.py")}
    assert examples == set(figures.KINDS)


def test_heat_map_shows_the_statistics(results: dict[str, Result]) -> None:
    """The fields show the statistics of the cells at their positions."""
    result = results["two"]
    ax = figures.heatmap(result, x="learning_rate", y="hidden")
    (mesh,) = ax.collections
    rates = 100 * result.cells["convergence_rate"].to_numpy().reshape(3, 4)
    np.testing.assert_array_equal(mesh.get_array(), rates)
    assert ax.get_xscale() == "log"
    assert {text.get_text() for text in ax.texts} == {f"{rate:.0f}" for rate in rates.flat}
    median = figures.heatmap(result, x="hidden", y="learning_rate", value="median_steps").collections[0].get_array()
    steps = result.cells["steps_q50"].astype("Float64").to_numpy(float, na_value=np.nan).reshape(3, 4).T
    np.testing.assert_array_equal(np.ma.filled(median, np.nan), steps)


def test_lines_into_axes(results: dict[str, Result]) -> None:
    """A line for each value, pooled over other parameters, in existing axes."""
    result = results["three"]
    existing = Figure().subplots()
    ax = figures.line_plot(result, existing, x="learning_rate", color="hidden")
    assert ax is existing
    pooled = result.summarize(["hidden", "learning_rate"])["convergence_rate"].to_numpy().reshape(2, 4)
    np.testing.assert_allclose([line.get_ydata() for line in ax.lines], 100 * pooled)
    assert "over all values of distribution" in ax.get_title()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["2", "3"]


def test_heat_map_over_all_other_values(results: dict[str, Result]) -> None:
    """A heat map pools the runs over other parameters, or over their selected values."""
    result = results["three"]
    runs = result.runs()
    converged = (runs["status"] == "converged").groupby([runs["hidden"], runs["learning_rate"]]).mean()
    ax = figures.heatmap(result, x="learning_rate", y="hidden")
    np.testing.assert_allclose(ax.collections[0].get_array(), 100 * converged.to_numpy().reshape(2, 4))
    assert "over all values of distribution" in ax.get_title()
    picked = figures.heatmap(result, x="learning_rate", y="hidden", at={"distribution": ["uniform"]})
    cells = result.cells[result.cells["distribution"] == "uniform"]
    np.testing.assert_allclose(
        picked.collections[0].get_array(), 100 * cells["convergence_rate"].to_numpy().reshape(2, 4)
    )
    assert "small, distribution uniform" in picked.get_title()


@pytest.mark.parametrize(
    ("values", "scale", "edges"),
    [
        ([1.0, 10.0, 100.0], "log", [10**-0.5, 10**0.5, 10**1.5, 10**2.5]),
        ([2, 4, 6], "linear", [1, 3, 5, 7]),
        ([2, 3, 8], "names", [-0.5, 0.5, 1.5, 2.5]),
        (["a", "b"], "names", [-0.5, 0.5, 1.5]),
        ([5], "names", [-0.5, 0.5]),
    ],
)
def test_places_along_an_axis(values: list[Any], scale: str, edges: list[float]) -> None:
    """Evenly spaced numbers are at their value, all other values at 0, 1, .."""
    places = Places.of(values)
    assert places.scale == scale
    np.testing.assert_allclose(places.edges(), edges)
    assert Places.of(values[::-1]).values == tuple(values if scale != "names" or values == [2, 3, 8] else values[::-1])


def test_incidence_is_that_of_the_runs(results: dict[str, Result]) -> None:
    """Each line ends at the convergence rate of its value."""
    result = results["two"]
    ax = figures.incidence(result, color="hidden")
    cells = result.cells.groupby("hidden")[["n_converged", "n_runs"]].sum()
    ends = [line.get_ydata()[-1] for line in ax.lines]
    np.testing.assert_allclose(ends, 100 * cells["n_converged"] / cells["n_runs"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["2", "3", "4"]
    alone = figures.incidence(results["nothing"])
    assert [text.get_text() for text in alone.get_legend().get_texts()] == ["converged"]
    too_fast = figures.incidence(sweep.run(make_study(count=3, hidden=2, learning_rate=1e5)))
    assert [text.get_text() for text in too_fast.get_legend().get_texts()] == ["converged", "diverged"]
    assert alone.lines[0].get_ydata()[-1] == 100 * results["nothing"].cells["convergence_rate"][0]


def test_distribution_of_steps_adds_up(results: dict[str, Result]) -> None:
    """The bars of a value add up to its convergence rate."""
    result = results["two"]
    ax = figures.steps_distribution(result, color="hidden")
    cells = result.cells.groupby("hidden")[["n_converged", "n_runs"]].sum()
    sums = [patch.get_data().values.sum() for patch in ax.patches]
    np.testing.assert_allclose(sums, 100 * cells["n_converged"] / cells["n_runs"])


def test_ridges_are_shares_of_all_runs(results: dict[str, Result]) -> None:
    """The area of a ridge is the share of runs that converged; that of the others is written beside it."""
    result = results["two"]
    ax = figures.ridgeline(result, y="hidden")
    cells = result.cells.groupby("hidden")[["n_converged", "n_runs"]].sum()
    rates = (cells["n_converged"] / cells["n_runs"]).to_numpy()
    ridges = [patch.get_data() for patch in ax.patches if patch.get_fill()][::-1]  # the lowest is drawn last
    areas = np.array([(ridge.values - ridge.baseline).sum() for ridge in ridges])
    np.testing.assert_allclose(areas / areas.sum(), rates / rates.sum())
    beside = ax.figure.axes[1]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["2", "3", "4"]
    assert [text.get_text() for text in beside.get_yticklabels()] == [f"{100 * (1 - rate):.0f}" for rate in rates]
    with pytest.raises(
        SweepError, match=r"y: learning_rate must have at most 40 values, got 41; .* --at learning_rate="
    ):
        figures.ridgeline(
            sweep.run(make_study(count=1, learning_rate=[0.01 * k for k in range(1, 42)])), y="learning_rate"
        )


def test_importance_bars_are_the_shares(results: dict[str, Result]) -> None:
    """Each term has a bar for each statistic, with the largest first."""
    result = results["three"]
    ax = figures.importance_bars(result)
    widths = [[bar.get_width() for bar in container] for container in ax.containers if hasattr(container, "patches")]
    for width, statistic in zip(widths, ("convergence_rate", "restricted_mean_steps"), strict=True):
        np.testing.assert_allclose(sorted(width), sorted(100 * result.importance(statistic)["share"]), atol=1e-12)
    largest = [max(pair) for pair in zip(*widths, strict=True)]
    assert largest == sorted(largest, reverse=True)


def test_slices_and_lines_of_all_cells(results: dict[str, Result]) -> None:
    """A slice has a point for each cell, parallel coordinates have a line."""
    result = results["three"]
    ax = figures.slice_plot(result, x="learning_rate")
    assert len(ax.collections[0].get_offsets()) == len(result.cells) == 16
    pooled = result.summarize(["learning_rate"])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 100 * pooled["convergence_rate"])
    lines = [line for line in figures.parallel(result).lines if len(line.get_xdata()) == 3]
    assert len(lines) == 16


def test_other_parameters_are_pooled(results: dict[str, Result]) -> None:
    """Lines show four parameters and pool the others; the title says so."""
    figure = figures.draw(results["five"])
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert len(shown) == 4
    assert "pooled over all" in figure.get_suptitle()
    assert 0 < sum(len(axes.lines) for axes in shown) <= 8
    drawn = sorted(y for axes in shown for line in axes.lines for y in line.get_ydata())
    assert np.mean(drawn) == pytest.approx(100 * results["five"].cells["convergence_rate"].mean())  # of all runs


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("pie", {}, "unknown figure 'pie'; .*lines, heatmap, slice"),
        ("lines", {"y": "hidden"}, "y: figure 'lines' has no such option; its options are x, color, facet"),
        ("heatmap", {"x": "hiden"}, "'hiden' is not swept in this study; did you mean 'hidden'"),
        ("heatmap", {"x": "hidden", "y": "hidden"}, "x and y: must be different parameters, got 'hidden' for both"),
        ("heatmap", {"value": "speed"}, "unknown statistic 'speed'"),
        ("heatmap", {"at": {"hidden": ["7"]}}, "hidden.*2, 3"),
        ("heatmap", {"at": {"hidden": ["2"], "distribution": ["normal"]}}, "two parameters .*got only learning_rate"),
        ("contour", {"x": "distribution"}, "several numbers .*distribution"),
        ("slice", {"x": "scale"}, "'scale' is not swept"),
        ("incidence", {"color": "scale"}, "'scale' is not swept"),
        ("importance", {"value": "steps_q50"}, "unknown statistic 'steps_q50'"),
        ("steps", {"value": "steps_q50"}, "value: figure 'steps' has no such option"),
    ],
)
def test_refusals(results: dict[str, Result], kind: str, options: dict[str, Any], expected: str) -> None:
    """Options that do not fit are refused in one sentence with the allowed ones."""
    with pytest.raises(SweepError, match=expected) as refused:
        figures.draw(results["three"], kind, **options)
    assert len(str(refused.value).splitlines()) == 1


def test_too_many_lines() -> None:
    """More than 12 lines are refused, with the option that selects some."""
    result = sweep.run(make_study(count=1, scale=[0.1 * k for k in range(1, 15)]))
    with pytest.raises(SweepError, match=r"scale must have at most 12 values, got 14; .* --at scale="):
        figures.incidence(result, color="scale")
    assert len(figures.incidence(result, color="scale", at={"scale": ["0.1", "1.2"]}).lines) == 2


@pytest.mark.wide
@pytest.mark.parametrize("hidden", [2, 3])
def test_figure_of_a_run(place: Path, hidden: int) -> None:
    """The figure of a run shows the losses, weights and outputs of its replay."""
    from sweep.training.networks.trajectory import outputs_plane, weights_path

    trace = sweep.trace(make_study(hidden=hidden, learning_rate=0.2), 3)
    path, plane = weights_path(trace), outputs_plane(trace)
    final = np.concatenate([part.ravel() for part in trace.weights.values()])
    np.testing.assert_array_equal(path.weights[-1], final)
    assert (path.steps[0], path.steps[-1]) == (0, trace.steps)
    assert len(path.names) == len(final)
    assert plane is not None
    for (x, y), expected in zip(trace.inputs, trace.predictions, strict=True):
        i, j = np.abs(plane.x - x).argmin(), np.abs(plane.y - y).argmin()
        near = trace.predictions.max() - trace.predictions.min() + 1
        assert abs(plane.outputs[j, i] - expected[0]) < 0.2 * near
    finished = command("run", "mine.toml", "--out", "r")
    assert finished.code == 0
    drawn = command("trace", "r", "--run", "1", "--figure", "run.svg")
    assert drawn.code == 0, drawn.err
    assert Path("run.svg").read_text().startswith("<?xml")
