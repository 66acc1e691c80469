"""The choices that decide the bits of a training: order of parameters, scales of layers, settings of cells."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kernels import vocabulary
from kernels.recipe import Architecture, Hidden, Recipe
from kernels.settings import SETTINGS, make_settings
from tests.oracle.options import layer_scales
from tests.oracle.step import parameter_shapes

COUNT = st.integers(1, 40)
ARCHITECTURES = st.builds(
    Architecture,
    *(COUNT, COUNT, st.just("tanh"), st.just("identity"), st.booleans(), st.booleans()),
    st.just("standard"),
    st.just(False),
)
HIDDEN = st.integers(1, 40) | st.lists(st.integers(1, 12), min_size=2, max_size=8).map(tuple)
SCALINGS = ("standard", "ntk", "mean_field")


@given(architecture=ARCHITECTURES, hidden=st.integers(1, 10_000))
def test_hidden_inverts_n_parameters(architecture: Architecture, hidden: int) -> None:
    """The hidden size follows from the number of parameters."""
    assert architecture.hidden(architecture.n_parameters(hidden)) == hidden


@given(architecture=ARCHITECTURES, n_parameters=st.integers(-5, 2000))
def test_other_numbers_of_parameters_are_refused(architecture: Architecture, n_parameters: int) -> None:
    """The error names a number that fits no hidden size."""
    assume(
        n_parameters not in {architecture.n_parameters(hidden) for hidden in range(0 if architecture.skip else 1, 2001)}
    )
    with pytest.raises(ValueError, match=f"{n_parameters} parameters"):
        architecture.hidden(n_parameters)


@given(architecture=ARCHITECTURES, hidden=HIDDEN)
def test_split_partitions_the_row(architecture: Architecture, hidden: Hidden) -> None:
    """The parts are views of the row, with the shapes and order of the oracle's."""
    architecture = architecture._replace(deep=isinstance(hidden, tuple))
    row = np.arange(float(architecture.n_parameters(hidden)))
    parts = architecture.split(row, hidden)
    assert architecture.deep or architecture.split(row).keys() == parts.keys()
    sizes = architecture.inputs, hidden, architecture.outputs
    assert {name: part.shape for name, part in parts.items()} == parameter_shapes(
        *sizes, architecture.bias, architecture.skip
    )
    assert np.concatenate([part.ravel() for part in parts.values()]).tolist() == row.tolist()
    assert all(np.shares_memory(part, row) for part in parts.values())


def test_parameters_lie_in_drawing_order() -> None:
    """The numbering is that of the documentation, written out for one case."""
    parts = Architecture(2, 2, "relu", "identity", bias=True, skip=True).split(np.arange(21))
    assert {name: part.tolist() for name, part in parts.items()} == {
        "w": [[0, 1, 2], [3, 4, 5]],
        "v": [[6, 7], [8, 9], [10, 11]],
        "b": [12, 13, 14],
        "c": [15, 16],
        "k": [[17, 18], [19, 20]],
    }
    parts = Architecture(2, 1, "relu", "identity", bias=True, deep=True).split(np.arange(19), (2, 3))
    assert list(parts) == ["w1", "w2", "v", "b1", "b2", "c"]
    assert parts.w2.tolist() == [[4, 5, 6], [7, 8, 9]]
    assert parts.k is None
    for name in ("weights", "w", "b", "w3", "b3", "v1"):
        with pytest.raises(AttributeError, match=f"parameters '{name}': must be one of w1, w2, v, b1, b2, c"):
            getattr(parts, name)
    parts = Architecture(2, 1, "relu", "identity", bias=False, deep=True).split(np.arange(13), (2, 3))
    assert (parts.b1, parts.b2, parts.c) == (None, None, None)


def test_sizes_of_several_layers_are_not_guessed() -> None:
    """The caller must pass them, as networks of different sizes have equal numbers of parameters."""
    architecture = Architecture(2, 1, "relu", "identity", bias=True, deep=True)
    with pytest.raises(ValueError, match="hidden: must be passed with several hidden layers; 19 parameters"):
        architecture.split(np.arange(19))


@pytest.mark.parametrize("scaling", SCALINGS)
def test_scales_of_layers(scaling: str) -> None:
    """Layers are scaled by the root of their fan-in, or the output by the fan-in itself, to the last bit."""
    for inputs, hidden in ((2, 2), (3, 5), (16, 16), (7, 40), (3, (5, 7)), (2, (1, 40, 3))):
        deep = isinstance(hidden, tuple)
        architecture = Architecture(inputs, 1, "tanh", "identity", bias=True, scaling=scaling, deep=deep)
        assert architecture.scales(hidden) == layer_scales(scaling, inputs, hidden)
        assert architecture.scales(40)[1] == {"standard": 1, "ntk": 1 / math.sqrt(40), "mean_field": 1 / 40}[scaling]


def test_settings_have_defaults() -> None:
    """Settings that are not given have their declared default in every cell, those of optimizers PyTorch's."""
    settings = make_settings(3, learning_rate=[0.1, 0.2, 0.3], max_steps=7)
    assert settings["learning_rate"].tolist() == [0.1, 0.2, 0.3]
    expected = {name: setting.default for name, setting in vocabulary.SETTINGS.items()}
    expected |= dict.fromkeys(vocabulary.INTEGERS, 0) | {"max_steps": 7, "eps": 1e-8, "alpha": 0.99}
    expected |= {"beta1": 0.9, "beta2": 0.999, "eta_minus": 0.5, "eta_plus": 1.2, "step_min": 1e-6, "step_max": 50}
    assert {*expected} == {*SETTINGS.names}
    for name in expected.keys() - {"learning_rate"}:
        np.testing.assert_array_equal(settings[name], [expected[name]] * 3, name)


def test_names_distinguish_recipes() -> None:
    """The name of a recipe, under which kernels are kept, differs in every component and number."""
    recipe = Recipe(Architecture(2, 1, "relu", "identity", bias=True))
    others = [recipe._replace(**{name: "another"}) for name in Recipe._fields]
    others += [recipe._replace(architecture=recipe.architecture._replace(**{name: 9})) for name in Architecture._fields]
    assert len({repr(one) for one in (recipe, *others)}) == 1 + len(others)
