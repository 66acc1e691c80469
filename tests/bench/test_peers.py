"""What peers train: the same networks as xor-sweep, checked against the oracle."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sweep.bench import peers
from sweep.bench.bench_host import Host
from sweep.bench.case import CASES, Array, Case
from sweep.bench.measurement import MOST_AGREE, agreement
from sweep.bench.peers import HOMES, OWN, MissingError, UnsupportedError
from sweep.bench.peers.numpy_peers import Notebook, NumpyBatch
from sweep.bench.peers.own import draw
from tests import oracle

XOR = [
    Case(2, steps=40),
    Case(3, "float32", steps=30),
    Case(8, activation="tanh", steps=20),
    Case(5, "float32", "tanh", steps=20),
]
# Few steps, and few units on many patterns: the oracle, and xor-sweep uncompiled, take each operation by itself.
LARGE = {"trainability": 3, "deep-noise": (3, 2)}
NAMED = [replace(case, steps=10) for name, case in CASES.items() if name != "xor" and name not in LARGE]
NAMED += [replace(CASES[name], hidden=hidden, steps=2) for name, hidden in LARGE.items()]
OURS = (OWN, "sweep-run")
XOR_ONLY = {"cpp", "numba", "jax-lanes", "jax-tuned", "torch-bmm", "torch-compile", "sklearn"}


def oracle_losses(case: Case, weights: Array) -> Array:
    """Train with the oracle, for the fixed number of steps."""
    return oracle.train(
        case.inputs,
        case.targets,
        weights,
        dtype=case.dtype,
        functions={"tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z))},
        criterion="none",
        **{name: getattr(case, name) for name in ("hidden", "activation", "output", "bias", "scaling", "gain")},
        **{name: getattr(case, name) for name in ("loss", "reduction", "optimizer", "batch", "learning_rate")},
        max_steps=case.steps,
    ).final_loss


@pytest.mark.parametrize("case", XOR, ids=str)
def test_networks_are_those_of_the_seeds(case: Case) -> None:
    """Network k starts where xor-sweep starts seed k; layers are views in its order."""
    drawn = case.initial_weights(9)
    np.testing.assert_array_equal(drawn, draw(case, np.arange(9)))
    (w, b), (v, c) = case.split(drawn)
    assert (w.shape, v.shape, b.shape, c.shape) == ((9, 2, case.hidden), (9, case.hidden, 1), (9, case.hidden), (9, 1))
    rows = np.concatenate([w.reshape(9, -1), v[:, :, 0], b, c], axis=1)
    np.testing.assert_array_equal(rows, drawn)


@pytest.mark.wide
@pytest.mark.parametrize(
    ("name", "stride"),
    [(name, 3 if name in OURS else 1) for name in HOMES]
    + [pytest.param(name, 1, marks=pytest.mark.soak) for name in OURS],
)
def test_peers_train_what_the_oracle_trains(
    name: str, stride: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Final losses agree with the oracle's: to the last bit where a peer claims it, nearly otherwise.

    Each peer works in its own process, as in the benchmark. One whose library or tool
    is not installed is skipped. xor-sweep itself runs interpreted (in the soak on each case): it needs
    no compiled kernels, each of which would take seconds.
    """
    if name in OURS:
        monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    with Host(name, 1, tmp_path) as host:
        for case in (XOR + NAMED)[::stride]:
            try:
                kind = host.hello(case)
                _, count = host.train(case, min(map(int, kind["variants"])), 16)
            except MissingError as error:
                pytest.skip(f"{name} is not here: {error}")
            except UnsupportedError:
                assert name in XOR_ONLY
                assert case in NAMED or case.activation != "relu"
                continue
            exact = (case.activation, case.output) == ("relu", "identity")  # the oracle's tanh is NumPy's
            same_bits = kind["same_bits"] and exact
            expected = oracle_losses(case, case.initial_weights(count))
            share = agreement(expected, host.losses(), case.dtype, same_bits)
            assert share >= (1.0 if same_bits else MOST_AGREE), case


@pytest.mark.parametrize("case", NAMED, ids=lambda case: case.name)
def test_named_cases_are_consistent(case: Case) -> None:
    """Layers are views in the order of xor-sweep, steps take whole windows, and the notebook's loop learns."""
    drawn = case.initial_weights(3)
    layers = case.split(drawn)
    parts = [*(layer.weights for layer in layers), *(layer.biases for layer in layers if layer.biases is not None)]
    np.testing.assert_array_equal(np.concatenate([part.reshape(3, -1) for part in parts], axis=1), drawn)
    assert len({len(x) for x, _ in case.windows}) == 1
    assert CASES[case.name].steps % len(case.windows) == 0
    assert not case.is_plain_xor
    long, short = (Notebook(replace(case, steps=steps), 1, 1).train(drawn) for steps in (100, 0))
    assert (long < short).all()


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("relu-parity")])
def test_almost_no_network_of_a_case_diverges(name: str) -> None:
    """A diverging network would end early in xor-sweep alone, and seem fast."""
    n_networks = 8 if name in LARGE else 256
    losses = NumpyBatch(CASES[name], n_networks, 1).train(CASES[name].initial_weights(n_networks))
    assert np.isfinite(losses).all()


def test_batches_are_smaller_where_networks_are_larger() -> None:
    """Activations of a batch take about as much memory in every case."""
    assert NumpyBatch.variants_for(CASES["xor-adam"]) == NumpyBatch.variants
    assert NumpyBatch.variants_for(CASES["deep-adam"]) == NumpyBatch.variants
    assert NumpyBatch.variants_for(CASES["trainability"]) == (1, 4, 16, 64, 256)


@pytest.mark.wide
def test_builds_of_the_cpp_peer_give_the_same_bits() -> None:
    """Losses are the oracle's for any number of vectors, unrolling and form of ReLU."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    from sweep.bench.peers.cpp import BUILDS, Cpp

    case = Case(2, "float32", steps=20)
    weights = case.initial_weights(192)
    expected = oracle_losses(case, weights)
    for variant in range(len(BUILDS)):
        peer = Cpp(case, variant, threads=3)
        count = len(weights) // peer.granularity * peer.granularity
        np.testing.assert_array_equal(peer.train(weights[:count].copy()), expected[:count])
        assert Cpp.describe(variant)


def test_agreement_counts_networks() -> None:
    """Losses agree if they are equal, near or both not finite; only networks that both sides trained count."""
    own = np.array([1.0, 2.0, np.inf, np.nan, 3.0])
    assert agreement(own, own, "float64", same_bits=True) == 1.0
    near = np.array([1.0, 2.0 + 1e-9, np.nan, np.inf])
    assert agreement(own, near, "float64", same_bits=True) == 0.75
    assert agreement(own, near, "float64", same_bits=False) == 1.0
    assert agreement(own, near + 1.0, "float64", same_bits=False) == 0.5


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
