"""Peers: a module for each other way to train many small networks, in the terms of its library."""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import ClassVar

import numpy as np

from sweep.bench.case import Array, Case

# The class of each peer.
HOMES = {
    "cpp": "cpp:Cpp",
    "numba": "numba_scalar:NumbaScalar",
    "jax-vmap": "jax_vmap:JaxVmap",
    "jax-tuned": "jax_tuned:JaxTuned",
    "torch-vmap": "torch_vmap:TorchVmap",
    "torch-compile": "torch_compile:TorchCompile",
    "torch-loop": "torch_loop:TorchLoop",
    "numpy-batch": "numpy_batch:NumpyBatch",
    "notebook": "notebook:Notebook",
    "sklearn": "sklearn_peer:Sklearn",
    "optuna": "optuna_peer:Optuna",
    "ray-tune": "ray_tune:RayTune",
}


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
    activations
        Those with which it trains XOR by gradient descent, and no other case; empty if it trains every case.
    variants
        Candidates for the best variant: batch sizes unless ``describe`` says otherwise. See
        also ``variants_for``.
    same_bits
        Whether losses must equal xor-sweep's, or only come close.
    """

    title: ClassVar[str]
    activations: ClassVar[tuple[str, ...]] = ("relu", "tanh")
    variants: ClassVar[tuple[int, ...]] = (1,)
    same_bits: ClassVar[bool] = False

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        if self.activations and not (case.is_plain_xor and case.activation in self.activations):
            names = " or ".join(self.activations)
            raise UnsupportedError(f"trains only XOR, by gradient descent, with {names} and one hidden layer")
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


def find_peer(name: str) -> type[Peer]:
    """Return the class of a peer; importing it may raise ImportError for what it needs."""
    module, _, attribute = HOMES[name].partition(":")
    peer: type[Peer] = getattr(import_module(f"sweep.bench.peers.{module}"), attribute)
    return peer
