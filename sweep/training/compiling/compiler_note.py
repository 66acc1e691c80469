"""Which compiler makes kernels, where users should know."""

from __future__ import annotations

from kernels.numba.choice import choose_compiler


def compiler_note() -> str:
    """Return one sentence where kernels take longer to compile than with another version of Numba; otherwise ""."""
    why = choose_compiler().why
    longer = "a kernel takes two to three times as long to compile, with the same results"
    return f"{why}: {longer}" if why else ""
