"""By what this process trains, as far as the bits of rows depend on it."""

from __future__ import annotations

import kernels
from kernels.sources import sources_digest
from sweep.store.bits import Bits
from sweep.system import host


def own_bits() -> Bits:
    """Return the version of the numbers, and the digests of the sources of kernels and of this machine's functions."""
    return Bits(kernels.NUMERICS, host.log_digest(), sources_digest(), host.pcg64_digest())
