"""Random recipes and settings, compiled too: every number that training reports equals the oracle's."""

from __future__ import annotations

from dataclasses import fields, replace
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.numba import jit
from tests.kernels.cases import DIMENSIONS, N_COMPILED, Case, covering_cases, fits
from tests.kernels.compare import assert_as_oracle
from tests.kernels.covering import Choice
from tests.kernels.runs import Kinds, draw_runs
from tests.kernels.specs import Spec
from tests.kernels.support import Array, in_soak_if_compiled, sized
from tests.kernels.tasks import TASKS

SEEDS = st.integers(0, 2**32 - 1)
KINDS = st.builds(Kinds, **{each.name: st.sampled_from(DIMENSIONS[each.name]) for each in fields(Kinds)})

# Kernels that are compiled anyway: those of the first cases, with newly drawn settings.
POOL = covering_cases()[:N_COMPILED]

# Patterns that are no constants may have any values in a kernel that is compiled once.
READ = [
    Spec("tanh", optimizer="nesterov", batch=3, order="shuffled", task="drawn", tuning="no constants", used=("gain",)),
    Spec("gelu", "sigmoid", "bce", "mean", optimizer="adam", task="drawn", skip=True, tuning="no constants"),
]


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    """Draw values of all fields, each of those that fit the values before it."""
    chosen: list[Choice] = []
    demanding = ("loss", "optimizer", "stopping_rule", "tuning")
    for name in dict.fromkeys((*demanding, *Spec.__dataclass_fields__)):
        choices = [(name, value) for value in DIMENSIONS[name]]
        fitting = [one for one in choices if all(fits(one, other) for other in chosen)]
        chosen.append(draw(st.sampled_from(fitting)))
    return Spec(**dict(chosen))


def _draw_task(n_patterns: int, n_inputs: int, n_outputs: int, seed: int) -> tuple[Array, Array]:
    """Draw patterns: half of the inputs are bits, and some targets are equal."""
    random = np.random.default_rng(seed)
    inputs = random.uniform(-2, 2, (n_patterns, n_inputs))
    inputs = np.where(random.random(inputs.shape) < 0.5, random.integers(0, 2, inputs.shape), inputs)
    return inputs, random.choice(random.uniform(-1, 2, 3), (n_patterns, n_outputs))


@pytest.mark.wide
@settings(max_examples=sized(30, 6))
@given(case=st.sampled_from(POOL), kinds=KINDS, seed=SEEDS)
def test_any_settings_as_oracle(case: Case, kinds: Kinds, seed: int) -> None:
    """Any weights and settings, with recipes that are compiled once."""
    assert_as_oracle(case.spec, replace(case, kinds=kinds).draw(seed))


@pytest.mark.slow
@settings(max_examples=sized(20, 12))
@given(spec=st.sampled_from(READ[: sized(1, 2)]), kinds=KINDS, seed=SEEDS)
def test_any_patterns_as_oracle(spec: Spec, kinds: Kinds, seed: int) -> None:
    """Any values of patterns that a kernel reads at run time."""
    with patch.dict(TASKS, drawn=_draw_task(11, 2, 1, seed)):
        most_steps = sized(20, 5) if spec.n_windows == 1 else 2 * spec.n_windows + 1
        assert_as_oracle(spec, draw_runs(spec, 3, sized(30, 8), seed, most_steps, kinds))


@pytest.mark.wide
@in_soak_if_compiled
@settings(max_examples=sized(100, 20))
@given(spec=specs(), hidden=st.integers(1, 9), kinds=KINDS, seed=SEEDS)
def test_any_recipe_as_oracle(spec: Spec, hidden: int, kinds: Kinds, seed: int) -> None:
    """Any combination of components, each with a separate kernel."""
    assert_as_oracle(spec, Case(spec, hidden, kinds).draw(seed))


@pytest.mark.wide
@pytest.mark.skipif(jit.ENABLED, reason="every example would compile kernels")
@settings(max_examples=50)
@given(
    spec=specs(),
    batch=st.none() | st.integers(1, 9),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 6), st.integers(1, 4)),
    hidden=st.integers(1, 6),
    held_out=st.integers(1, 20),
    seed=SEEDS,
)
def test_any_shape_as_oracle(
    spec: Spec, batch: int | None, shape: tuple[int, int, int], hidden: int, held_out: int, seed: int
) -> None:
    """Any counts of patterns, held-out ones too, inputs, outputs and units, on either side of every limit."""
    batch = batch if batch is None or (batch <= shape[0] and spec.optimizer != "rprop") else None
    with patch.dict(TASKS, drawn=_draw_task(*shape, seed)):
        spec = replace(spec, task="drawn", batch=batch, held_out=held_out)
        if shape[1] == 1:  # single weights that specifications name are of two inputs
            spec = replace(spec, freeze=(), share=())
        assert_as_oracle(spec, draw_runs(spec, hidden, 10, seed, 2 * spec.n_windows + 3))
