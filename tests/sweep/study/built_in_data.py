"""Data and initial weights of built-in studies that a formula makes: ``python -m tests.sweep.study.built_in_data``."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parents[3] / "sweep" / "study" / "builtin"
Arrays = dict[str, Any]


def micrograd() -> Arrays:
    """Return the weights that the demo draws with Python's seed 1337, neuron by neuron."""
    draw = random.Random(1337)
    layers = [
        np.array([[draw.uniform(-1, 1) for _ in range(below)] for _ in range(size)]).T
        for below, size in pairwise([2, 16, 16, 1])
    ]
    return dict(zip(["w1", "w2", "v"], layers, strict=True))


def cs231n_spiral() -> Arrays:
    """Return the weights that follow those of three arms and of a linear classifier in NumPy's stream of seed 0."""
    state = np.random.RandomState(0)
    state.randn(3 * 100 + 2 * 3)
    return {"w": 0.01 * state.randn(2, 100), "v": 0.01 * state.randn(100, 3)}


def coursera_planar() -> Arrays:
    """Return the points of a flower of two colours, with functions of the C library."""
    state = np.random.RandomState(1)
    rows = []
    for j in range(2):
        angles = np.linspace(3.12 * j, 3.12 * (j + 1), 200) + 0.2 * state.randn(200)
        radii = 4 * np.array([math.sin(4 * angle) for angle in angles]) + 0.2 * state.randn(200)
        rows += [(r * math.sin(angle), r * math.cos(angle), float(j)) for r, angle in zip(radii, angles, strict=True)]
    return dict(zip(["x0", "x1", "y"], np.array(rows).T, strict=True))


def sparse_parity(first: int, last: int) -> Arrays:
    """Return some of 1,200 rows of 20 random signs, and the product of three of them."""
    state = np.random.RandomState(42)
    secret = state.choice(20, 3, replace=False)
    x = np.concatenate([state.choice([-1.0, 1.0], (rows, 20)) for rows in (1000, 200)])[first:last]
    return {f"x{k}": x[:, k] for k in range(20)} | {"y": x[:, secret].prod(axis=1)}


MADE: dict[str, Callable[[], Arrays]] = {
    "micrograd.npz": micrograd,
    "cs231n-spiral.npz": cs231n_spiral,
    "coursera-planar.parquet": coursera_planar,
    "sparse-parity.parquet": partial(sparse_parity, 0, 1000),
    "sparse-parity-test.parquet": partial(sparse_parity, 1000, 1200),
}


def write(file: Path, arrays: Arrays) -> None:
    """Write arrays by name, columns to Parquet."""
    if file.suffix == ".npz":
        np.savez_compressed(file, **arrays)
    else:
        pd.DataFrame(arrays).to_parquet(file, index=False)


if __name__ == "__main__":
    for name, make in MADE.items():
        write(FOLDER / name, make())
