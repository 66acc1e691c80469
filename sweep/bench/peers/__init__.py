"""Peers: one class for each other way to train many small networks.

Every peer expresses a case in its library's terms. Peers that were written for one kind of
network, to be as fast as possible, refuse the others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import ClassVar

import numpy as np

from kernels.recipe import sizes_of
from sweep.bench.case import Array, Case

# The class of each peer. xor-sweep itself is one of them.
HOMES = {
    "xor-sweep": "sweep.bench.peers.own:XorSweep",
    "sweep-run": "sweep.bench.peers.own:SweepRun",
    "cpp": "sweep.bench.peers.cpp:Cpp",
    "numba": "sweep.bench.peers.numba_scalar:NumbaScalar",
    "jax-vmap": "sweep.bench.peers.jax_peers:JaxVmap",
    "jax-lanes": "sweep.bench.peers.jax_peers:JaxLanes",
    "jax-tuned": "sweep.bench.peers.jax_tuned:JaxTuned",
    "torch-bmm": "sweep.bench.peers.torch_peers:TorchBmm",
    "torch-vmap": "sweep.bench.peers.torch_peers:TorchVmap",
    "torch-compile": "sweep.bench.peers.torch_peers:TorchCompile",
    "torch-loop": "sweep.bench.peers.torch_peers:TorchLoop",
    "numpy-batch": "sweep.bench.peers.numpy_peers:NumpyBatch",
    "notebook": "sweep.bench.peers.numpy_peers:Notebook",
    "sklearn": "sweep.bench.peers.sklearn_peer:Sklearn",
    "optuna": "sweep.bench.peers.tuners:Optuna",
    "ray-tune": "sweep.bench.peers.tuners:RayTune",
}
OWN = "xor-sweep"


class MissingError(Exception):
    """A peer needs something that this machine lacks; the message says what."""


class UnsupportedError(Exception):
    """A peer cannot train this case; the message says why."""


class Peer(ABC):
    """One way to train many networks of one case.

    Parameters
    ----------
    case
        What to train.
    variant
        One of ``variants``.
    threads
        The largest number of threads.

    Raises
    ------
    MissingError
        If a library or tool is missing.
    UnsupportedError
        If the peer cannot train the case.

    Attributes
    ----------
    title
        For tables.
    variants
        Candidates for the best variant: batch sizes unless ``describe`` says otherwise. See
        also ``variants_for``.
    same_bits
        Whether losses must equal xor-sweep's, or only come close.
    takes_weights
        Whether the peer takes initial weights; otherwise it draws them, and the time of drawing counts.
    """

    title: ClassVar[str]
    variants: ClassVar[tuple[int, ...]] = (1,)
    same_bits: ClassVar[bool] = False
    takes_weights: ClassVar[bool] = True

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        self.case = case
        self.variant = variant
        self.threads = threads

    @classmethod
    def variants_for(cls, case: Case) -> tuple[int, ...]:
        """Return the variants to try on a case."""
        return cls.variants

    @classmethod
    def describe(cls, variant: int) -> str:
        """Name a variant."""
        return f"batch {variant:,}" if len(cls.variants) > 1 else ""

    @property
    def granularity(self) -> int:
        """Networks must come in multiples of this many."""
        return self.variant

    @abstractmethod
    def train(self, weights: Array) -> Array:
        """Train networks from ``weights`` (networks, parameters); return their final losses (networks,)."""


class BatchPeer(Peer):
    """A peer that trains batch after batch, with an equal share in each Python thread.

    Arrays that fit into a cache are too small to be shared by the threads of a library,
    and libraries release the GIL while they work on one.
    """

    @classmethod
    def variants_for(cls, case: Case) -> tuple[int, ...]:
        """Return sizes of a batch."""
        return batches_for(case, cls.variants)

    @abstractmethod
    def train_batch(self, weights: Array) -> Array:
        """Train ``granularity`` networks; return their final losses."""

    def train(self, weights: Array) -> Array:
        """Train all batches."""
        losses = np.empty(len(weights), weights.dtype)
        size = self.granularity

        def train_share(thread: int) -> None:
            for start in range(thread * size, len(weights), self.threads * size):
                losses[start : start + size] = self.train_batch(weights[start : start + size])

        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(train_share, range(self.threads)))
        return losses


def batches_for(case: Case, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Return batch sizes: those for XOR, scaled down by the number of activations of ``case``."""
    activations = len(case.windows[0][0]) * sum(sizes_of(case.hidden))
    scale = 2 ** max(0, (activations // 64).bit_length() - 1)
    return tuple(dict.fromkeys(max(1, size // scale) for size in sizes))


def refuse_all_but_xor(case: Case, who: str, activations: tuple[str, ...] = ("relu", "tanh")) -> None:
    """Raise UnsupportedError for all but XOR by plain gradient descent with one of ``activations``."""
    if not case.is_plain_xor:
        raise UnsupportedError(f"{who} supports only XOR by gradient descent")
    if case.activation not in activations:
        raise UnsupportedError(f"{who} has {' and '.join(activations)} only")


def find_peer(name: str) -> type[Peer]:
    """Return the class of a peer; importing it may raise ImportError for what it needs."""
    module, _, attribute = HOMES[name].partition(":")
    peer: type[Peer] = getattr(import_module(module), attribute)
    return peer
