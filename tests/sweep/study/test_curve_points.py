"""The points of learning curves: allowed steps, and the ends of epochs to which they are moved."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep import Study, StudyError
from sweep.study.curve_points import curve_epochs
from tests.sweep.support import make_study, refused


def recording(curves: Any, **options: Any) -> Study:
    """Return a small study with this table ``record.curves``."""
    return Study(**make_study(**options).canonical() | {"record": {"curves": curves}})


def test_usual_steps() -> None:
    """The default steps are 0 and 1, 2 and 5 times powers of ten, up to the limit."""
    study = recording({"seeds": 1})
    assert curve_epochs(study, 1, 60) == [0, 1, 2, 5, 10, 20, 50]
    assert curve_epochs(study, 1, 50) == [0, 1, 2, 5, 10, 20, 50]
    assert curve_epochs(study, 1, 0) == [0]
    assert len(curve_epochs(study, 1, 2**31 - 1)) == 30


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([7, 0, 3], [0, 3, 7]),
        (7, [7]),
        ({"range": [0, 60, 20]}, [0, 20, 40, 60]),
        ({"geomspace": [1, 60, 4]}, [1, 4, 15, 60]),
        ({"geomspace": [1, 4, 20]}, [1, 2, 3, 4]),
        ({"linspace": [0, 50, 5]}, [0, 12, 25, 38, 50]),
    ],
)
def test_forms_of_steps(steps: Any, expected: list[int]) -> None:
    """Steps have the forms of swept values; spaced ones are rounded, and the canonical form lists all."""
    study = recording({"seeds": 2, "steps": steps})
    assert curve_epochs(study, 1, 60) == expected
    assert study.canonical()["record"] == {"curves": {"seeds": 2, "steps": expected}}
    assert Study(**study.canonical()) == study


@given(st.lists(st.integers(0, 60), min_size=1, max_size=9, unique=True), st.integers(1, 9), st.integers(0, 60))
def test_steps_within_epochs(steps: list[int], n_windows: int, limit: int) -> None:
    """A step is moved to the end of its epoch if that is within the limit; other epochs have no point."""
    found = curve_epochs(recording({"seeds": 1, "steps": steps}), n_windows, limit)
    ends = [epoch for epoch in range(61) if any(0 <= epoch * n_windows - step < n_windows for step in steps)]
    assert found == [epoch for epoch in ends if epoch * n_windows <= limit]


def test_old_studies_are_as_before() -> None:
    """A study without curves has no such key; curves change its identity."""
    assert "record" not in make_study().canonical()
    assert recording(None) == make_study()
    studies = [make_study(), recording({"seeds": 2}), recording({"seeds": 3}), recording({"seeds": 3, "steps": [1]})]
    assert len({study.identity for study in studies}) == 4


@pytest.mark.parametrize(
    ("curves", "parts"),
    [
        (20, ("record.curves: must be a table", "got 20")),
        ({}, ("record.curves.seeds: is missing",)),
        ({"seeds": 21}, ("record.curves.seeds: must be at most 20, the seeds of a cell, got 21",)),
        ({"seeds": 1, "step": [1]}, ("record.curves: unknown key 'step'; did you mean 'steps'?",)),
        ({"seeds": 1, "steps": [1, 61]}, ("record.curves.steps: must be at most 60, the most steps of a run, got 61",)),
        ({"seeds": 1, "steps": [1.5]}, ("record.curves.steps: each step must be an integer from 0", "got 1.5")),
        ({"seeds": 1, "steps": [10**400]}, ("record.curves.steps: ", "digits")),
        ({"seeds": 1, "steps": [3, 3]}, ("record.curves.steps: steps must differ, got 3 twice",)),
        ({"seeds": 1, "steps": {"range": [0, 1000]}}, ("record.curves.steps: must be at most 1,000 steps, got 1,001",)),
        ({"seeds": 1, "steps": {"linspace": [-4, 4, 3]}}, ("record.curves.steps: ", "got -4.0")),
    ],
    ids=str,
)
def test_refused_curves(curves: Any, parts: tuple[str, ...]) -> None:
    """Each fault is one sentence that names the key."""
    with refused(*parts):
        recording(curves)


def test_curves_that_are_too_large() -> None:
    """The networks along one curve, and the points of all curves, must fit into memory."""
    steps = {"range": [1, 1000]}
    with pytest.raises(StudyError, match=r"record.curves.steps: .* at most 134,217,728, got 1,001 times 260,001"):
        recording({"seeds": 1, "steps": steps}, hidden=65_000, max_steps=1000)
    with pytest.raises(
        StudyError, match=r"record.curves: all curves must have at most 50,000,000 points, got 80,080,000"
    ):
        recording({"seeds": 40_000, "steps": steps}, count=40_000, hidden=2, max_steps=1000)
    limits = {"max_steps": 2**31 - 1, "max_epochs": [3, 9], "batch": [1, 3]}
    recording({"seeds": 1, "steps": [36]}, **limits)
    with pytest.raises(StudyError, match=r"must be at most 36, the most steps of a run, got 37"):
        recording({"seeds": 1, "steps": [37]}, **limits)
