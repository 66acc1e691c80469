"""Detected properties of the CPU. Other tests check that no result depends on them."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from kernels.tuning import Tuning, elementary_rows, first_cache_bytes, tuning_here
from tests.rings import one_in

ASK = "from kernels.tuning import tuning_here as here; print(here().row_bytes, here().registers)"


@pytest.mark.parametrize(
    ("kind", "size", "expected"),
    [
        ("Data", "48K", 49152),
        ("Unified", "64K", 65536),
        ("Instruction", "64K", Tuning().cache_bytes),
        ("Data", "some", Tuning().cache_bytes),
        ("Data", "0K", Tuning().cache_bytes),
    ],
)
def test_size_of_the_first_cache(tmp_path: Path, kind: str, size: str, expected: int) -> None:
    """The size that Linux reports is used if it is that of a data cache; otherwise a safe size."""
    (tmp_path / "type").write_text(f"{kind}\n")
    (tmp_path / "size").write_text(f"{size}\n")
    assert first_cache_bytes(tmp_path) == expected


def test_system_that_reports_no_cache(tmp_path: Path) -> None:
    """Without Linux's files, the size is a safe one."""
    assert first_cache_bytes(tmp_path / "nowhere") == Tuning().cache_bytes


def test_tuning_for_a_named_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels are tuned for the CPU for which they are compiled, this one or another."""
    for name, register_bytes, packets, numbers in (
        ("znver4", 64, 2, 192),
        ("znver5", 64, 3, 192),
        ("znver3", 32, 3, 96),
    ):
        monkeypatch.setattr("kernels.numba.target.numba.config.CPU_NAME", name)
        monkeypatch.setattr("kernels.numba.target.register_bytes", lambda known=register_bytes: known)
        tuning = tuning_here.__wrapped__()
        assert (tuning.row_bytes, tuning.packets, tuning.constant_limit) == (register_bytes, packets, numbers)


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="these are names and features of x86-64")
@pytest.mark.parametrize(
    ("name", "features", "expected"),
    one_in(
        2,
        [
            ("generic", None, "16 16"),
            ("haswell", "", "32 16"),
            ("skylake-avx512", "", "64 32"),
            ("generic", "+avx2", "32 16"),
            ("skylake-avx512", "-avx512f", "32 16"),
        ],
    ),
)
def test_registers_of_a_cpu(name: str, features: str | None, expected: str) -> None:
    """A row is as wide as the registers in the generated code, and their number is seen there, not in a name."""
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_CPU_FEATURES"}
    environment |= {"NUMBA_CPU_NAME": name} | ({} if features is None else {"NUMBA_CPU_FEATURES": features})
    done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == expected.split()


@pytest.mark.skipif(platform.machine() not in ("aarch64", "arm64"), reason="these are the registers of 64-bit ARM")
def test_registers_of_arm() -> None:
    """NEON has 32 registers of 16 bytes."""
    tuning = tuning_here.__wrapped__()
    assert (tuning.row_bytes, tuning.register_bytes, tuning.registers) == (16, 16, 32)


@pytest.mark.parametrize("register_bytes", [16, 32, 64])
@pytest.mark.parametrize("row_bytes", [8, 16, 32, 64, 128, 1024])
def test_rows_of_elementary_functions(row_bytes: int, register_bytes: int) -> None:
    """The number is a power of two, as groups of rows must be, and small enough for registers."""
    rows = elementary_rows(row_bytes, register_bytes)
    assert rows & (rows - 1) == 0
    assert rows == 1 or rows * row_bytes <= (256 if register_bytes == 64 else 128)
