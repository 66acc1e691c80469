"""Data and initial weights of built-in studies.

``python -m tests.sweep.study.built_in_data`` writes those that a formula makes, and with a folder of original files
those that were published as files.
"""

from __future__ import annotations

import hashlib
import math
import random
import re
import sys
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

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


def hinton_t_c() -> Arrays:
    """Return for each of ten seeds the weights of four detectors, copied to the 16 places of their fields of 3 x 3."""
    w, v = np.zeros((10, 3, 3, 4, 4, 4)), np.zeros((10, 4, 16, 1))
    for seed in range(10):
        draw = np.random.default_rng(seed)
        fields = 0.5 * draw.standard_normal((4, 3, 3))
        v[seed] = 0.5 * draw.standard_normal((4, 1, 1))
        for i, j in np.ndindex(4, 4):  # the middle 3 x 3 of a retina of 6 x 6 begins at (1, 1)
            for row, column in np.ndindex(3, 3):
                if 0 <= 1 + row - i < 3 and 0 <= 1 + column - j < 3:
                    w[seed, row, column, :, i, j] = fields[:, 1 + row - i, 1 + column - j]
    return {"w": w.reshape(10, 9, 64), "v": v.reshape(10, 64, 1)}


def coursera_planar() -> Arrays:
    """Return the points of a flower of two colors, with functions of the C library."""
    state = np.random.RandomState(1)
    rows = []
    for j in range(2):
        angles = np.linspace(3.12 * j, 3.12 * (j + 1), 200) + 0.2 * state.randn(200)
        radii = 4 * np.array([math.sin(4 * angle) for angle in angles]) + 0.2 * state.randn(200)
        rows += [(r * math.sin(angle), r * math.cos(angle), float(j)) for r, angle in zip(radii, angles, strict=True)]
    return dict(zip(["x0", "x1", "y"], np.array(rows).T, strict=True))


def nnfs() -> Arrays:
    """Return a spiral to train on and one to test with, in float32 as the package does; weights are drawn between."""
    state = np.random.RandomState(0)
    rows = []
    for use in ("train", "test"):
        for arm in range(3):
            radii, angles = np.linspace(0, 1, 100), np.linspace(4 * arm, 4 * (arm + 1), 100)
            angles = angles + state.randn(100).astype(np.float32) * np.float32(0.2)
            rows += [
                (r * math.sin(2.5 * t), r * math.cos(2.5 * t), arm, use) for r, t in zip(radii, angles, strict=True)
            ]
        state.randn(2 * 64 + 64 * 3)
    x0, x1, arms, uses = zip(*rows, strict=True)
    points = {name: np.array(values, np.float32).astype(np.float64) for name, values in (("x0", x0), ("x1", x1))}
    return points | {"y": np.array(arms), "split": np.array(uses)}


def sparse_parity(first: int, last: int) -> Arrays:
    """Return some of 1,200 rows of 20 random signs, and the product of three of them."""
    state = np.random.RandomState(42)
    secret = state.choice(20, 3, replace=False)
    x = np.concatenate([state.choice([-1.0, 1.0], (rows, 20)) for rows in (1000, 200)])[first:last]
    return {f"x{k}": x[:, k] for k in range(20)} | {"y": x[:, secret].prod(axis=1)}


def mnist1d() -> Arrays:
    """Return 16,000 examples of MNIST-1D, in float32 as its notebook on double descent trains on them.

    An example is the curve of a digit, padded with zeros, stretched, scaled, shifted round and sheared. Where it is 0
    it becomes smooth noise, and white noise is added everywhere.
    """
    random = np.random.RandomState(42)
    curves = np.array(_DIGITS) - np.mean(_DIGITS, axis=1, keepdims=True)
    curves /= curves.std(axis=1, keepdims=True)
    curves = (curves - curves[:, :1]) / 6 + 1e-8  # so that no point of a curve is zero
    count, length = 1600, 72
    places, ends = np.linspace(0, 1, length), np.linspace(-0.5, 0.5, length)
    shifted, smooth, white, slopes = [], [], [], []
    for curve in curves.repeat(count, axis=0):
        padded = np.append(curve, np.zeros(36 + int(25 * random.rand())))
        stretched = np.interp(places, np.linspace(0, 1, len(padded)), padded) * (1 + 0.4 * (random.rand() - 0.5))
        shifted.append(np.roll(stretched, random.choice(48)))
        smooth.append(0.25 * random.randn(length))
        white.append(0.02 * random.randn(length))
        slopes.append(0.75 * (random.rand() - 0.5))
    found = np.where(np.equal(shifted, 0), smoothed(np.array(smooth)), shifted) + white - np.outer(slopes, ends)
    examples = np.array([np.interp(np.linspace(0, 1, 40), places, row) for row in found])
    order = random.permutation(len(examples))
    x = examples[order]
    x = ((x - x.mean()) / x.std()).astype(np.float32)
    return {f"x{k}": x[:, k] for k in range(40)} | {
        "digit": np.arange(10, dtype=np.int8).repeat(count)[order],
        "split": np.repeat(["train", "test"], [4000, 12000]),
    }


def smoothed(rows: Any) -> Any:
    """Return rows averaged by a normal density of standard deviation 2, cut off at 8; beyond their ends they mirror."""
    weights = np.exp(-0.5 * (np.arange(-8, 9) / 2) ** 2)
    mirrored = np.pad(rows, ((0, 0), (8, 8)), mode="symmetric")
    return sum(w * mirrored[:, k : k + rows.shape[1]] for k, w in enumerate(weights / weights.sum()))


# Heights of the curves of 0 to 9.
_DIGITS = [
    [5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5],
    [5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5],
    [5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5],
    [5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5],
    [5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5],
    [5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5],
    [5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5],
    [5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5],
    [5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5],
    [5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5],
]


MADE: dict[str, Callable[[], Arrays]] = {
    "micrograd.npz": micrograd,
    "cs231n-spiral.npz": cs231n_spiral,
    "hinton-t-c.npz": hinton_t_c,
    "coursera-planar.parquet": coursera_planar,
    "nnfs.parquet": nnfs,
    "sparse-parity.parquet": partial(sparse_parity, 0, 1000),
    "sparse-parity-test.parquet": partial(sparse_parity, 1000, 1200),
    "mnist1d.parquet": mnist1d,
}


# Files that hold source, license and the SHA-256 of the original files from which they were converted.
CONVERTED = sorted({file.name for file in FOLDER.iterdir() if file.suffix in (".npz", ".parquet")} - MADE.keys())


def sonar(mines: str, rocks: str) -> Arrays:
    """Return the returns in the order of the files; a star marks those of the training set."""
    found = [(kind, *match) for kind, text in (("M", mines), ("R", rocks)) for match in _RETURN.findall(text)]
    x = np.array([[float(number) for number in numbers.split()] for _, _, numbers in found])
    columns = {f"x{k}": x[:, k] for k in range(60)}
    return columns | {"kind": [kind for kind, *_ in found], "split": [_USES[star] for _, star, _ in found]}


_RETURN = re.compile(r"(\*?)C[MR]\d+:\s*\{([^}]*)\}")
_USES = {"*": "train", "": "test"}


def proben1(text: str) -> Arrays:
    """Return the inputs, the class of each example, and its use: the file counts examples in its head."""
    lines = [line for line in text.splitlines() if line]
    head = {key: int(number) for key, number in (line.split("=") for line in lines[:7])}
    rows = np.array([line.split() for line in lines[7:]], float)
    n_inputs = head["bool_in"] + head["real_in"]
    uses = ("train", "validation", "test")
    columns = {f"x{k}": rows[:, k] for k in range(n_inputs)} | {"y": rows[:, n_inputs:].argmax(axis=1)}
    counts = [head[f"{'training' if use == 'train' else use}_examples"] for use in uses]
    return columns | {"split": np.repeat(uses, counts).tolist()}


def convert(name: str, folder: Path) -> None:
    """Write a file beside the studies again, from its originals in a folder; whole numbers take a byte each."""
    origin = pq.read_metadata(FOLDER / name).metadata
    of_proben1 = name.removeprefix("proben1-").replace(".parquet", ".dt")
    originals = ["sonar.mines", "sonar.rocks"] if name == "sonar.parquet" else [of_proben1]
    contents = [(folder / original).read_bytes() for original in originals]
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    assert digests == origin[b"sha256"].decode().split(), "other originals"
    columns = (sonar if name == "sonar.parquet" else proben1)(*(content.decode() for content in contents))
    for key, values in columns.items():
        if isinstance(values, np.ndarray) and (values == values.round()).all():
            columns[key] = values.astype(np.int8)
    table = pa.table(columns)
    options: dict[str, Any] = {"compression": "zstd", "compression_level": 19, "write_statistics": False}
    with pq.ParquetWriter(FOLDER / name, table.schema, store_schema=False, **options) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(origin)


def write(file: Path, arrays: Arrays) -> None:
    """Write arrays by name, columns to Parquet."""
    if file.suffix == ".npz":
        np.savez_compressed(file, **arrays)
    else:
        frame = pd.DataFrame(arrays)
        floats = [*frame.select_dtypes("floating")]
        others = [*frame.columns.difference(floats)]
        options: dict[str, Any] = {"compression": "zstd", "use_byte_stream_split": floats, "use_dictionary": others}
        frame.to_parquet(file, index=False, compression_level=19, **options)


if __name__ == "__main__":
    for name, make in MADE.items():
        write(FOLDER / name, make())
    for folder in sys.argv[1:]:
        for name in CONVERTED:
            convert(name, Path(folder))
