"""The machine: processors, memory, versions, and digests of functions of its C library."""

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

# Numbers between 0 and 1, both excluded.
_UNIT = [(k + 0.5) / 100_000 for k in range(100_000)]
_PACKAGES = ("xor-sweep", "numpy", "numba", "llvmlite", "pandas", "pyarrow")
_TRAINING_ADDRESSES = 2**31


def available_threads() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def most_threads() -> int:
    """Return the largest number of threads: eight per processor, but at least 64; each thread takes memory."""
    return max(64, 8 * available_threads())


def thread_count(threads: int | None) -> int:
    """Return the number of threads to use: ``threads``, or one per processor if it is None."""
    n_threads = available_threads() if threads is None else threads
    if not is_integer(n_threads) or not 1 <= n_threads <= most_threads():
        raise StudyError(f"threads: must be an integer from 1 to {most_threads()}, got {shown(threads)}")
    return n_threads


def memory_bytes() -> int:
    """Return the memory of this machine, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def available_bytes() -> int:
    """Return the available memory, in bytes; all memory of the machine if the system does not report it."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return memory_bytes()
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return 1024 * kilobytes[0] if kilobytes else memory_bytes()


def check_addresses() -> None:
    """Refuse a limit of address space (``ulimit -v``) below 2 GiB, since libraries then fail in many ways or hang."""
    import resource

    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    if most != resource.RLIM_INFINITY and most < _TRAINING_ADDRESSES:
        raise SweepError(
            f"ulimit -v: address space must be at least {_TRAINING_ADDRESSES:,} bytes for training, got {most:,}; "
            "raise the limit"
        )


@cache
def log_digest() -> str:
    """Return the SHA-256 of 10^5 logarithms of this machine's C library, on which normal initial weights depend.

    Its last bit differs between CPUs in about one draw of 17,000, so results with different digests must not be mixed.
    """
    return _digest(map(math.log, _UNIT))


@cache
def pcg64_digest() -> str:
    """Return the SHA-256 of 10^5 values of log1p and of exp of this machine's C library, which pcg64's normals use."""
    values = [*(math.log1p(-u) for u in _UNIT), *(math.exp(-0.5 * (3.65 * u) ** 2) for u in _UNIT)]
    return _digest(values)


def _digest(numbers: Iterable[float]) -> str:
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
