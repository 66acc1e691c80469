"""Properties of the CPU at hand. No result depends on them; ``kernels/README.md`` lists what each gains."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from kernels.numba import target

# The folder in which Linux describes the first cache.
CACHE_FOLDER = Path("/sys/devices/system/cpu/cpu0/cache/index0")


class Tuning(NamedTuple):
    """Properties of a CPU, and choices that follow from them. No result depends on them."""

    row_bytes: int = 64  # bytes of a row of lanes, those of a vector register
    register_bytes: int = 64  # bytes of a vector register; a row may fill several registers
    # Size of the first data cache. Packets in turns should fit in it together. The default is what most CPUs have at
    # least.
    cache_bytes: int = 2**15
    packets: int = 2  # the largest number of packets that take turns
    constant_limit: int = 96  # patterns of up to this many numbers become constants of the kernel
    # Patterns of a block, where they are no constants; if None, chosen for the window
    block_patterns: int | None = None
    registers: int = 32  # number of vector registers


@cache
def tuning_here() -> Tuning:
    """Return the tuning for this CPU, or for the one that ``NUMBA_CPU_NAME`` names."""
    row_bytes = target.register_bytes()
    return Tuning(
        row_bytes,
        row_bytes,
        first_cache_bytes(CACHE_FOLDER),
        constant_limit=192 if row_bytes >= 64 else 96,
        packets=3 if target.cpu_name() == "znver5" or row_bytes == 32 else 2,
        registers=target.registers(),
    )


def elementary_rows(row_bytes: int, register_bytes: int) -> int:
    """Return the number of rows that go through an elementary function side by side.

    Four registers hide the latency of a chain of operations, or eight registers of 16 bytes. More would
    spill where there are 16 registers. A row may fill several registers.
    """
    return max(1, (256 if register_bytes >= 64 else 128) // row_bytes)


def first_cache_bytes(folder: Path) -> int:
    """Return the size of the first data cache, in bytes, from a folder of system files.

    Where the system does not say, it is that of the default tuning.
    """
    try:
        kind, size = ((folder / name).read_text().strip() for name in ("type", "size"))
    except OSError:
        return Tuning().cache_bytes
    known = kind in ("Data", "Unified") and size.endswith("K") and size[:-1].isdigit()
    return (int(size[:-1]) * 1024 if known else 0) or Tuning().cache_bytes
