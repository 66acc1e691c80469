"""Runs that restart: each attempt equals the oracle's, with NumPy's draws, and published results are reproduced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sweep
from kernels.recipe import Architecture, Recipe
from kernels.settings import make_settings
from kernels.train import Trainer
from sweep.study.data.tasks import make_patterns
from sweep.study.options.other_sections import Restarts
from sweep.training.networks.attempts import Attempt, spawned, train_attempts
from tests import oracle
from tests.kernels.compare import FUNCTIONS
from tests.kernels.support import compiled_only
from tests.sweep.support import make_study, refused

# A small study whose runs fail in all ways.
OPTIONS: dict[str, Any] = {
    "data": {"task": "xor"},
    "network": {"hidden": 2, "activation": "tanh"},
    "training": {"max_steps": 60},
    "convergence": {"threshold": 0.9, "patience": 6, "min_delta": 1e-3},
    "seeds": {"count": 12, "base": 3},
    "record": {"loss_thresholds": [1.5, 0.7], "measures": ["loss_sum", "weight_norm"], "weights": "both"},
}
RATES = {"learning_rate": [0.02, 0.3, 3.0, 0.0]}
RESTARTS = {
    "after": {"max_restarts": 3, "after_steps": 15},
    "any failure": {"max_restarts": 9},
    "on some": {"max_restarts": 2, "on": ["diverged", "stalled"], "after_steps": 25},
    "spawned": {"max_restarts": 2, "draw": "spawned", "after_steps": 20},
}


def study_of(restarts: dict[str, Any], **changes: dict[str, Any]) -> sweep.Study:
    """Return the study with these restarts and changed tables."""
    return sweep.Study(**{**OPTIONS, **changes}, parameters=RATES, restarts=restarts)


def weights_of(seed: int, attempt: int, draw: str) -> Any:
    """Draw the 9 weights of an attempt with NumPy."""
    if draw == "next":
        return np.random.RandomState(seed).randn(9 * (attempt + 1))[9 * attempt :]
    own = np.random.SeedSequence(seed).spawn(256)[attempt - 1].generate_state(1)[0] if attempt else seed
    return np.random.RandomState(own).randn(9)


def attempts_of(study: sweep.Study, seed: int, rate: float) -> dict[str, Any]:
    """Train the attempts of a run with the oracle, and return its row."""
    restarts, limit, total, met = study.restarts, study.values_of("max_steps")[0], 0, {1.5: -1, 0.7: -1}
    inputs, targets = study.data.arrays()
    for number in range(restarts.max_restarts + 1):
        most = limit - total
        if restarts.after_steps is not None and number < restarts.max_restarts:
            most = min(most, restarts.after_steps)
        start = weights_of(seed, number, restarts.draw)
        ended = oracle.train(
            inputs,
            targets,
            start[np.newaxis],
            dtype="float64",
            functions=FUNCTIONS["float64"],
            loss_thresholds=list(met),
            record=True,
            **{"hidden": 2, "activation": "tanh", "output": "identity", "loss": "squared", "criterion": "loss"},
            **{"bias": True, "learning_rate": rate, "max_steps": most, "monitor": "loss"},
            **{name: OPTIONS["convergence"][name] for name in ("threshold", "patience", "min_delta")},
        )
        status, steps = str(ended.status[0]), int(ended.steps[0])
        for target, at in zip(met, ended.threshold_steps[0].tolist(), strict=True):
            met[target] = total + at if met[target] < 0 <= at else met[target]
        total += steps
        if status not in (*restarts.on, "exhausted") or total == limit:
            break
    norm = np.sqrt(sum(weight * weight for weight in ended.weights[0].tolist()))
    return {
        "status": status,
        "steps": steps,
        "restarts": number,
        "total_steps": total,
        "initial_loss": ended.initial_loss[0],
        "final_loss": ended.final_loss[0],
        "n_correct": ended.n_correct[0],
        "max_error": ended.max_error[0],
        **{f"steps_to_{target}": at for target, at in met.items()},
        "weight_norm": np.inf if status == "diverged" else norm,
        "loss_sum": ended.loss_sums(["loss_sum"])[0, 0],
        "initial_weights": start.tolist(),
        "final_weights": ended.weights[0].tolist(),
    }


@pytest.mark.parametrize("name", RESTARTS)
def test_as_the_oracle(name: str) -> None:
    """Every row equals that of attempts trained by the oracle."""
    study = study_of(RESTARTS[name])
    rows = sweep.run(study).runs()
    expected = [attempts_of(study, seed, rate) for rate in RATES["learning_rate"] for seed in range(3, 15)]
    for column in expected[0]:
        found, right = rows[column].tolist(), [row[column] for row in expected]
        if column.endswith("weights"):
            assert np.array_equal(np.stack(found), np.array(right), equal_nan=True), column
        else:
            assert found == right, column
    assert len(set(rows["status"])) >= 3
    assert len(set(rows["restarts"])) >= 3
    assert rows["total_steps"].max() == 60


def test_statistics_count_all_attempts() -> None:
    """Steps in cells are those of all attempts."""
    result = sweep.run(study_of(RESTARTS["after"]))
    rows = result.runs()
    for cell in result.cells.to_dict("records"):
        own = rows[rows["cell"] == cell["cell"]]
        converged = own["status"] == "converged"
        assert cell["n_converged"] == converged.sum()
        assert cell["restricted_mean_steps"] == own["total_steps"].where(converged, 60).mean()
        if converged.any():
            assert cell["expected_steps"] == own["total_steps"].sum() / converged.sum()
            reached = np.sort(own["total_steps"].astype(float).where(converged, np.inf))
            assert reached[2] == cell["steps_q25"] or reached[2] == np.inf
    assert result.facts["net_steps"] == rows["total_steps"].sum()
    incidence = result.incidence("learning_rate")
    assert incidence["steps"].max() == rows["total_steps"].max()
    targets = result.run_lengths("learning_rate")
    assert targets["steps"].max() <= 60


@pytest.mark.wide
def test_attempts_that_end_within_an_epoch(tmp_path: Path) -> None:
    """Such an attempt may be the last one, and its row is valid."""
    evaluated = {"patience": 2, "threshold": 0.9}
    study = make_study(count=60, batch=1, hidden=2, learning_rate=[0.1, 0.4], **evaluated).canonical()
    study["restarts"] = {"max_restarts": 2, "after_steps": 6, "on": []}
    result = sweep.run(sweep.Study(**study), tmp_path / "result")
    rows = result.runs()
    assert {"converged", "plateau"} <= set(rows["status"][(rows["steps"] == 6) & (rows["restarts"] < 2)])
    assert sweep.verify(tmp_path / "result", sample=-1).intact


def test_identity_of_others() -> None:
    """An explicit max_restarts of 0 does not change the identity."""
    assert sweep.load_study("xor", {"restarts.max_restarts": 0}).identity == sweep.load_study("xor").identity
    study = sweep.load_study("xor", {"max_restarts": 2, "after_steps": 100})
    assert study.canonical()["restarts"] == {"max_restarts": 2, "after_steps": 100}
    assert study.identity == sweep.load_study("xor", {"restarts.max_restarts": 2, "restarts.after_steps": 100}).identity


@pytest.mark.parametrize(
    ("restarts", "tables", "expected"),
    [
        ({"max_restarts": 0, "after_steps": 5}, {}, "after_steps: 5 has no effect; set restarts.max_restarts above 0"),
        ({"max_restarts": -1}, {}, "max_restarts: must be at least 0, got -1"),
        ({"after_steps": 60}, {}, "after_steps: must be below 60, the most updates of a run, got 60"),
        ({"on": []}, {}, "on: must hold a status that a run can have, got []; or set restarts.after_steps"),
        ({"on": ["exhausted"]}, {}, "on: unknown status 'exhausted'; known: diverged, stalled"),
        (
            {"on": "plateau"},
            {"convergence": {"threshold": 0.9}},
            "got ['plateau']; or set restarts.after_steps or convergence.patience",
        ),
        ({"after_steps": 9}, {"convergence": {"criterion": "none"}}, "after_steps: needs a criterion, got 'none'"),
        ({"draw": "new"}, {}, "draw: must be one of"),
        *(
            ({}, {"initial_weights": weights}, f"max_restarts: must be 0 with initial_weights.{text}, got 2")
            for weights, text in (
                ({"distribution": "constant"}, "distribution 'constant'"),
                ({"values": {"parameters": [0.5] * 9}}, "values of all parameters"),
                ({"values": {"w": 1.0, "v": 1.0, "b": 0.0, "c": 0.0}}, "values of all parameters"),
            )
        ),
    ],
)
def test_restarts_without_effect(restarts: dict[str, Any], tables: dict[str, Any], expected: str) -> None:
    """Faults say why runs would never restart."""
    with refused("restarts.", expected):
        study_of({"max_restarts": 2, **restarts}, **tables)


def parity_weights(seed: int, n: int) -> Any:
    """Draw a network of n units like cybertronai/hinton-problems, in the order of our parameters."""
    random = np.random.default_rng(seed)
    w = random.random((n, n)) - 0.5
    b = -np.linspace(-n, n, n) + 0.1 * (random.random(n) - 0.5)
    v, c = random.random((1, n)) - 0.5, random.random(1) - 0.5
    return np.concatenate([w.T.ravel(), v.ravel(), b, c])


@pytest.mark.wide
@compiled_only
@pytest.mark.parametrize(
    ("n", "published"), [(2, [240, 20506, 252, 441, 23126]), (4, [2308, 12369, 28716, 25271, 15101])]
)
def test_published_parity(n: int, published: list[int]) -> None:
    """Epochs of five seeds, as published with restarts.

    cybertronai/hinton-problems, n-bit-parity: a run restarts, by spawned seeds, after 20,000 epochs without more
    outputs right than before; an epoch is counted after its update, from 1.
    """
    options = {"loss": "half_squared", "reduction": "mean", "optimizer": "momentum", "criterion": "correct"}
    recipe = Recipe(Architecture(n, 1, "sigmoid", "sigmoid", bias=True), monitor="n_correct", **options)
    patterns = make_patterns("parity", {"bits": n, "coding": "pm1"})
    trainer, seeds = Trainer(recipe, *map(np.array, patterns)), np.arange(5)
    options = {"learning_rate": 0.5, "momentum": 0.9, "max_steps": 60_000, "from_step": 1, "patience": 20_000}

    def train(attempt: Attempt) -> tuple[Any, Any]:
        own = seeds[attempt.runs]
        own = spawned(own, attempt.number) if attempt.number else own
        weights = np.stack([parity_weights(seed, n) for seed in own.tolist()])
        return trainer.train(attempt.settings, weights, attempt.counts), weights

    restarts = Restarts.model_validate({"max_restarts": 256, "draw": "spawned"})
    outcome, _ = train_attempts(restarts, make_settings(1, **options), np.array([5]), train)
    assert outcome.columns.attempts[:, 1].tolist() == published
