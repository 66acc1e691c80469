"""Hand-written C++ with vector extensions, built here with the system's compiler."""

from __future__ import annotations

import atexit
import ctypes
import itertools
import os
import shutil
import subprocess
import tempfile
from functools import cache
from importlib import resources
from pathlib import Path
from typing import ClassVar

import numpy as np

from sweep.bench.case import Array, Case
from sweep.bench.peers import MissingError, Peer, refuse_all_but_xor

# How far the loops over hidden units unroll, and the form of ReLU; and how many vectors of one register go side
# by side. Of 36 builds in all of these forms the best was one of these 12 at 2, 8 and 32 units, with AVX-512 and
# with AVX2 (Xeon, November 2026): ReLU by integers with AVX-512, by gates or plainly with AVX2, where 8 units are
# best unrolled as a whole.
RELU = ("maximum", "maximum of integers", "gated products")
LOOPS = ((2, 0), (2, 1), (2, 2), (64, 0))
BUILDS = tuple(itertools.product((2, 3, 4), LOOPS))
FLAGS = ("-O3", "-ffp-contract=off", "-std=c++17", "-pthread", "-shared", "-fPIC")


def _target() -> str:
    """Return the CPU to build for: that of ``NUMBA_CPU_NAME``, as for xor-sweep's kernels, or this one."""
    name = os.environ.get("NUMBA_CPU_NAME", "native")
    return "x86-64" if name == "generic" else name


class Cpp(Peer):
    """``network.cpp``, specialized to the case, with strict arithmetic."""

    title: ClassVar[str] = "C++, vector extensions"
    variants: ClassVar[tuple[int, ...]] = tuple(range(len(BUILDS)))
    same_bits: ClassVar[bool] = True

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        refuse_all_but_xor(case, "the C++ peer", ("relu",))  # a vector tanh needs another library
        vectors, (unroll, relu) = BUILDS[variant]
        number = {"float64": "double", "float32": "float"}[case.dtype]
        self._library = _build(
            f"-DNUMBER={number}",
            f"-DHIDDEN={case.hidden}",
            f"-DVECTORS={vectors}",
            f"-DUNROLL={unroll}",
            f"-DRELU={relu}",
        )
        self._library.granularity.restype = ctypes.c_long

    @classmethod
    def describe(cls, variant: int) -> str:
        """Name a build."""
        vectors, (unroll, relu) = BUILDS[variant]
        return f"{vectors} vectors, unroll {unroll}, ReLU by {RELU[relu]}"

    @property
    def granularity(self) -> int:
        """Networks of one block."""
        return int(self._library.granularity())

    def train(self, weights: Array) -> Array:
        """Train blocks of networks on threads."""
        losses = np.empty(len(weights))
        self._library.train(
            weights.ctypes.data_as(ctypes.c_void_p),
            losses.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_long(len(weights)),
            ctypes.c_long(self.case.steps),
            ctypes.c_double(self.case.learning_rate),
            ctypes.c_long(self.threads),
        )
        return losses


@cache
def _folder() -> Path:
    """Make a folder for builds that is removed at the end of the process."""
    folder = tempfile.mkdtemp(prefix="xor-sweep-bench-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@cache
def _build(*definitions: str) -> ctypes.CDLL:
    """Compile ``network.cpp`` and load it."""
    compiler = shutil.which("g++")
    if compiler is None:
        raise MissingError("g++ is not installed")
    library = _folder() / ("".join(definitions) + ".so")
    with resources.as_file(resources.files("sweep.bench.peers") / "network.cpp") as source:
        command = [compiler, f"-march={_target()}", *FLAGS, *definitions, "-o", str(library), str(source)]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise MissingError(f"g++ cannot build network.cpp: {done.stderr.strip().splitlines()[-1]}")
    return ctypes.CDLL(str(library))
