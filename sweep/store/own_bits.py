"""Facts of this process on which the bits of rows depend."""

from __future__ import annotations

import kernels
from kernels.sources import sources_digest
from sweep.store.bits import Bits
from sweep.system import host


def own_bits() -> Bits:
    """Return the version of numerical results, and the digests of kernel sources and of this machine's functions."""
    return Bits(kernels.NUMERICS, host.log_digest(), sources_digest(), host.pcg64_digest())
