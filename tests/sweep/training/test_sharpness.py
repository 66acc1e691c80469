"""The sharpness of trained networks, compared with exact second derivatives and eigenvalues of NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sweep
from sweep import Study, StudyError
from sweep.measures.curvature.eigenvalues import largest_eigenvalues
from sweep.measures.curvature.hessian import sharpness
from sweep.schedule.cost import run_cost
from sweep.schedule.kernel_count import most_kernels
from sweep.schedule.plan import Plan
from sweep.training.compiling.kernel_items import uncompiled
from sweep.training.networks.part_trainer import PartTrainer
from tests.kernels.support import some_compiled
from tests.oracle.training import named_parameters, shared_parameters
from tests.sweep.expected import groups_in
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import make_study
from tests.sweep.training.jets import loss_of
from tests.sweep.training.test_network_measures import CLASSES

OPTIONS: dict[str, Any] = {"activation": "tanh", "hidden": 2, "learning_rate": 0.05, "max_steps": 20, "count": 2}
# Options of a study, and the parameters that it does not train.
CASES: list[tuple[dict[str, Any], str]] = [
    ({"freeze": "b c"}, "b c"),
    ({"freeze": "c w[0,1] v[1,0]"}, "c w[0,1] v[1,0]"),
    ({"activation": ["tanh", "relu", "gelu", "mish", "sin", "elu", "leaky_relu", "silu", "softplus", "softsign"]}, ""),
    ({"activation": "sigmoid", "output": "sigmoid", "loss": ["bce", "half_squared", "sse", "mse"]}, ""),
    ({**CLASSES, "reduction": ["mean", "pattern_mean"], "skip": [True, False]}, ""),
    ({"hidden": ["3-2", "2-2-2"], "skip": [True, False], "bias": [True, False]}, ""),
    (
        {"hidden": "2-2-2", "skip": True, "shortcuts": "all", "output_learning_rate": 0.0},
        "v c k[0,0] k[1,0] k[2,0] k[3,0] k[4,0] k[5,0]",  # not k2 and k3, which have the hidden layers' rate
    ),
    ({"share": ["w[0] w[1]", "v[0] v[2]; b[0] b[1] b[2]; w[1,0] w[0,2]"], "hidden": 3}, ""),
    ({"loss": "huber", "output": "tanh", "hidden": [1, 3]}, ""),
    ({"dtype": "float32", "batch": 1, "optimizer": "adam", "weight_decay": 0.1}, ""),
    ({"output_learning_rate": 0.0}, "v c k"),
    ({"learning_rate": 0.0, "output_learning_rate": 0.01, "skip": True}, "w b"),
]


def measured(names: Sequence[str] = ("sharpness",), **options: Any) -> Study:
    """Return a small study that records the sharpness, or other measures."""
    tables = make_study(**{**OPTIONS, **options}).canonical()
    return Study(**tables | {"record": {"measures": names}})


def exact(result: sweep.Result, run: int, frozen: str = "") -> tuple[float, float]:
    """Return the largest eigenvalue of the Hessian of a traced run, and the largest one by size."""
    trace = sweep.trace(result, run)
    words = {**result.study.fixed(), **trace.parameters}
    of_loss = {"sse": ("squared", "sum"), "mse": ("squared", "mean")}
    words["loss"], words["reduction"] = of_loss.get(words["loss"], (words["loss"], words["reduction"] or "sum"))
    hessian = loss_of(trace.weights, result.study.patterns_of(trace.cell), words).hessian
    shapes = {name: array.shape for name, array in trace.weights.items()}
    free = np.eye(len(hessian))[:, ~named_parameters(shapes, frozen.split())]  # how free numbers move parameters
    for first, *others in shared_parameters(shapes, groups_in(words["share"])):
        for k, place in enumerate(first):
            together = np.isin(np.arange(len(hessian)), [place, *(other[k] for other in others)])
            free = np.column_stack([free[:, (free[together] == 0).all(axis=0)], together])
    values = np.linalg.eigvalsh(free.T @ hessian @ free)
    return values[-1], np.abs(values).max()


@pytest.mark.parametrize(("options", "frozen"), some_compiled(CASES, lambda case: case[1] == "b c"))
def test_exact_derivatives(options: dict[str, Any], frozen: str) -> None:
    """The sharpness is the largest eigenvalue of the exact Hessian, within 1e-9 of the largest one by size."""
    result = sweep.run(measured(**options))
    for row in result.runs().to_dict("records"):
        value, size = exact(result, row["run"], frozen)
        assert row["sharpness"] == pytest.approx(value, abs=1e-9 * max(size, 1.0), rel=0), row


def test_same_bits_and_replayed(tmp_path: Path) -> None:
    """Parts, threads and traces change no bit; diverged runs have infinite sharpness."""
    study = measured(learning_rate=[0.05, 1e3], hidden=[2, 3], count=5, divergence_threshold=1e4)
    result = sweep.run(study, out=tmp_path / "result", threads=2)
    assert run_in_parts(study, part_runs=3, threads=1).facts["digest"] == result.facts["digest"]
    assert sweep.verify(tmp_path / "result", sample=-1).intact
    assert not sweep.trace(result, 7).mismatches
    rows = result.runs()
    diverged = rows["status"] == "diverged"
    assert 0 < diverged.sum() < len(rows)
    assert (np.isinf(rows["sharpness"]) == diverged).all()


def test_at_the_best_validation(tmp_path: Path) -> None:
    """The sharpness at the best validation is that of a run that ends there; parts and traces change no bit."""
    data = {"task": "parity", "bits": 3, "validation_count": 3}
    options: dict[str, Any] = {"data": data, "criterion": "none", "hidden": 2, "count": 6, "max_steps": 40}
    names = ["sharpness", "sharpness_at_best"]
    study = measured(names, learning_rate=[0.3, 1e3], divergence_threshold=1e4, **options)
    result = sweep.run(study, tmp_path / "result")
    assert run_in_parts(study, part_runs=3, threads=1).facts["digest"] == result.facts["digest"]
    assert sweep.verify(tmp_path / "result", sample=-1).intact
    rows = result.runs()
    assert (rows["steps_at_best"] < rows["steps"]).sum() > 0
    for row in rows.to_dict("records"):
        ended = {**options, "learning_rate": row["learning_rate"], "max_steps": row["steps_at_best"]}
        there = sweep.run(measured(**{**ended, "base": row["seed"], "count": 1})).runs()
        assert there["sharpness"].item() == row["sharpness_at_best"]


def test_no_step_and_nothing_trained() -> None:
    """A run without steps has a sharpness too; without trained parameters it is 0."""
    rows = sweep.run(measured(max_steps=0, learning_rate=[0.0, 0.1], output_learning_rate=0.0)).runs()
    assert (rows["sharpness"][rows["learning_rate"] == 0] == 0).all()
    assert (rows["sharpness"][rows["learning_rate"] > 0] != 0).all()


def test_too_many_parameters() -> None:
    """Networks that would take minutes each are refused."""
    with pytest.raises(StudyError, match="'sharpness' needs networks of at most 1000 parameters, got 1001"):
        measured(hidden=[2, 250])
    assert measured(hidden=249).record.measures == ("sharpness",)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 7), st.integers(0, 2**32 - 1), st.integers(-300, 300))
def test_quadratic_losses(n: int, seed: int, exponent: int) -> None:
    """For 0.5 p'Ap + b'p it is the largest eigenvalue of A, restricted to trained parameters."""
    random = np.random.default_rng(seed)
    matrices = random.normal(size=(4, n, n)) * 2.0**exponent
    matrices += matrices.swapaxes(1, 2)
    slopes, weights, trained = random.normal(size=(3, 4, n))
    found = sharpness(
        lambda runs, at: np.einsum("rij,rj->ri", matrices[runs], at) + 2.0**exponent * slopes[runs],
        weights,
        trained > 0,
    )
    for matrix, kind, value in zip(matrices, trained > 0, found, strict=True):
        values = np.linalg.eigvalsh(matrix[np.ix_(kind, kind)]) if kind.any() else np.zeros(1)
        assert value == pytest.approx(values[-1], abs=1e-9 * np.abs(matrix).max(), rel=0)


def test_kinks() -> None:
    """At a kink, or closer to one than a step, the curvature is that of the side of the weights."""
    at = np.array([[1e-7], [-1e-7], [0.0], [1.0]])
    # The derivative of a loss that jumps at 0: its second derivative is 2 on the left, and at 0, and 3 on the right.
    found = sharpness(lambda runs, p: np.where(p > 0, 5.0 + 3.0 * p, 2.0 * p), at, np.ones((4, 1), np.bool_))
    assert found == pytest.approx([3.0, 2.0, 2.0, 3.0], rel=1e-7)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 12), st.integers(0, 2**32 - 1), st.integers(-700, 900))
def test_eigenvalues(n: int, seed: int, exponent: int) -> None:
    """Eigenvalues equal LAPACK's for elements of any size, equal eigenvalues and rows of zeros."""
    random = np.random.default_rng(seed)
    factors = (
        random.normal(size=(6, n, n)) * random.integers(0, 2, (6, 1, n)) * 10.0 ** random.integers(-12, 1, (6, 1, n))
    )
    matrices = np.ldexp(factors @ (factors * random.choice([-1, 1], (6, n, 1))).swapaxes(1, 2), exponent)
    matrices += matrices.swapaxes(1, 2)
    matrices[-1] = np.eye(n)
    values = np.linalg.eigvalsh(np.ldexp(matrices, -exponent))
    bound = 8 * n * 2.0**-52 * np.abs(values).max(axis=1)
    found = largest_eigenvalues(matrices)
    assert (np.abs(np.ldexp(found, -exponent) - values[:, -1]) <= bound).all()
    for k in range(6):  # whatever others it is computed with
        assert largest_eigenvalues(matrices[k : k + 1]).tobytes() == found[k].tobytes()


def test_eigenvalues_of_nothing_finite() -> None:
    """A matrix with an infinite element has eigenvalue NaN, and does not change the others."""
    matrices = np.stack([np.eye(3), np.eye(3), np.full((3, 3), -1.0)])
    matrices[1, 2, 0] = np.inf
    assert np.array_equal(largest_eigenvalues(matrices)[:2], [1.0, np.nan], equal_nan=True)
    assert largest_eigenvalues(matrices)[2] == pytest.approx(0.0, abs=1e-15)


def test_kernels_are_counted_and_compiled_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel of gradients is counted and compiled ahead."""
    monkeypatch.setattr("kernels.train.is_compiled", lambda kernel, arguments: False)
    shown: list[dict[str, Any]] = [
        {},
        {"hidden": [2, "3-2"]},
        {"activation": ["relu", "tanh"], "optimizer": ["gd", "adam"]},
    ]
    for options in shown:
        with_it = measured(**options)
        without = Study(**with_it.canonical() | {"record": {}})
        n_needed = [
            len(uncompiled(PartTrainer(Plan(study)), range(Plan(study).n_shapes), settles=True))
            for study in (with_it, without)
        ]
        n_more = most_kernels(with_it, 1.0) - most_kernels(without, 1.0)
        assert n_more == n_needed[0] - n_needed[1] >= 1


def test_cost() -> None:
    """The cost grows with the cube of the number of parameters, and is part of the cost of a run."""
    small, large = (measured(hidden=n, max_steps=0) for n in (8, 200))
    costs = [run_cost(study, study.grid.cell(0)).operations for study in (small, large)]
    assert costs[1] > 10**3 * costs[0] > 0
