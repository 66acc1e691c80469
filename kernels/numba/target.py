"""The CPU for which kernels are compiled."""

from __future__ import annotations

import re
from functools import cache

import llvmlite.binding
import numba
from numba.core.registry import cpu_target

# A sum as wide as the widest register of any CPU: its code uses the widest register of this CPU.
_WIDE_SUM = """
define void @wide_sum(ptr %place) {
  %numbers = load <16 x float>, ptr %place
  %sum = fadd <16 x float> %numbers, %numbers
  store <16 x float> %sum, ptr %place
  ret void
}
"""
_REGISTER_BYTES = {"xmm": 16, "ymm": 32, "zmm": 64}


def cpu_name() -> str:
    """Return LLVM's name of the CPU."""
    name: str = numba.config.CPU_NAME or llvmlite.binding.get_host_cpu_name()
    return name


@cache
def register_bytes() -> int:
    """Return the bytes of the widest vector register that kernels are compiled for: 16, 32 or 64.

    It is read from the machine code of a small function: the name and features of the CPU do not
    decide it, since ``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES`` change both.
    """
    target_machine = cpu_target.target_context.codegen()._tm
    assembly = target_machine.emit_assembly(llvmlite.binding.parse_assembly(_WIDE_SUM))
    return max((_REGISTER_BYTES[name] for name in re.findall("[xyz]mm", assembly)), default=16)
