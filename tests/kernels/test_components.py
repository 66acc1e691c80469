"""Every component of a recipe gives the same numbers as the oracle, together with every other component."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kernels.numba import jit
from kernels.vocabulary import ACTIVATIONS, LOSSES, OPTIMIZERS
from tests.kernels.cases import N_COMPILED, Case, covering_cases
from tests.kernels.compare import (
    assert_as_oracle,
    assert_bare_as_reported,
    assert_reported_as_oracle,
    train_kernel,
    train_oracle,
)
from tests.kernels.runs import Kinds, draw_runs, draw_weights, make_runs
from tests.kernels.specs import ORDERS, Spec
from tests.kernels.support import in_soak_if_compiled, sized, some_compiled
from tests.oracle.components import OWN_OUTPUTS

# `make test` compiles the case that has most pairs, `make test-all` those that have every value once.
N_IN_TEST = 1
IN_TEST, IN_SOAK = [pytest.mark.compiled], [pytest.mark.soak] if jit.ENABLED else []
COVER = [
    pytest.param(case, k, id=str(case), marks=IN_TEST if k < N_IN_TEST else [] if k < N_COMPILED else IN_SOAK)
    for k, case in enumerate(covering_cases())
]
PRODUCT = list(itertools.product(OPTIMIZERS, LOSSES, ACTIVATIONS))


@pytest.mark.parametrize(("case", "seed"), COVER[:N_COMPILED])
def test_each_component_as_oracle(case: Case, seed: int) -> None:
    """Every number that training reports is the oracle's, for each component, task, tuning and kind of setting."""
    assert_as_oracle(case.spec, case.draw(seed))


@pytest.mark.slow
@pytest.mark.parametrize(("case", "seed"), COVER[N_COMPILED:])
def test_any_two_components_as_oracle(case: Case, seed: int) -> None:
    """The same holds for every pair of them, together with the cases above."""
    assert_reported_as_oracle(case.spec, case.draw(seed))


@pytest.mark.wide
@pytest.mark.parametrize(("case", "seed"), COVER[N_COMPILED:])
def test_any_two_components_without_losses(case: Case, seed: int) -> None:
    """Rows do not depend on whether losses and weights are kept, for every pair of components."""
    assert_bare_as_reported(case.spec, case.draw(seed))


@pytest.mark.soak
@pytest.mark.skipif(jit.ENABLED, reason="more than a thousand kernels would be compiled")
@pytest.mark.parametrize(("optimizer", "loss", "activation"), PRODUCT)
def test_product_of_components_as_oracle(optimizer: str, loss: str, activation: str) -> None:
    """The same holds in the product of optimizers, losses, activations, batches and orders; others take turns."""
    first = PRODUCT.index((optimizer, loss, activation))
    for k, (batch, order) in enumerate(itertools.product((None, 1, "uneven"), ORDERS)):
        if optimizer == "rprop" and batch is not None:
            continue
        seed = 6 * first + k
        case = covering_cases()[seed % len(covering_cases())]
        own = {"optimizer": optimizer, "loss": loss, "activation": activation, "batch": batch, "order": order}
        usual = case.spec.output if case.spec.output != "softmax" else "identity"
        output = OWN_OUTPUTS.get(loss, usual)
        spec = replace(case.spec, output=output, task=("xor", "numbers", "adder")[seed % 3], **own)
        if optimizer == "rprop":
            spec = replace(spec, schedule="constant", used=())  # rprop follows no schedule
        assert_as_oracle(spec, Case(spec, case.hidden, case.kinds).draw(seed))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_drawn_runs_end_in_every_way(optimizer: str) -> None:
    """With every optimizer runs converge, stall, diverge and exhaust their steps; rprop hardly stalls."""
    seen: set[str] = set()
    for seed, criterion in enumerate(("loss", "max_error", "correct", "error_rate", "running_loss")):
        spec = Spec("relu", optimizer=optimizer, criterion=criterion)
        seen |= set(
            train_oracle(spec, draw_runs(spec, 2, 40, seed, sized(30, 16), Kinds(divergence_threshold="own"))).status
        )
    assert seen >= {"converged", "diverged", "exhausted"} | ({"stalled"} if optimizer != "rprop" else set())


@pytest.mark.parametrize(
    ("dtype", "own"),
    some_compiled(
        [("float64", {}), ("float32", {"skip": True}), ("float64", {"below": (3,), "freeze": ("w",)})],
        lambda case: case[0] == "float32",
    ),
)
def test_drawn_first_steps_as_oracle(dtype: str, own: dict[str, Any]) -> None:
    """Each parameter of a seed has its own first step, between the rate of its layer and a multiple of it."""
    spec = Spec("tanh", optimizer="rprop", used=("step_ratio",), dtype=dtype, **own)
    runs = draw_runs(spec, 2, 40, 5, 12, Kinds(output_rate="own")).having(step_max=1e6, step_min=0.0)
    assert_as_oracle(spec, runs)
    still = runs.having(learning_rate=0.005, output_learning_rate=np.nan, step_ratio=4.0, max_steps=1, threshold=0.0)
    moved = np.abs(train_kernel(spec, still).final_weights - still.weights)
    steps = moved[moved > 0]  # a dead gradient moves nothing
    assert 0.00499 < steps.min() < 0.006 < 0.019 < steps.max() < 0.02001


@pytest.mark.parametrize("activation", some_compiled(ACTIVATIONS, lambda _: False))
def test_slopes_at_zero_as_oracle(activation: str) -> None:
    """A hidden unit whose sum is exactly 0, which is at a kink, passes on the slope from the left."""
    spec = Spec(activation, task="one pattern", skip=True)
    weights = np.zeros((1, spec.n_parameters(1)))
    weights[0, 3:6] = 1.0, 0.0, -2.0  # v, b and c
    assert_as_oracle(spec, make_runs(weights, learning_rate=1.0, threshold=0.0, max_steps=1, negative_slope=-0.3))


@in_soak_if_compiled
def test_signs_of_zero() -> None:
    """Where gradients underflow to zeros of either sign, weights of zero keep the signs that the oracle's have."""
    spec = Spec("tanh", optimizer="rprop", dtype="float32")
    runs = make_runs(np.float32(1.5e-45) * draw_weights(spec, 2, 200, 3), "float32", max_steps=7)
    given, expected = train_kernel(spec, runs).final_weights, train_oracle(spec, runs).weights
    assert set(np.signbit(expected[expected == 0.0])) == {False, True}
    assert given.tobytes() == np.ascontiguousarray(expected).tobytes()
