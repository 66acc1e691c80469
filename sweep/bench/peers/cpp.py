"""Hand-written C++ with vector extensions, ``network.cpp``, built here with the system's compiler."""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
from pathlib import Path
from typing import ClassVar

import numpy as np

from sweep.bench.case import Array, Case
from sweep.bench.peers import MissingError, Peer

# Vectors side by side, units unrolled, and the form of ReLU: the best of 36 builds is among these.
BUILDS = tuple((vectors, *loops) for vectors in (2, 3, 4) for loops in ((2, 0), (2, 1), (2, 2), (64, 0)))
FLAGS = ("-O3", "-ffp-contract=off", "-std=c++17", "-pthread", "-shared", "-fPIC")


class Cpp(Peer):
    """Specialized to the case, for the CPU of ``NUMBA_CPU_NAME`` or this one, with strict arithmetic."""

    title: ClassVar[str] = "C++, vector extensions"
    activations: ClassVar[tuple[str, ...]] = ("relu",)  # a vector tanh needs another library
    variants: ClassVar[tuple[int, ...]] = tuple(range(len(BUILDS)))
    same_bits: ClassVar[bool] = True

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        values = dict(zip(("VECTORS", "UNROLL", "RELU"), BUILDS[variant], strict=True), HIDDEN=case.hidden)
        number, cpu = {"float64": "double", "float32": "float"}[case.dtype], os.environ.get("NUMBA_CPU_NAME", "native")
        definitions = [f"-DNUMBER={number}", *(f"-D{name}={value}" for name, value in values.items())]
        with tempfile.TemporaryDirectory(prefix="xor-sweep-bench-") as folder:
            files = [str(Path(__file__).with_name("network.cpp")), "-o", f"{folder}/network.so"]
            command = ["g++", f"-march={cpu.replace('generic', 'x86-64')}", *FLAGS, *definitions, *files]
            try:
                subprocess.run(command, capture_output=True, check=True)
            except (OSError, subprocess.CalledProcessError) as error:
                raise MissingError(f"g++ is missing or cannot build network.cpp: {error}") from None
            self._library = ctypes.CDLL(files[-1])

    @classmethod
    def describe(cls, variant: int) -> str:
        """Name a build."""
        return "{} vectors, unroll {}, ReLU form {}".format(*BUILDS[variant])

    @property
    def granularity(self) -> int:
        """Networks of one block."""
        return int(self._library.granularity())

    def train(self, weights: Array) -> Array:
        """Train blocks of networks on threads."""
        losses = np.empty(len(weights))
        arrays = [array.ctypes.data_as(ctypes.c_void_p) for array in (weights, losses)]
        counts = [ctypes.c_long(count) for count in (len(weights), self.case.steps, self.threads)]
        self._library.train(*arrays, *counts, ctypes.c_double(self.case.learning_rate))
        return losses
