"""Kernels import only numerical packages, and never `sweep`."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import kernels

FOLDER = Path(kernels.__file__).parent
MODULES = sorted(FOLDER.glob("**/*.py"))
FOLDERS = ("simd", "start", "data", "components", "custom", "step", "loop")
ALLOWED = {"kernels", "numpy", "numba", "llvmlite"} | sys.stdlib_module_names


def _imported(path: Path) -> Iterator[str]:
    """Return the packages that a module imports anywhere."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "kernels" if node.level else (node.module or "").partition(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_imports_are_numerical_or_standard(path: Path) -> None:
    """A kernel module imports NumPy, Numba, llvmlite, the standard library and its siblings; never sweep."""
    assert set(_imported(path)) <= ALLOWED


@pytest.mark.parametrize("folder", FOLDERS)
def test_data_flows_one_way(folder: str) -> None:
    """A folder imports only folders before it, so there are no circular imports."""
    sources = [path.read_text() for path in MODULES if path.relative_to(FOLDER).parts[0] == folder]
    used = {name for source in sources for name in re.findall(r"^\s*from kernels\.(\w+)", source, re.MULTILINE)}
    assert sources
    assert used & set(FOLDERS) <= set(FOLDERS[: FOLDERS.index(folder) + 1])


def test_there_are_modules_to_check() -> None:
    """The folder is that of the kernels."""
    assert {"train.py", "simd/lanes.py", "simd/elementary/normal.py"} <= {
        path.relative_to(FOLDER).as_posix() for path in MODULES
    }
