"""Kernels import only numerical packages, never `sweep`, and downward only."""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

import kernels

FOLDER = Path(kernels.__file__).parent
MODULES = {
    ".".join(("kernels", *path.relative_to(FOLDER).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(FOLDER.rglob("*.py"))
}
FOLDERS = ("numba", "lanes", "elementary", "start", "components", "data", "custom", "step", "loop")
MOST_FLOORS = 8
NUMERICAL = {"numpy", "numba", "llvmlite"}


@cache
def imported(module: str) -> frozenset[str]:
    """Return the modules that a module imports anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            assert node.module is not None
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return frozenset(found)


def floor(module: str, modules: frozenset[str], above: tuple[str, ...] = ()) -> int:
    """Return how many of some modules the longest chain of imports from a module has."""
    assert module not in above, f"a circle of imports: {' -> '.join((*above, module))}"
    chain = (*above, module)
    return 1 + max((floor(each, modules, chain) for each in imported(module) & modules), default=0)


def folder_of(module: str) -> str:
    """Return the folder of a module, or "" for a module beside the folders."""
    parts = MODULES[module].relative_to(FOLDER).parts
    return parts[0] if len(parts) > 1 else ""


def test_imports_are_numerical_or_standard() -> None:
    """A module imports numerical packages, the standard library and other modules of kernels; never sweep."""
    for module in MODULES:
        roots = {name.partition(".")[0] for name in imported(module)}
        assert roots <= {"kernels"} | NUMERICAL | sys.stdlib_module_names, module


@pytest.mark.parametrize("folder", FOLDERS)
def test_data_flows_one_way(folder: str) -> None:
    """A folder imports only folders before it, in no circle and at most eight floors."""
    inside = frozenset(module for module in MODULES if folder_of(module) == folder)
    assert inside
    used = {folder_of(name) for module in inside for name in imported(module) & MODULES.keys()}
    assert used <= {"", *FOLDERS[: FOLDERS.index(folder) + 1]}
    assert max(floor(module, inside) for module in inside) <= MOST_FLOORS


def test_no_circle() -> None:
    """No module imports itself through others, not even inside functions."""
    waiting = {module: imported(module) & MODULES.keys() - {module, "kernels"} for module in MODULES}
    while free := {module for module, needed in waiting.items() if not needed & waiting.keys()}:
        waiting = {module: needed for module, needed in waiting.items() if module not in free}
    assert waiting == {}


def test_one_door_to_numba() -> None:
    """Other modules import Numba only to generate the code of lanes, and private parts nowhere else."""
    users = {
        module
        for module in MODULES
        if any(name.partition(".")[0] in ("numba", "llvmlite") for name in imported(module))
    }
    assert {module for module in users if folder_of(module) != "numba"} == {
        f"kernels.lanes.{name}" for name in ("lowering", "lowering_functions", "lowering_rows")
    }
