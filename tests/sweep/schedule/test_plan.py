"""Numbering, visiting order and parts, which are computed by arithmetic for every study."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep import Study, StudyError
from sweep.schedule.cost import run_cost
from sweep.schedule.plan import Plan
from sweep.schedule.waves import Part
from tests.sweep.expected import naive_rows
from tests.sweep.support import SECTIONS, SHAPE, make_study

VALUES: dict[str, list[Any]] = {
    "hidden": [3, 1, 16],
    "activation": ["relu", "tanh", "sigmoid"],
    "bias": [True, False],
    "criterion": ["none", "loss"],
    "learning_rate": [0.1, 0.01, 1.0, 0.5],
    "scale": [1.0, 2.0],
    "max_steps": [0, 7, 60],
    "max_epochs": [0, 7, 60],
    "batch": [4, 1, 3],
    "optimizer": ["gd", "adam"],
    "generator": ["pcg64", "mt19937"],
}


@st.composite
def small_studies(draw: st.DrawFn) -> Study:
    """Draw a study of few cells, with any swept parameters in any order."""
    names = draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True, max_size=4))
    swept = {name: VALUES[name][: draw(st.integers(1, len(VALUES[name])))] for name in names}
    fixed = {name: VALUES[name][0] for name in ("hidden", "learning_rate") if name not in swept}
    ordered = {name: swept[name] for name in names}
    return make_study(count=draw(st.integers(1, 9)), base=draw(st.integers(0, 2**32 - 9)), **fixed, **ordered)


def runs_of(plan: Plan, part: Part) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return run number, cell and seed of every run of a part."""
    cells, counts = plan.cells(part)
    assert len(cells) == len(set(cells.tolist()))
    assert (counts > 0).all()
    return plan.runs(part), np.repeat(cells, counts), plan.seeds(part)


@given(small_studies(), st.none() | st.integers(1, 50))
def test_parts_hold_every_run_once(study: Study, part_runs: int | None) -> None:
    """Parts of any size hold every run exactly once, numbered by the formula; each piece has one shape."""
    plan, rows = Plan(study, part_runs), naive_rows(study)
    assert (plan.n_cells, plan.n_runs) == (study.n_cells, len(rows))
    seen: list[int] = []
    position = 0
    for index in range(plan.n_parts):
        part = plan.part(index)
        assert (part.index, part.start) == (index, position)
        assert 1 <= part.n_runs == part.stop - part.start <= (part_runs or 2**18)
        assert part.cost > 0
        position = part.stop
        run, cell, seed = (array.tolist() for array in runs_of(plan, part))
        assert len(run) == part.n_runs
        for number, where, start in zip(run, cell, seed, strict=True):
            assert (rows[number]["cell"], rows[number]["seed"]) == (where, start)
            assert number == where * study.seeds.count + (start - study.seeds.base)
        pieces = [plan.runs(piece).tolist() for piece in plan.pieces(part)]
        assert [number for piece in pieces for number in piece] == run
        for piece in pieces:
            assert len({tuple(rows[number][name] for name in SHAPE) for number in piece}) == 1
        seen += run
    assert sorted(seen) == list(range(len(rows)))
    assert sorted(plan.parts.order()) == list(range(plan.n_parts))
    assert [plan.position(number) for number in seen] == list(range(len(rows)))


@given(small_studies())
def test_cells_are_numbered_in_file_order_the_last_fastest(study: Study) -> None:
    """Cells are the product of the values, in order; a cell has all options."""
    plan, cells = Plan(study), np.arange(study.n_cells)
    columns = {name: plan.grid.column(name, cells).tolist() for name in SECTIONS}
    for cell, values in enumerate(itertools.product(*study.parameters.values())):
        swept = dict(zip(study.parameters, values, strict=True))
        assert plan.grid.values(cell) == swept
        assert dict(plan.grid.cell(cell)) == {**study.fixed(), **swept}
        assert {name: column[cell] for name, column in columns.items()} == {
            name: value for name, value in plan.grid.cell(cell).items() if name in SECTIONS
        }


@given(small_studies(), st.integers(1, 30))
def test_runs_of_one_shape_are_visited_together(study: Study, part_runs: int) -> None:
    """In visiting order the runs of a shape are adjacent, with cells in file order and seeds the fastest."""
    plan, rows = Plan(study, part_runs), naive_rows(study)
    visited = np.concatenate([plan.runs(plan.part(index)) for index in range(plan.n_parts)]).tolist()
    shapes = [tuple(rows[number][name] for name in SHAPE) for number in visited]
    assert len(list(itertools.groupby(shapes))) == len(set(shapes))
    for _, stretch in itertools.groupby(zip(shapes, visited, strict=True), key=lambda pair: pair[0]):
        numbers = [number for _, number in stretch]
        assert numbers == sorted(numbers)


def test_visiting_order_of_an_example() -> None:
    """All runs of the first hidden size come first, also if the learning rate stands before the size."""
    study = make_study(count=2, base=5, learning_rate=[0.1, 0.2], hidden=[3, 2])
    plan = Plan(study, part_runs=4)
    assert plan.n_parts == 2
    first, second = (runs_of(plan, plan.part(index)) for index in range(2))
    assert [array.tolist() for array in first] == [[0, 1, 4, 5], [0, 0, 2, 2], [5, 6, 5, 6]]
    assert [array.tolist() for array in second] == [[2, 3, 6, 7], [1, 1, 3, 3], [5, 6, 5, 6]]


def test_parts_depend_on_the_study_alone() -> None:
    """The work of a part is limited: with more steps, units or patterns, parts have fewer runs."""
    many = make_study(count=10**6, hidden=2, learning_rate=0.1, max_steps=5000)
    assert Plan(many).n_parts > 10
    assert Plan(many).n_parts == Plan(many).n_parts
    longer = make_study(count=10**6, hidden=2, learning_rate=0.1, max_steps=50_000)
    wider = make_study(count=10**6, hidden=64, learning_rate=0.1, max_steps=5000)
    assert Plan(longer).part(0).n_runs < Plan(many).part(0).n_runs / 5
    assert Plan(wider).part(0).n_runs < Plan(many).part(0).n_runs / 5
    huge = make_study(count=99, hidden=65_536, learning_rate=0.1, max_steps=2**31 - 1)
    assert Plan(huge).n_parts == 7  # registers are filled however long a run is


@given(small_studies())
def test_steps_and_windows_of_cells(study: Study) -> None:
    """Steps of an epoch, and the most steps of a run, follow from the options of each cell."""
    plan, cells = Plan(study), np.arange(study.n_cells)
    n_windows, most_steps = plan.grid.n_windows(cells).tolist(), plan.grid.most_steps(cells).tolist()
    for cell in cells.tolist():
        options = plan.grid.cell(cell)
        assert n_windows[cell] == {4: 1, 3: 2, 1: 4}[options["batch"]]
        epochs = options["max_epochs"]
        of_epochs = options["max_steps"] if epochs is None else epochs * n_windows[cell]
        assert most_steps[cell] == min(options["max_steps"], of_epochs)


def test_cost_knows_options() -> None:
    """Functions, optimizers with square roots, steps, and evaluations after each epoch add to the cost."""

    def cost(**options: Any) -> float:
        study = make_study(hidden=8, learning_rate=0.1, **{"max_steps": 1000, **options})
        return run_cost(study, study.grid.cell(0)).operations

    assert cost() < cost(optimizer="momentum") < cost(optimizer="adam") < 3 * cost()
    assert 3 * cost() < cost(activation="tanh") == cost(activation="gelu") < cost(activation="tanh", output="sigmoid")
    assert cost(batch=1) < cost() < 4 * cost(batch=1)  # a step is of fewer patterns, but an epoch is evaluated
    assert cost(max_epochs=100) == pytest.approx(cost() / 10, rel=0.01)
    assert cost(max_epochs=100, batch=1) == pytest.approx(0.4 * cost(batch=1), rel=0.01)
    assert cost(max_steps=0) > 0


@pytest.mark.parametrize("count", [10**4, 10**6, 10**8])
def test_last_parts_shrink(count: int) -> None:
    """The last parts get smaller, so that cores finish together, but not tiny."""
    plan = Plan(make_study(count=count, hidden=2, learning_rate=0.1, max_steps=500))
    parts = [plan.part(index) for index in range(plan.n_parts)]
    assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])]
    assert parts[-1].stop == count
    assert all(part.n_runs % 16 == 0 for part in parts[:-1])  # lanes of any width are all taken
    taken = [plan.part(index).n_runs for index in plan.parts.order()]
    largest = max(taken)
    assert min(taken) >= 4000 or len(taken) == 2  # milliseconds of work
    remaining = count
    for size in taken:
        assert size <= max(12_000, remaining / 3, largest / 7)
        remaining -= size
    assert count == 10**4 or sum(size > largest / 2 for size in taken) > len(taken) / 2


def test_parts_grow_with_the_study() -> None:
    """A billion runs have some ten thousand parts, at any cost of a run; many more runs have more parts."""
    for options in ({"max_steps": 500}, {"max_steps": 5000, "activation": "tanh"}, {"max_steps": 50_000}):
        plan = Plan(make_study(count=10**9, **{"hidden": 8, "learning_rate": 0.1, **options}))
        assert 3000 < plan.n_parts < 40_000
        assert plan.part(0).n_runs <= 2**18


def test_small_shapes_share_parts() -> None:
    """Thousands of widths with one seed each share parts; large shapes do not."""
    plan = Plan(make_study(count=1, hidden=list(range(1, 5001)), learning_rate=0.1, max_steps=500, bias=True))
    parts = [plan.part(index) for index in range(plan.n_parts)]
    assert 30 < len(parts) < 100
    assert sum(part.n_runs for part in parts) == 5000
    assert sum(part.cost for part in parts) == pytest.approx(plan.parts.operations)
    assert max(part.cost for part in parts) < plan.parts.operations / 15
    mixed = Plan(make_study(count=1000, hidden=[1, 2, 3, 4096], learning_rate=0.1, max_steps=5000, bias=True))
    last = [part for part in map(mixed.part, range(mixed.n_parts)) if mixed.parts.wave_of_number(part.index) == 4]
    kinds = [len(mixed.parts.wave_of(part).shapes(part)) for part in last]
    assert kinds[0] == 3
    assert set(kinds[1:]) == {1}


@given(small_studies(), st.integers(1, 20))
def test_any_prefix_is_an_even_picture(study: Study, part_runs: int) -> None:
    """After any number of parts, any stretch of the visiting order has had about its share of them."""
    plan = Plan(study, part_runs)
    order, n = list(plan.parts.order()), plan.n_parts
    for k in range(1, n + 1):
        for stop in range(n + 1):
            share = sum(index < stop for index in order[:k]) / k
            assert abs(share - stop / n) <= (1 + np.log2(n + 1)) / k


@pytest.fixture(scope="module")
def immense() -> Study:
    """Return a study of 10^12 cells."""
    values = [1 + k / 16_384 for k in range(10_000)]
    return make_study(count=3, base=7, scale=values, hidden=2, learning_rate=values, threshold=values)


def test_immense_study_costs_nothing(immense: Study) -> None:
    """A study of 10^12 cells is planned by arithmetic, without lists."""
    plan = Plan(immense)  # of 10^12 cells no list would ever be finished
    assert (plan.n_cells, plan.n_runs) == (10**12, 3 * 10**12)
    last = plan.part(plan.n_parts - 1)
    assert last.stop == plan.n_runs
    for index in (0, 1, plan.n_parts // 3, plan.n_parts - 1):
        part = plan.part(index)
        assert index == 0 or part.start == plan.part(index - 1).stop
        run, cell, seed = runs_of(plan, part)
        assert len(run) == part.n_runs
        np.testing.assert_array_equal(run, cell * 3 + (seed - 7))
        np.testing.assert_array_equal(plan.position(run), np.arange(part.start, part.stop))
    digits = plan.grid.values(123_456_789_012)
    values = immense.parameters["scale"]
    assert digits == {"scale": values[1234], "learning_rate": values[5678], "threshold": values[9012]}
    cells = np.array([123_456_789_012, 10**12 - 1])
    assert plan.grid.column("learning_rate", cells).tolist() == [values[5678], values[9999]]


def test_runs_have_numbers_of_64_bits() -> None:
    """A study of 2^63 runs or more is refused."""
    values = np.linspace(0.1, 0.5, 2048).tolist()
    many: dict[str, Any] = {"hidden": 2, "learning_rate": values, "gain": values}
    assert Plan(make_study(count=2**32, **many)).n_runs == 2**54
    with pytest.raises(StudyError, match=r"must be fewer than 2\^63 runs, got 18,446,744,073,709,551,616"):
        make_study(count=2**32, **many, scale=np.linspace(1.0, 2.0, 1024).tolist())
