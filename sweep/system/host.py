"""What a result was computed on and with."""

from __future__ import annotations

import hashlib
import math
import os
import platform
import struct
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from sweep.errors import StudyError, SweepError, shown
from sweep.system.plain_values import is_integer

# Numbers from 0 to 1, both excluded.
_UNIT = [(k + 0.5) / 100_000 for k in range(100_000)]
_PACKAGES = ("xor-sweep", "numpy", "numba", "llvmlite", "pandas", "pyarrow")
_TRAINING_ADDRESSES = 2**31


def available_threads() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def most_threads() -> int:
    """Return how many threads may be asked for: eight per processor, or 64; each keeps memory of its own."""
    return max(64, 8 * available_threads())


def threads_asked_for(threads: int | None) -> int:
    """Return how many threads are asked for: all processors by default.

    Raises
    ------
    StudyError
        If there cannot be so many.
    """
    n_threads = available_threads() if threads is None else threads
    if not is_integer(n_threads) or not 1 <= n_threads <= most_threads():
        given = shown(threads)
        raise StudyError(
            [f"threads {given} given; must be an integer of at least 1, and here at most {most_threads()}"]
        )
    return n_threads


def memory_bytes() -> int:
    """Return how many bytes of memory this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def check_addresses() -> None:
    """Require as many addresses as compiling and training take: of fewer libraries fail in many ways, or never end.

    Raises
    ------
    SweepError
        If the process may not have as many.
    """
    import resource

    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    if most != resource.RLIM_INFINITY and most < _TRAINING_ADDRESSES:
        raise SweepError(
            f"this process may have {most:,} bytes of addresses (ulimit -v); training takes at least "
            f"{_TRAINING_ADDRESSES:,}"
        )


@cache
def log_digest() -> str:
    """Hash 10^5 logarithms as this machine's C library computes them.

    Normal initial weights go through that logarithm, whose last bit differs between
    CPUs in about one draw of 17,000. Results with different digests must not be mixed.
    """
    return _digest(map(math.log, _UNIT))


@cache
def pcg64_digest() -> str:
    """Hash 10^5 values of log1p and of exp as this machine's C library computes them, where NumPy's ziggurat does.

    Normal numbers of pcg64 go through these: those beyond 3.65 through log1p of -1 to 0, and some of the others are
    compared with exp of the negative half of their square.
    """
    values = [*(math.log1p(-u) for u in _UNIT), *(math.exp(-0.5 * (3.65 * u) ** 2) for u in _UNIT)]
    return _digest(values)


def _digest(numbers: Iterable[float]) -> str:
    """Hash the bits of numbers."""
    return hashlib.sha256(b"".join(struct.pack("<d", number) for number in numbers)).hexdigest()


def machine_facts() -> dict[str, Any]:
    """Return CPU, operating system and versions."""
    return {
        "cpu": _cpu_name(),
        "n_processors": available_threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": _versions(),
    }


@cache
def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in _PACKAGES}}


@cache
def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
