"""What peers train: the same networks as xor-sweep, checked against the oracle."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sweep
from kernels.start.initialize import Start, initial_weights
from sweep.bench.bench_host import Checkout, Host
from sweep.bench.case import CASES, Array, Case
from sweep.bench.measurement import MOST_AGREE, agreement
from sweep.bench.peers import HOMES, MissingError, UnsupportedError
from sweep.bench.runner import HERE
from tests import oracle
from tests.kernels.support import compiled_only

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
    ours = initial_weights(Start(), np.arange(9), case.architecture, case.hidden, case.dtype)
    np.testing.assert_array_equal(drawn, ours)
    (w, b), (v, c) = case.split(drawn)
    assert (w.shape, v.shape, b.shape, c.shape) == ((9, 2, case.hidden), (9, case.hidden, 1), (9, case.hidden), (9, 1))
    rows = np.concatenate([w.reshape(9, -1), v[:, :, 0], b, c], axis=1)
    np.testing.assert_array_equal(rows, drawn)


def assert_as_oracle(host: Host, case: Case) -> None:
    """Compare final losses with the oracle's: to the last bit where a side claims it, nearly otherwise."""
    kind = host.hello(case)
    _, count = host.train(case, min(map(int, kind["variants"])), 16)
    exact = (case.activation, case.output) == ("relu", "identity")  # the oracle's tanh is NumPy's
    same_bits = kind["same_bits"] and exact
    share = agreement(oracle_losses(case, case.initial_weights(count)), host.losses(), case.dtype, same_bits)
    assert share >= (1.0 if same_bits else MOST_AGREE), case


@pytest.mark.wide
@pytest.mark.parametrize("name", HOMES)
def test_peers_train_what_the_oracle_trains(name: str, tmp_path: Path) -> None:
    """Each peer works in its own process, as in the benchmark. One whose library or tool is missing is skipped."""
    with Host(name, 1, tmp_path) as host:
        for case in XOR + NAMED:
            try:
                assert_as_oracle(host, case)
            except MissingError as error:
                pytest.skip(f"{name} is not here: {error}")
            except UnsupportedError:
                assert case in NAMED or (case.activation != "relu" and name in ("cpp", "numba"))


@pytest.mark.wide
@pytest.mark.parametrize("stride", [3, pytest.param(1, marks=pytest.mark.soak)])
def test_xor_sweep_trains_what_the_oracle_trains(stride: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Studies of the cases do, interpreted: each kernel would take seconds to compile."""
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    with Checkout("here", HERE, 1, tmp_path) as host:
        for case in (XOR + NAMED)[::stride]:
            assert_as_oracle(host, case)


@pytest.mark.parametrize("case", NAMED, ids=lambda case: case.name)
def test_named_cases_are_consistent(case: Case) -> None:
    """Layers are views in the order of xor-sweep, and steps take whole windows."""
    drawn = case.initial_weights(3)
    layers = case.split(drawn)
    parts = [*(layer.weights for layer in layers), *(layer.biases for layer in layers if layer.biases is not None)]
    np.testing.assert_array_equal(np.concatenate([part.reshape(3, -1) for part in parts], axis=1), drawn)
    assert len({len(x) for x, _ in case.windows}) == 1
    assert CASES[case.name].steps % len(case.windows) == 0
    assert not case.is_plain_xor


@pytest.mark.wide
@compiled_only
@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("relu-parity")])
def test_almost_no_network_of_a_case_diverges(name: str) -> None:
    """A diverging network would end early in xor-sweep alone, and seem fast."""
    n_networks = 8 if name in LARGE else 256
    runs = sweep.run(sweep.Study(**CASES[name].study_tables(n_networks))).runs(["final_loss"])
    assert np.isfinite(runs["final_loss"]).all()


def test_batches_are_smaller_where_networks_are_larger() -> None:
    """Activations of a batch take about as much memory in every case."""
    jax_vmap = pytest.importorskip("sweep.bench.peers.jax_vmap", reason="the extra bench is not installed")
    variants_for = jax_vmap.JaxVmap.variants_for
    assert variants_for(CASES["xor-adam"]) == variants_for(CASES["deep-adam"]) == jax_vmap.JaxVmap.variants
    assert variants_for(CASES["trainability"]) == (1, 4, 16, 64, 256)


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
