"""What is found out about the CPU. That no result depends on it is tested with the results."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernels.tuning import Tuning, first_cache_bytes, tuning_here


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
    """The size that Linux tells counts if it is that of a cache for data, and otherwise a safe one."""
    (tmp_path / "type").write_text(f"{kind}\n")
    (tmp_path / "size").write_text(f"{size}\n")
    assert first_cache_bytes(tmp_path) == expected


def test_system_that_does_not_tell(tmp_path: Path) -> None:
    """Without what Linux tells, the size is a safe one."""
    assert first_cache_bytes(tmp_path / "nowhere") == Tuning().cache_bytes


def test_tuning_for_a_named_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels are tuned for the CPU that they are compiled for, this one or another."""
    for name, *expected in (("znver4", True, 1, 2), ("znver5", False, 4, 3), ("haswell", False, 1, 2)):
        monkeypatch.setattr("kernels.jit.numba.config.CPU_NAME", name)
        tuning = tuning_here.__wrapped__()
        assert [tuning.gates, tuning.group, tuning.batches] == expected
