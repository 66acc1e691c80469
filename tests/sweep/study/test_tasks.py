"""Built-in tasks against their definitions, and against figures that others published of them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from sweep import Study
from sweep.study.data.tasks import ARGUMENTS, TASKS, arguments_of, make_patterns
from tests.kernels.support import Array
from tests.kernels.test_micrograd import moons
from tests.sweep.support import refused


def made(task: str, **arguments: object) -> tuple[Array, Array]:
    """Return inputs and targets of a task as arrays."""
    inputs, targets = make_patterns(task, arguments)
    return np.array(inputs), np.array(targets)


def bits(count: int) -> Array:
    """Return all patterns of bits by another way: bit 0 changes fastest."""
    return np.array(list(itertools.product((0.0, 1.0), repeat=count)))[:, ::-1]


@pytest.mark.parametrize("name", TASKS)
def test_arguments_are_declared(name: str) -> None:
    """Each is a key of [data], with a default that it allows."""
    for argument, default in arguments_of(name).items():
        assert isinstance(default, type) or ARGUMENTS[argument].allows(default)


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_parity(count: int) -> None:
    """The number of set bits is odd."""
    inputs, targets = made("parity", bits=count, coding="pm1", target_low=-1, target_high=1)
    np.testing.assert_array_equal(inputs, 2 * bits(count) - 1)
    np.testing.assert_array_equal(targets[:, 0], -np.prod(1 - 2 * bits(count), axis=1))


def test_boolean() -> None:
    """The number of a function is read off its table, and all functions differ."""
    for name, number in (("and", 8), ("or", 14), ("xor", 6)):
        inputs, targets = made(name, coding="pm1")
        place = np.lexsort(inputs.T)  # by the last input, then the first
        expected = made("boolean", bits=2, function=number, coding="pm1")
        np.testing.assert_array_equal(inputs[place], expected[0])
        np.testing.assert_array_equal(targets[place], expected[1])
    tables = {tuple(made("boolean", bits=3, function=number)[1].ravel()) for number in range(256)}
    assert len(tables) == 256
    np.testing.assert_array_equal(made("boolean", bits=3, function=150)[1], made("parity", bits=3)[1])


def test_symmetry() -> None:
    """Of 64 patterns the 8 that read the same backward."""
    inputs, targets = made("symmetry")
    np.testing.assert_array_equal(inputs, 2 * bits(6) - 1)
    np.testing.assert_array_equal(targets[:, 0], (inputs[:, :3] == inputs[:, :2:-1]).all(axis=1))
    assert targets.sum() == 8


def test_negation() -> None:
    """The last input tells whether to invert the others."""
    inputs, targets = made("negation", bits=3)
    np.testing.assert_array_equal(inputs, bits(4))
    np.testing.assert_array_equal(targets, np.abs(inputs[:, :3] - inputs[:, 3:]))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_addition(count: int) -> None:
    """Numbers and their sum, of which bit 0 comes first."""
    inputs, targets = made("addition", bits=count)
    weights = 2.0 ** np.arange(count)
    np.testing.assert_array_equal(inputs, bits(2 * count))
    sums = inputs[:, :count] @ weights + inputs[:, count:] @ weights
    np.testing.assert_array_equal(targets @ 2.0 ** np.arange(count + 1), sums)


def test_encoder() -> None:
    """Targets are the inputs, in the coding of targets."""
    inputs, targets = made("encoder", n=5, coding="pm1", target_low=0.1, target_high=0.9)
    np.testing.assert_array_equal(inputs, 2 * np.eye(5) - 1)
    np.testing.assert_array_equal(targets, np.where(np.eye(5) == 1, 0.9, 0.1))


def test_moons() -> None:
    """They are scikit-learn's but for last bits; micrograd's losses on them are published, see the imported test."""
    inputs, targets = made("moons", n=50, noise=0.1, data_seed=1337, target_low=-1)
    np.testing.assert_allclose(inputs, moons()[0], rtol=0, atol=1e-15)
    np.testing.assert_array_equal(targets, moons()[1])
    assert np.hypot(*made("moons", n=9)[0][made("moons", n=9)[1][:, 0] == 0].T) == pytest.approx(1)


def test_spiral() -> None:
    """A linear classifier that starts in the same stream of numbers has the losses published for CS231n."""
    inputs, targets = made("spiral")
    stream = np.random.RandomState(0)
    stream.randn(300)
    weights, biases, losses = 0.01 * stream.randn(2, 3), np.zeros(3), []
    for _ in range(200):
        scores = np.exp(inputs @ weights + biases)
        share = scores / scores.sum(axis=1, keepdims=True)
        losses.append(-np.log(share[targets == 1]).mean() + 0.0005 * (weights**2).sum())
        delta = (share - targets) / len(inputs)
        weights -= inputs.T @ delta + 0.001 * weights
        biases -= delta.sum(axis=0)
    assert [round(losses[k], 6) for k in (0, 10, 20, 190)] == [1.096919, 0.917310, 0.851535, 0.786302]


def test_noise() -> None:
    """Patterns are drawn one after the other."""
    inputs, targets = made("noise", n=272, n_inputs=16)
    np.testing.assert_array_equal(np.hstack([inputs, targets]), np.random.RandomState(0).randn(272, 17))


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        ({"task": "xro"}, ("data", "unknown task 'xro'", "did you mean 'xor'", "seed")),
        ({"task": "xor", "file": "a.csv"}, ("data", "one of task (as in task = 'xor'), file", "got task and file")),
        ({"task": "xor", "targets": [[1], [1], [1], [1]]}, ("data", "targets")),
        ({"task": "parity"}, ("data: bits is missing; task 'parity' needs an integer from 1 to 16",)),
        (
            {"task": "xor", "bits": 2},
            ("data: task 'xor' does not take bits, got 2; its arguments are: coding, target_low",),
        ),
        ({"task": "parity", "bits": 17}, ("data: bits must be an integer from 1 to 16, got 17",)),
        ({"task": "parity", "bits": [2, 3]}, ("data: bits", "got [2, 3]", "an integer")),
        ({"task": "parity", "bits": 2, "coding": "10"}, ("data: coding must be one of 01, pm1, got '10'",)),
        ({"task": "parity", "bits": 2, "target_low": float("nan")}, ("data: target_low", "got nan", "a finite number")),
        ({"task": "boolean", "bits": 2, "function": 16}, ("data: function must be at most 15 with 2 bits, got 16",)),
        ({"task": "boolean", "bits": 6, "function": 1}, ("data: bits must be at most 5 with task 'boolean', got 6",)),
        ({"task": "addition", "bits": 9}, ("data: must be at most 65,536 patterns, got 262,144",)),
        ({"task": "encoder", "n": 1025}, ("data: n must be at most 1024", "got 1025")),
        ({"task": "moons", "n": 40_000}, ("data: must be at most 65,536 patterns, got 80,000",)),
        ({"task": "noise", "n": 65_536, "n_inputs": 1024}, ("got n 65536 times 1024 inputs", "4,194,304")),
        ({"inputs": [[0]], "targets": [0], "bits": 1}, ("data: bits must be used with task, got inputs",)),
    ],
)
def test_what_is_refused(data: dict[str, Any], parts: tuple[str, ...]) -> None:
    """A fault is one sentence with the key, the value and what is allowed."""
    with refused("data", *parts):
        Study(data=data, network={"hidden": 2}, training={"learning_rate": 0.1})


@pytest.mark.parametrize(("problem", "count", "n_true"), [(1, 124, 62), (2, 169, 64), (3, 122, 60)])
def test_monks(problem: int, count: int, n_true: int) -> None:
    """There are as many robots to train on, and as many of the class, as in the files of the UCI repository."""
    inputs, targets = make_patterns("monks", {"problem": problem})
    every, truth = make_patterns("monks_all", {"problem": problem})
    assert (len(inputs), len(inputs[0]), sum(row[0] for row in targets)) == (count, 17, n_true)
    assert len(set(every)) == 432
    assert all(sum(row) == 6 for row in every)
    known = dict(zip(every, truth, strict=True))
    n_wrong = sum(known[x] != y for x, y in zip(inputs, targets, strict=True))
    assert n_wrong == (6 if problem == 3 else 0)
    assert sum(row[0] for row in truth) == {1: 216, 2: 142, 3: 228}[problem]


def test_first_robots_of_monks() -> None:
    """The first lines of monks-1.train are '1 1 1 1 1 3 1' and '1 1 1 1 1 3 2', the class first."""
    inputs, targets = make_patterns("monks", {"problem": 1, "target_low": -1, "coding": "pm1"})
    expected = [
        [1, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0],
        [1, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1],
    ]
    assert [list(row) for row in inputs[:2]] == [[2 * bit - 1 for bit in row] for row in expected]
    assert targets[0] == (1.0,)
    assert {row[0] for row in targets} == {-1.0, 1.0}
