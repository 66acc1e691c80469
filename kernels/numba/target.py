"""The CPU for which kernels are compiled."""

from __future__ import annotations

import re
from functools import cache

import llvmlite.binding
import numba
from llvmlite import ir
from numba.core.registry import cpu_target


def _pointer(n_floats: int) -> str:
    """Return LLVM's name of the address of a vector; old versions name its type."""
    return str(ir.VectorType(ir.FloatType(), n_floats).as_pointer())


# A sum as wide as the widest register of any CPU: its code uses the widest register of this CPU.
_WIDE_SUM = f"""
define void @wide_sum({_pointer(16)} %place) {{
  %numbers = load <16 x float>, {_pointer(16)} %place
  %sum = fadd <16 x float> %numbers, %numbers
  store <16 x float> %sum, {_pointer(16)} %place
  ret void
}}
"""
# Registers of x86-64; those of ARM, q, have 16 bytes, also where scalable vectors (SVE) would be longer.
_REGISTER_BYTES = {"xmm": 16, "ymm": 32, "zmm": 64}

# 32 vectors at once: volatile, so that no store comes before the last load.
_32_VECTORS = "\n".join(
    [
        f"define void @all_registers({_pointer(4)} %place) {{",
        *(f"  %vector{k} = load volatile <4 x float>, {_pointer(4)} %place" for k in range(32)),
        *(f"  store volatile <4 x float> %vector{k}, {_pointer(4)} %place" for k in range(32)),
        "  ret void\n}",
    ]
)


def cpu_name() -> str:
    """Return LLVM's name of the CPU."""
    name: str = numba.config.CPU_NAME or llvmlite.binding.get_host_cpu_name()
    return name


def _assembly(llvm_code: str) -> str:
    """Compile a function for the CPU."""
    target_machine = cpu_target.target_context.codegen()._tm
    assembly: str = target_machine.emit_assembly(llvmlite.binding.parse_assembly(llvm_code))
    return assembly


@cache
def register_bytes() -> int:
    """Return the bytes of the widest vector register that kernels are compiled for: 16, 32 or 64.

    It is read from the machine code of a small function: the name and features of the CPU do not
    decide it, since ``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES`` change both.
    """
    return max((_REGISTER_BYTES[name] for name in re.findall("[xyz]mm", _assembly(_WIDE_SUM))), default=16)


@cache
def registers() -> int:
    """Return the number of vector registers that kernels are compiled for: 16 or 32."""
    return 1 + max(map(int, re.findall(r"\b(?:xmm|q)(\d+)\b", _assembly(_32_VECTORS))))
