"""Samples, compared with NumPy's generator and SciPy's sequence."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from scipy.stats import qmc

from sweep import Study

COUNT, SEED = 40, 7
OPTIONS: dict[str, Any] = {
    "learning_rate": {"geomspace": [0.003, 1.0]},
    "scale": {"min": 0.25, "max": 3.0},
    "hidden": {"min": 2, "max": 900},
    "activation": ["relu", "tanh", "sin"],
    "threshold": {"geomspace": [1e-4, 1e-1, 4]},
    "warmup": {"min": 1, "max": 500, "distribution": "log_uniform_values"},
}


def sample(method: str, count: int = COUNT, **options: Any) -> dict[str, tuple[Any, ...]]:
    """Return the points of a sample."""
    table = {"method": method, "count": count, "seed": SEED, **(options or OPTIONS)}
    fixed = {"network": {"hidden": 2}} if "hidden" not in table else {}
    training = {"training": {"learning_rate": 0.1}} if "learning_rate" not in table else {}
    study = Study(data={"task": "xor"}, samples=[table], **fixed, **training)
    return dict(study.axes[0])


def uniform(method: str) -> Any:
    """Return the numbers from 0 to 1 behind a sample, by public functions of other packages."""
    random = np.random.default_rng(SEED)
    return (
        random.random((COUNT, len(OPTIONS))) if method == "random" else qmc.Sobol(len(OPTIONS), seed=random).random(64)
    )


@pytest.mark.parametrize("method", ["random", "sobol"])
def test_values_follow_from_known_numbers(method: str) -> None:
    """Ranges are mapped to values: logarithms in decimals of many digits, others exactly."""
    drawn, numbers = sample(method), uniform(method)[:COUNT]

    def between_logs(low: float, high: float, share: float) -> float:
        with localcontext(prec=80):
            first = Decimal(low).ln()
            return float((first + (Decimal(high).ln() - first) * Decimal(share)).exp())

    for row in range(COUNT):
        rate, scale, hidden, activation, below, warmup = numbers[row].tolist()
        assert drawn["learning_rate"][row] == between_logs(0.003, 1.0, rate)
        assert drawn["scale"][row] == pytest.approx(0.25 + 2.75 * scale, rel=1e-15)
        assert drawn["hidden"][row] == 2 + int(hidden * 899)
        assert drawn["activation"][row] == ["relu", "tanh", "sin"][int(activation * 3)]
        assert drawn["threshold"][row] == (1e-4, 1e-3, 1e-2, 1e-1)[int(below * 4)]
        assert drawn["warmup"][row] == pytest.approx(np.exp(np.log(500) * warmup))


def test_integers_on_a_logarithmic_scale() -> None:
    """Each integer has the share of logarithms from 0.5 below to 0.5 above it, and both ends occur."""
    drawn = sample("random", 3000, hidden={"geomspace": [1, 6]}, scale={"min": 1.0, "max": 2.0})["hidden"]
    shares = np.diff(np.log(np.arange(0.5, 7.0))) / np.log(6.5 / 0.5)
    counts = np.array([drawn.count(value) for value in range(1, 7)])
    error = np.sqrt(3000 * shares * (1 - shares))
    assert (abs(counts - 3000 * shares) < 4 * error).all()


def test_points_are_distinct() -> None:
    """Points that were drawn before are skipped, so all points of a small space are found."""
    drawn = sample("random", 12, hidden=[2, 3, 4], bias=[True, False], activation=["relu", "tanh"])
    assert len(set(zip(*drawn.values(), strict=True))) == 12
    again = sample("random", 5, hidden=[2, 3, 4], bias=[True, False], activation=["relu", "tanh"])
    assert all(values[:5] == again[name] for name, values in drawn.items())  # a longer sample begins with a shorter one


def test_a_sample_equals_its_lists() -> None:
    """The identity depends on the points, not on how they were drawn; another seed draws other points."""
    tables = {"data": {"task": "xor"}}
    table = {"count": 6, "hidden": {"range": [2, 60]}, "learning_rate": {"geomspace": [0.01, 1.0]}}
    drawn = Study(samples=[table], **tables)
    zipped = Study(zip=[{name: list(values) for name, values in drawn.axes[0].items()}], **tables)
    assert zipped == drawn
    assert Study(samples=[{**table, "method": "sobol", "seed": 0}], **tables) == drawn
    assert Study(samples=[{**table, "seed": 1}], **tables) != drawn


def test_known_values() -> None:
    """These values were drawn once; every machine draws the same."""
    table = {"count": 6, "seed": 5, "hidden": {"range": [2, 60]}, "learning_rate": {"geomspace": [0.01, 1.0]}}
    study = Study(data={"task": "xor"}, samples=[{**table, "method": "random"}])
    assert study.axes[0]["hidden"] == (49, 32, 5, 26, 4, 40)
    assert study.axes[0]["learning_rate"][0] == 0.4129348903019313
