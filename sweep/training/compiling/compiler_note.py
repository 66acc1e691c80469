"""Which compiler makes kernels, where users should know."""

from __future__ import annotations

from kernels.numba.choice import CompilerError, choose_compiler
from sweep.errors import SweepError


def compiler_note() -> str:
    """Return one sentence where kernels take longer to compile than with another version of Numba; otherwise "".

    Raises
    ------
    SweepError
        If ``XOR_SWEEP_COMPILER`` names no compiler that can be used.
    """
    try:
        why = choose_compiler().why
    except CompilerError as error:
        raise SweepError(str(error)) from None
    longer = "a kernel takes two to three times as long to compile, with the same results and the same speed"
    return f"{why}: {longer}" if why else ""
