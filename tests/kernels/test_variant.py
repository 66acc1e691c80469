"""Variants depend only on recipe, patterns and tuning, and memory is laid out as documented."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.data.control_layout import make_control_layout
from kernels.step.layout import make_layout, make_workspace
from kernels.variant import Variant
from tests.kernels.cases import covering_cases
from tests.kernels.compare import assert_as_oracle
from tests.kernels.runs import draw_runs
from tests.kernels.specs import TUNINGS, Spec
from tests.kernels.support import sized, some_compiled


def _variant(spec: Spec, hidden: int, width: int | None = 8) -> Variant:
    """Choose how networks are trained."""
    return spec.trainer(width).variant(hidden)


def test_every_tuning_makes_a_difference() -> None:
    """Each tested tuning leads to a different variant for some tested recipe."""
    for tuning in TUNINGS.keys() - {"plain"}:
        cases = [case for case in covering_cases() if case.spec.tuning == tuning]
        assert any(
            _variant(case.spec, case.hidden, None) != _variant(replace(case.spec, tuning="plain"), case.hidden, None)
            for case in cases
        ), tuning


@pytest.mark.parametrize(
    ("hidden", "criterion", "tuning", "expected"),
    [
        (2, "loss", "three packets", 3),
        (3, "loss", "three packets", 2),
        (2, "none", "three packets", 3),
        (3, "none", "three packets", 2),
        (24, "none", "three packets", 2),
        (40, "none", "three packets", 1),
        (3, "loss", "small cache", 1),
    ],
)
def test_packets_that_take_turns(hidden: int, criterion: str, tuning: str, expected: int) -> None:
    """More than two take turns if tuned so and they fit in the first cache; in a loop over units, only unevaluated."""
    assert _variant(Spec("relu", criterion=criterion, tuning=tuning), hidden).packets == expected


@pytest.mark.parametrize(
    "spec",
    some_compiled(
        [
            Spec("relu"),
            Spec("tanh", optimizer="adam", skip=True, task="adder"),
            Spec("sigmoid", optimizer="momentum", batch=3, task="numbers"),
        ],
        lambda _: False,
    ),
    ids=["relu", "adam", "windows"],
)
def test_short_windows_in_blocks_as_oracle(monkeypatch: pytest.MonkeyPatch, spec: Spec) -> None:
    """Wherever loops over patterns are unrolled, results are equal."""
    monkeypatch.setattr("kernels.variant.MOST_AT_ONCE", 1)
    for hidden in (1, 2, 4):
        assert_as_oracle(spec, draw_runs(spec, hidden, sized(30, 10), hidden, 12))


LAID_OUT = [
    Spec("relu"),
    Spec("gelu", "softplus", optimizer="adam", skip=True, task="many numbers"),
    Spec("tanh", "sigmoid", "bce", optimizer="momentum", order="shuffled", batch=3, task="adder", dtype="float32"),
]


@pytest.mark.parametrize("width", [1, 8, 16, 1024])
@given(spec=st.sampled_from(LAID_OUT), hidden=st.integers(1, 200))
def test_activations_lie_half_a_page_from_parameters(width: int, spec: Spec, hidden: int) -> None:
    """The rows of a packet share no memory, and activations lie an odd number of half pages from parameters."""
    variant, recipe = _variant(spec, hidden, width), spec.recipe
    workspace, layout = make_workspace(recipe, variant, hidden), make_layout(recipe, variant)
    behind, n_parameters = workspace.layout, spec.n_parameters(hidden)
    places = np.sort(workspace.parameter_rows)
    assert places.tolist() == list(range(layout.parameters, layout.parameters + n_parameters))
    n_outputs, n_activations = variant.n_patterns * recipe.architecture.outputs, variant.most_patterns * hidden
    n_states = {"gd": 0, "momentum": 1, "adam": 2}[spec.optimizer]
    parts = {
        (0, make_control_layout(recipe).n_rows),
        (layout.outputs, n_outputs),
        (layout.output_slopes, n_outputs),
        (layout.gradients, variant.most_patterns * recipe.architecture.outputs),
        (layout.parameters, (1 + n_states) * n_parameters),
        (behind.hidden, n_activations),
        (behind.hidden_slopes, n_activations),
        (behind.sums, n_parameters if variant.window > variant.most_at_once else 0),
        (behind.kept, (1 + n_states) * n_parameters if variant.n_windows > 1 else 0),
    }
    ends = 0
    for first, count in sorted(parts):
        assert first >= ends
        ends = first + count
    assert ends <= len(workspace.rows) == behind.n_rows
    row_bytes = workspace.rows.strides[0]
    assert (behind.hidden - layout.parameters) * row_bytes % 4096 == (2048 if row_bytes <= 2048 else 0)


def test_learning_rates_of_layers() -> None:
    """The parameters w and b have one learning rate, v, c and k the other."""
    spec = Spec("tanh", skip=True, task="adder")
    workspace = make_workspace(spec.recipe, _variant(spec, 3), 3)
    parts = spec.recipe.architecture.split(workspace.rate_rows)
    rates = {name: set(part.ravel().tolist()) for name, part in parts.items()}
    assert rates["w"] == rates["b"] != rates["v"] == rates["c"] == rates["k"]
    assert all(len(rows) == 1 for rows in rates.values())
    assert not any(one & other for one, other in itertools.combinations([rates["w"], rates["v"]], 2))
