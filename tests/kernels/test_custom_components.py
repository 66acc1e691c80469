"""Custom components in kernels: built-in formulas give the built-in bits, others those of the oracle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernels import vocabulary
from kernels.custom import on_lanes, registry
from kernels.custom.registry import CustomComponent, add_source, component_of, declared_components
from kernels.settings import make_settings
from sweep import load_plugin
from tests.kernels.compare import assert_as_oracle, assert_same_outcome, statuses, train_kernel
from tests.kernels.runs import Kinds, Runs, draw_runs
from tests.kernels.specs import Spec
from tests.kernels.support import DTYPES, Array, assert_equal, sized, some_compiled
from tests.oracle import components as oracle_components
from tests.oracle import optimizers, options, schedules, training

FILE = Path(__file__).with_name("custom_components.py")


@pytest.fixture(scope="module")
def own() -> Iterator[dict[str, CustomComponent]]:
    """Register the components of the file for the tests of this module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_BY_NAME", {})
        load_plugin(FILE)
        yield declared_components()


def key_of(name: str) -> str:
    """Return the name of a component in recipes."""
    return declared_components()[name].declaration.key


def runs_with(runs: Runs, **own: Any) -> Runs:
    """Return runs with settings of custom components."""
    given = {name: runs.settings[name] for name in runs.settings.dtype.names}
    return Runs(runs.weights, make_settings(len(runs), **given, **own), runs.seeds)


# Equal recipes: once with a built-in component and once with a custom one.
ALIKE = {
    "gd": ({"optimizer": "own_gd"}, {"optimizer": "gd"}),
    "adam": ({"optimizer": "own_adam", "task": "adder"}, {"optimizer": "adam", "task": "adder"}),
    "rprop": ({"optimizer": "own_rprop"}, {"optimizer": "rprop"}),
    "drawn steps": (
        {"optimizer": "own_rprop", "used": ("step_ratio",)},
        {"optimizer": "rprop", "used": ("step_ratio",)},
    ),
    "tanh": ({"activation": "own_tanh"}, {"activation": "tanh"}),
    "tanh of outputs": ({"output": "own_tanh"}, {"output": "tanh"}),
    "leaky_relu": (
        {"activation": "own_leaky_relu", "batch": 1, "order": "shuffled"},
        {"activation": "leaky_relu", "batch": 1, "order": "shuffled"},
    ),
    "squared": ({"loss": "own_squared", "reduction": "mean"}, {"loss": "squared", "reduction": "mean"}),
    "step": (
        {"schedule": "own_step", "batch": 1, "used": ("warmup",)},
        {"schedule": "step", "batch": 1, "used": ("warmup",)},
    ),
}
KINDS = ("activation", "output", "loss", "optimizer", "schedule")


@pytest.mark.parametrize(
    ("name", "dtype"),
    some_compiled([(name, dtype) for name in ALIKE for dtype in DTYPES], lambda _: False),
)
def test_same_formula_same_bits(own: dict[str, CustomComponent], name: str, dtype: str) -> None:
    """A component with a built-in formula trains every network to the same bits."""
    theirs, ours = ({"activation": "tanh", **each} for each in ALIKE[name])
    keys = {kind: key_of(value) if kind in KINDS and value in own else value for kind, value in theirs.items()}
    used = tuple(sorted({*ours.get("used", ()), "weight_decay"}))
    spec, other = (Spec(**{**each, "dtype": dtype, "used": used}) for each in (keys, ours))
    runs = draw_runs(other, 3, sized(40, 12), 8, sized(60, 20), Kinds(divergence_threshold="own"))
    assert_same_outcome(train_kernel(spec, runs), train_kernel(other, runs), name)


def quickprop(p: Array, g: Array, states: tuple[Array, ...], rate: Array, s: Any) -> tuple[Array, tuple[Array, ...]]:
    """Fahlman 1988, without weight decay, case by case."""
    old, d = states
    new, mu = -g, s["mu"]
    with np.errstate(all="ignore"):
        secant = d * new / (old - new)
        limit = mu / (1 + mu) * old
    change = np.zeros_like(p)
    for moves, ahead, beyond in ((d > 0, new > 0, new > limit), (d < 0, new < 0, new < limit)):
        along = np.where(ahead | np.isnan(new), rate * new, 0)
        change = np.where(moves, along + np.where(beyond, mu * d, secant), change)
    change = np.where(d == 0, rate * new + 0, change)
    change = np.where(np.isnan(d), np.nan, change)
    return p + change, (new, change)


@pytest.fixture
def oracle_knows_custom_components(own: dict[str, CustomComponent], monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the custom components to the oracle."""
    swish, expectile, quick = (own[name].declaration.key for name in ("swish", "expectile", "quickprop"))
    names = ("mu", "steepness", "lean", "rise", "full", "fall", "lowest", "final")
    monkeypatch.setattr(options, "SETTINGS", options.SETTINGS | dict.fromkeys(names))
    at_start = optimizers.states_at_start

    def states_at_start(name: str, rate: Array) -> Any:
        return (np.zeros_like(rate), np.zeros_like(rate)) if name == quick else at_start(name, rate)

    monkeypatch.setattr(training, "states_at_start", states_at_start)
    monkeypatch.setitem(optimizers.UPDATES, quick, quickprop)
    monkeypatch.setitem(oracle_components.VALUES, swish, lambda z, s, f: z * f["sigmoid"](s["steepness"] * z))
    monkeypatch.setitem(
        oracle_components.CHAINS,
        swish,
        lambda g, z, a, s, f: g * ((q := f["sigmoid"](s["steepness"] * z)) + (s["steepness"] * z) * (q * (1 - q))),
    )

    def weight(error: Array, s: Any) -> Array:
        return np.abs(np.where(error > 0, s["lean"], s["lean"] - 1))

    monkeypatch.setitem(
        oracle_components.TERMS,
        expectile,
        lambda u, y, target, s, f: weight(y - target, s) * (y - target) * (y - target),
    )
    monkeypatch.setitem(
        oracle_components.SLOPES, expectile, lambda y, target, s: 2 * weight(y - target, s) * (y - target)
    )

    monkeypatch.setitem(schedules.CUSTOM, own["trapezoid"].declaration.key, trapezoid)


def trapezoid(t: int, steps: Array, s: Any) -> Array:
    """Rise, stay at the full rate, and fall, run by run."""
    factors = []
    for rise, full, fall, lowest, final in zip(*map(s.get, ("rise", "full", "fall", "lowest", "final")), strict=True):
        if t - 1 < rise:
            factors.append(lowest + (1 - lowest) * ((t - 1) / rise))
        else:
            factors.append(min(max(1 + (final - 1) * ((t - 1 - rise - full) / fall), final), 1.0))
    return np.array(factors)


# Fields of a recipe, with custom components by name.
NEW = {
    "all": {"activation": "swish", "loss": "expectile", "optimizer": "quickprop"},
    "outputs": {"activation": "relu", "output": "swish", "optimizer": "quickprop", "skip": True},
    "deep": {"activation": "swish", "optimizer": "quickprop", "below": (3,)},
    "blocks": {"activation": "swish", "loss": "expectile", "optimizer": "quickprop", "task": "adder", "batch": 3},
    "sets": {"activation": "tanh", "loss": "expectile", "sets": "targets"},
    "schedule": {"activation": "tanh", "schedule": "trapezoid", "batch": 1},
}


@pytest.mark.parametrize(
    ("name", "dtype"),
    some_compiled([(name, dtype) for name in NEW for dtype in DTYPES], {("all", "float64")}.__contains__),
)
@pytest.mark.usefixtures("oracle_knows_custom_components")
def test_new_components_as_oracle(own: dict[str, CustomComponent], name: str, dtype: str) -> None:
    """Every number equals that of the formulas in plain NumPy, with different settings for each run."""
    given = {
        kind: key_of(component) if kind in KINDS and component in own else component
        for kind, component in NEW[name].items()
    }
    spec = Spec(**given, dtype=dtype)
    count, random = sized(40, 16), np.random.default_rng(11)
    runs = draw_runs(spec, 3, count, 12, sized(60, 16))
    chosen = {
        "mu": random.choice((1.75, 2.25), count),
        "steepness": random.choice((1.0, 0.3), count),
        "lean": random.choice((0.5, 0.125, 0.0), count),
        "rise": random.choice((1.0, 6.0), count),
        "full": random.choice((0.0, 9.0), count),
        "fall": random.choice((7.0, 40.0), count),
        "lowest": random.choice((0.0, 0.25), count),
        "final": random.choice((0.0, 0.5), count),
    }
    assert_as_oracle(spec, runs_with(runs, **chosen))


def test_largest_error_is_nan_where_an_output_is(own: dict[str, CustomComponent]) -> None:
    """A custom loss may be a number even then, so the run does not diverge."""
    spec = Spec("tanh", loss=key_of("capped"), criterion="none")
    runs = draw_runs(spec, 3, 6, 4, 5)
    runs.weights[2] = np.nan
    columns = train_kernel(spec, runs).columns
    assert columns.final_loss[2] == 16.0
    assert statuses(columns).tolist() == ["exhausted"] * 6
    assert np.flatnonzero(np.isnan(columns.max_error)).tolist() == [2]


def test_source_makes_the_same_component(own: dict[str, CustomComponent]) -> None:
    """Another process makes a component from its source, with the same identity and results."""
    for component in own.values():
        again = add_source(component.source, component.places)
        assert again.declaration == component.declaration
        expected = on_lanes.results(component, "float64") if sized(False, True) else {}
        for name, values in expected.items():
            assert_equal(on_lanes.results(again, "float64")[name], values, f"{component.declaration.name}: {name}")


def test_components_are_found_by_key_alone(own: dict[str, CustomComponent]) -> None:
    """No list of components contains a custom one, and a name alone does not find it."""
    for name, component in own.items():
        found = component_of(component.declaration.key)
        assert found is not None
        assert found.source == component.source
        assert name not in {**vocabulary.ACTIVATIONS, **vocabulary.LOSSES, **vocabulary.OPTIMIZERS, **vocabulary.NAMED}
    with pytest.raises(KeyError):
        vocabulary.OPTIMIZERS["quickprop"]
