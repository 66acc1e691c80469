"""What peers train: the same networks as xor-sweep, checked against the oracle."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from kernels.recipe import Architecture
from kernels.start.initialize import Start, initial_weights
from sweep.bench import peers
from sweep.bench.case import Array, Case
from sweep.bench.host import Host
from sweep.bench.measure import MOST_AGREE, agreement
from sweep.bench.operations import step_operations
from sweep.bench.peers import HOMES, OWN, MissingError, UnsupportedError
from tests import oracle

CASES = [
    Case(2, steps=40),
    Case(3, "float32", steps=30),
    Case(8, activation="tanh", steps=20),
    Case(5, "float32", "tanh", steps=20),
]


def oracle_losses(case: Case, weights: Array) -> Array:
    """Train with the oracle, for the fixed number of steps."""
    functions = {"tanh": np.tanh, "sigmoid": np.tanh}
    count = len(weights)
    return oracle.train(
        case.inputs,
        case.targets,
        weights,
        hidden=case.hidden,
        activation=case.activation,
        output="identity",
        loss="sse",
        criterion="none",
        bias=True,
        dtype=case.dtype,
        learning_rate=np.full(count, case.learning_rate),
        below=np.zeros(count),
        max_steps=np.full(count, case.steps),
        functions=functions,
    ).final_loss


@pytest.mark.parametrize("case", CASES, ids=str)
def test_networks_are_those_of_the_seeds(case: Case) -> None:
    """Network k starts where xor-sweep starts seed k; layers are views in its order."""
    drawn = case.initial_weights(9)
    networks = Architecture(2, 1, case.activation, "identity", bias=True), case.hidden, case.dtype
    np.testing.assert_array_equal(drawn, initial_weights(Start(), np.arange(9), *networks))
    w, v, b, c = case.split(drawn)
    assert (w.shape, v.shape, b.shape, c.shape) == ((9, 2, case.hidden), (9, case.hidden, 1), (9, case.hidden), (9, 1))
    rows = np.concatenate([w.reshape(9, -1), v[:, :, 0], b, c], axis=1)
    np.testing.assert_array_equal(rows, drawn)


@pytest.mark.parametrize("name", HOMES)
def test_peers_train_what_the_oracle_trains(name: str, tmp_path: Path) -> None:
    """Final losses agree with the oracle's: to the last bit where a peer says so, nearly otherwise.

    Each peer works in its own process, as in the benchmark. One whose library or tool
    is not installed is missing there too, and says so.
    """
    with Host(name, 2, tmp_path) as host:
        for case in CASES:
            try:
                kind = host.hello()
                _, count = host.train(case, min(map(int, kind["variants"])), 16)
            except MissingError as error:
                pytest.skip(f"{name} is not here: {error}")
            except UnsupportedError:
                assert case.activation != "relu"
                continue
            same_bits = kind["same_bits"] and case.activation == "relu"  # the oracle's tanh is NumPy's
            expected = oracle_losses(case, case.initial_weights(count))
            share = agreement(expected, host.losses(), case.dtype, same_bits)
            assert share >= (1.0 if same_bits else MOST_AGREE), case


# Each size of vectors with each number of them, and each form of ReLU with each unrolling; `make soak` takes all.
FEW_BUILDS = [0, 13, 26, 30, 43, 47, 60, 64, 77, 82, 95, 99]


@pytest.mark.parametrize("builds", [FEW_BUILDS, pytest.param(range(108), marks=pytest.mark.soak)], ids=["few", "all"])
def test_builds_of_the_cpp_peer_give_the_same_bits(builds: Sequence[int]) -> None:
    """However wide vectors are, the compiler unrolls and ReLU is made, losses are the oracle's."""
    if shutil.which("g++") is None:
        pytest.skip("g++, which builds this peer, is not installed")
    from sweep.bench.peers.cpp import BUILDS, Cpp

    assert len(BUILDS) == 108

    case = Case(2, "float32", steps=20)
    weights = case.initial_weights(192)
    expected = oracle_losses(case, weights)
    for variant in builds:
        peer = Cpp(case, variant, threads=3)
        count = len(weights) // peer.granularity * peer.granularity
        np.testing.assert_array_equal(peer.train(weights[:count].copy()), expected[:count])
        assert Cpp.describe(variant)


def test_agreement_counts_networks() -> None:
    """Equal, near, or both not finite; only networks that both trained count."""
    own = np.array([1.0, 2.0, np.inf, np.nan, 3.0])
    assert agreement(own, own, "float64", same_bits=True) == 1.0
    near = np.array([1.0, 2.0 + 1e-9, np.nan, np.inf])
    assert agreement(own, near, "float64", same_bits=True) == 0.75
    assert agreement(own, near, "float64", same_bits=False) == 1.0
    assert agreement(own, near + 1.0, "float64", same_bits=False) == 0.5


class Counted:
    """A number that counts the operations made of it, but not those that vanish."""

    total = 0

    def __init__(self, constant: float | None = None) -> None:
        self.constant = constant

    def _count(self, other: Counted, neutral: float) -> Counted:
        for one, two in ((self, other), (other, self)):
            if one.constant == neutral:
                return two
        Counted.total += 1
        return Counted()

    def __add__(self, other: Counted) -> Counted:  # noqa: D105
        return self._count(other, 0.0)

    def __sub__(self, other: Counted) -> Counted:  # noqa: D105
        return self._count(other, 0.0)

    def __mul__(self, other: Counted) -> Counted:  # noqa: D105
        return self if self.constant == 0.0 else other if other.constant == 0.0 else self._count(other, 1.0)


def count_step(case: Case) -> int:
    """Take one step in counted numbers, every sum spelt out from an empty one."""
    x = [[Counted(value) for value in row] for row in case.inputs.tolist()]
    target = [Counted(value) for (value,) in case.targets.tolist()]
    smooth = case.activation == "tanh"
    w = [[Counted() for _ in range(case.hidden)] for _ in range(2)]
    v, b = ([Counted() for _ in range(case.hidden)] for _ in range(2))
    c, rate, one, two = Counted(), Counted(), Counted(), Counted()
    Counted.total = 0
    patterns = range(len(x))
    u = [Counted(0.0) for _ in patterns]
    for h in range(case.hidden):
        for n in patterns:
            x[n][0] * w[0][h] + x[n][1] * w[1][h] + b[h]
            Counted.total += not smooth  # relu is one maximum, tanh is counted elsewhere
            u[n] = u[n] + Counted() * v[h]
    g = [(u[n] + c - target[n]) * two for n in patterns]
    for h in range(case.hidden):
        sums = [Counted(0.0) for _ in range(4)]
        for n in patterns:
            a, delta = Counted(), g[n] * v[h]
            delta = delta * (one - a * a) if smooth else delta
            Counted.total += not smooth  # a comparison
            terms = (x[n][0] * delta, x[n][1] * delta, a * g[n], delta)
            sums = [total + term for total, term in zip(sums, terms, strict=True)]
        for parameter, total in zip((w[0][h], w[1][h], v[h], b[h]), sums, strict=True):
            parameter - rate * total
    c - rate * (g[0] + g[1] + g[2] + g[3])
    return Counted.total


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("hidden", [1, 2, 8, 33])
def test_operations_are_those_of_a_counted_step(hidden: int, activation: str) -> None:
    """The formula counts what a step in numbers that count themselves does."""
    case = Case(hidden, activation=activation)
    assert step_operations(case) == count_step(case)


def test_peers_are_found_by_name() -> None:
    """Every name leads to a class with a title, and xor-sweep is one of them."""
    assert OWN in HOMES
    titles = []
    for name in HOMES:
        try:
            titles.append(peers.find_peer(name).title)
        except ImportError:
            continue
    assert len(titles) == len(set(titles)) >= 5
