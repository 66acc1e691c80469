"""Options of initial weights with values for single arrays: their forms, their faults, and weights that NumPy draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sweep
from sweep import Study, StudyError, load_study
from tests.sweep.support import make_study

TABLE = {"w": "he", "b": 0.1, "others": 0.5}


def initial_weights(**options: Any) -> dict[str, Any]:
    """Return the initial weights of 300 networks by array, as a result has them."""
    fixed = {"learning_rate": 0.1, "max_steps": 0, "seeds.count": 300, "record.weights": "initial"}
    return sweep.run(load_study("xor", fixed | options)).weights(0, "initial")


def test_forms_are_one_study() -> None:
    """A table, its text in any order and the canonical form are the same study; a table can be a change."""
    study = make_study(scale=TABLE)
    assert study.canonical()["initial_weights"]["scale"] == "0.5 w=he b=0.1"
    assert study == make_study(scale="b=0.1 0.5 w=he") == Study(**study.canonical())
    assert load_study("xor", {"scale": TABLE}) == load_study("xor", {"initial_weights.scale": "0.5 w=he b=0.1"})
    swept = make_study(scale=[{"w": 1, "b": 0}, {"w": 2.5}])
    assert swept.parameters["scale"] == ("1 w=1 b=0", "1 w=2.5")
    assert make_study(offset={"others": 0.0}) == make_study()
    lines = make_study(offset={"b": [1, -0.5, 0]}, hidden=3)
    assert lines.canonical()["initial_weights"]["offset"] == "0 b=[1,-0.5,0]"
    assert lines == make_study(offset="b=[1,-0.5,0.0] 0", hidden=3) == Study(**lines.canonical())


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"scale": {"q": 1}}, "scale: must be one value, got {'q': 1}"),
        ({"scale": {"w": "xavier"}}, "scale: w must be a number at least 0 or one of .* did you mean 'glorot'"),
        ({"scale": {"w": 1, "q": 2}}, r"scale: a table must name arrays, as in .* got 'q'"),
        ({"scale": {"w2": 1}}, "scale: must name parameters of the networks, got w2"),
        ({"offset": {"k": 1}}, "offset: must name parameters of the networks, got k"),
        ({"offset": {"b": "x"}}, "offset: b must be a finite number, got 'x'"),
        ({"offset": {"b": [1, "x"]}}, r"offset: b must be a finite number, or a list of one for each unit, got .*'x'"),
        ({"offset": {"b": [1, 2, 3]}, "hidden": [3, 2]}, "offset: b must have a number for each unit, 2 .* got 3"),
        ({"offset": {"w": [1, 2]}, "hidden": 2}, "offset: w must be one number, since only biases have one for each"),
        ({"distribution": {"b": "gaussian"}}, "distribution: b must be one of .* did you mean 'normal'"),
        ({"distribution": {"v": "constant"}, "scale": "he"}, "scale: must be a number with .* 'constant', got 'he'"),
        ({"distribution": {"c": "constant"}, "bias_scale": "he"}, "bias_scale: must be a number with .*got 'he'"),
        ({"distribution": {"b": "constant"}, "scale": "torch"}, "scale: must be a number with .*got 'torch'"),
    ],
)
def test_faults(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(StudyError, match=fault):
        make_study(**options)


@pytest.mark.parametrize("generator", ["mt19937", "pcg64"])
def test_weights_as_numpy_draws_them(generator: str) -> None:
    """Arrays of several distributions are those of calls of one generator of NumPy; constant arrays make no call."""
    weights = initial_weights(
        hidden=3,
        generator=generator,
        distribution={"w": "uniform", "b": "constant"},
        scale={"w": 0.5, "b": 0, "v": 0.1},
        offset={"w": 0.5, "b": 0.01},
        draw_order="w.T b v c",
    )
    for seed in range(3):
        old = np.random.RandomState(seed)
        new = np.random.default_rng(seed)
        w = old.random_sample((3, 2)) if generator == "mt19937" else new.random((3, 2))
        normal = old.standard_normal if generator == "mt19937" else new.standard_normal
        v, c = 0.1 * normal((3, 1)), normal(1)
        np.testing.assert_array_equal(weights["w"][seed], w.T)
        np.testing.assert_array_equal(weights["v"][seed], v)
        np.testing.assert_array_equal(weights["b"][seed], 0.01)
        np.testing.assert_array_equal(weights["c"][seed], c)


@pytest.mark.parametrize("distribution", ["uniform", "normal", "constant"])
def test_offsets_of_single_biases(distribution: str) -> None:
    """Each unit has its own; the numbers that are drawn are those without offsets."""
    given: dict[str, Any] = {"hidden": 3, "distribution": distribution, "scale": 0.5}
    drawn, moved = initial_weights(**given), initial_weights(**given, offset={"b": [1, -2, 0], "c": 4})
    for name, offset in (("b", [1, -2, 0]), ("c", [4])):
        np.testing.assert_allclose(moved[name], drawn[name] + offset, rtol=0, atol=1e-15)
    for name in ("w", "v"):
        np.testing.assert_array_equal(moved[name], drawn[name])


def test_torch() -> None:
    """Weights and biases of every layer are uniform up to 1 / sqrt(fan-in), as those of torch.nn.Linear."""
    weights = initial_weights(hidden="16-9", scale="torch", distribution="uniform")
    for layer, fan_in in (("1", 2), ("2", 16), ("3", 9)):
        for name in ({"3": "v"}.get(layer, f"w{layer}"), {"3": "c"}.get(layer, f"b{layer}")):
            bound = 1 / np.sqrt(fan_in)
            assert 0.95 * bound < np.abs(weights[name]).max() <= bound
            assert abs(weights[name].std() / (bound / np.sqrt(3)) - 1) < 0.1
