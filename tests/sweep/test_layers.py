"""Data flows one way: what each module may import, read off the sources."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import kernels
import sweep

SWEEP, KERNELS = (Path(package.__path__[0]) for package in (sweep, kernels))
# What sets the state of the floating-point unit for whoever computes, and what declares words: no numerics, and light.
LIGHT_KERNELS = {
    f"kernels.{name}"
    for name in ("floating_point", "vocabulary", "words.records", "words.reductions", "words.scalings", "start.names")
}
HEAVY = {"numpy", "numba", "llvmlite", "pandas", "pyarrow", "matplotlib", "scipy", "distributed", "dask"}


def is_type_checking(node: ast.AST) -> bool:
    """Tell whether a statement is run by type checkers alone."""
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def statements(node: ast.AST, deep: bool) -> Iterator[ast.AST]:
    """Yield what runs: everything, or (not ``deep``) only what runs when the module is imported."""
    for child in ast.iter_child_nodes(node):
        if is_type_checking(child):
            continue
        if not deep and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        yield child
        yield from statements(child, deep)


def imports(path: Path, deep: bool) -> set[str]:
    """Return the dotted names that a module imports; of ``from a import b`` both a and a.b."""
    found = set()
    for node in statements(ast.parse(path.read_text("utf-8")), deep):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            assert node.module is not None
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def reachable(module: str, deep: bool) -> set[str]:
    """Return everything that importing a module of sweep imports, through other modules of sweep too."""
    assert (SWEEP / f"{module.replace('.', '/')}.py").exists()
    seen: set[str] = set()
    waiting = [f"sweep.{module}"]
    while waiting:
        name = waiting.pop()
        path = SWEEP / f"{name.removeprefix('sweep.').replace('.', '/')}.py"
        if name in seen:
            continue
        seen.add(name)
        if name.startswith("sweep.") and path.exists():
            waiting += imports(path, deep)
    return seen


def kernel_modules(names: set[str]) -> set[str]:
    """Return the modules of kernels among dotted names."""
    return {
        name
        for name in names
        if name.startswith("kernels.") and (KERNELS / f"{name[8:].replace('.', '/')}.py").exists()
    }


def roots(names: set[str]) -> set[str]:
    """Return the packages of dotted names."""
    return {name.partition(".")[0] for name in names}


def test_the_reader_of_sources_reads() -> None:
    """These tests would notice: training imports shard, which imports kernels."""
    assert "sweep.worker" in imports(SWEEP / "executors/threads.py", deep=False)
    assert "kernels" in roots(reachable("engine", deep=False))
    assert "sweep.engine" in imports(SWEEP / "cli.py", deep=True)
    assert "sweep.engine" not in imports(SWEEP / "cli.py", deep=False)
    assert "pyarrow" in roots(imports(SWEEP / "statistics/tally.py", deep=False))


@pytest.mark.parametrize("path", sorted(KERNELS.rglob("*.py")), ids=lambda path: path.stem)
def test_kernels_never_import_sweep(path: Path) -> None:
    """Numerics know nothing of studies, files or commands."""
    assert not roots(imports(path, deep=True)) & {"sweep", "tests", "pandas", "pyarrow", "logging"}


@pytest.mark.parametrize("path", sorted(SWEEP.rglob("*.py")), ids=lambda path: path.stem)
def test_sweep_never_imports_tests(path: Path) -> None:
    """The package stands alone."""
    assert "tests" not in roots(imports(path, deep=True))


@pytest.mark.parametrize(
    "module",
    [
        *(
            "statistics.tally",
            "statistics.cells",
            "statistics.intervals",
            "statistics.compare",
            "statistics.importance",
            "figures.kinds",
            "report.page",
            "terminal.comparisons",
            "answers",
            "sentences",
            "comparison",
        ),
        *(
            "schema",
            "store.store",
            "store.reader",
            "store.claim",
            "store.contents",
            "store.parquet",
            "result",
            "digest",
        ),
    ],
)
def test_results_are_read_without_training(module: str) -> None:
    """Statistics, tables and figures come from what is stored, never from kernels or the engine."""
    everything = reachable(module, deep=True)
    assert kernel_modules(everything) <= LIGHT_KERNELS
    assert not everything & {"sweep.engine", "sweep.worker", "sweep.replay", "sweep.cli"}


LIGHT_STUDY = (
    "study",
    "sections",
    "words",
    "combinations",
    "swept",
    "cost",
    "parameters",
    "spaces",
    "tables",
    "hints",
    "glossary",
    "patterns",
    "plain",
    "paths",
    "faults",
    "errors",
)
LIGHT = ("plan", "load", "cli", "cli_results", "cli_study", "schema", "ours", "__init__", "__main__")
LIGHT_EXECUTORS = ("executors.address", "executors.chunks", "executors.remote")
LIGHT_STORE = (
    *("interrupts", "limits", "shards", "durable", "cli_folders"),
    *(f"store.{name}" for name in ("facts", "commits", "contents", "lock", "files", "local", "place", "objects")),
)


@pytest.mark.parametrize("module", LIGHT_STUDY + LIGHT + LIGHT_EXECUTORS + LIGHT_STORE)
def test_light_modules_import_nothing_heavy(module: str) -> None:
    """What reads and plans studies imports no numerics with the module, nor through others."""
    found = reachable(module, deep=False)
    assert not roots(found) & HEAVY
    assert kernel_modules(found) <= LIGHT_KERNELS


def test_kernels_themselves_are_light_until_used() -> None:
    """To look at the package of numerics, as ``import sweep`` does, imports none of it."""
    assert roots(imports(KERNELS / "__init__.py", deep=False)) <= {"__future__"}
    assert roots(imports(KERNELS / "floating_point.py", deep=True)) <= sys.stdlib_module_names
    modules = ", ".join(sorted(LIGHT_KERNELS))
    program = f"import sys, {modules}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(loaded)


def test_object_stores_are_met_by_those_who_name_one() -> None:
    """The package for them, which not everybody has, is imported by one module, and not before it is used."""
    users = {path.stem for path in SWEEP.rglob("*.py") if "obstore" in roots(imports(path, deep=True))}
    assert users == {"requests"}
    assert not [path for path in SWEEP.rglob("*.py") if "obstore" in roots(imports(path, deep=False))]
    assert "sweep.store.objects" not in reachable("store.place", deep=False)


def test_matplotlib_is_imported_by_figures_alone() -> None:
    """No other module can pull in matplotlib, nor these before they draw."""
    users = {path for path in SWEEP.rglob("*.py") if "matplotlib" in roots(imports(path, deep=True))}
    assert {path.parent.name for path in users} <= {"figures", "bench", "report"}
    classes = {SWEEP / "figures" / name for name in ("locators.py", "shown.py")}  # of matplotlib's classes
    others = [path for path in SWEEP.rglob("*.py") if path not in classes]
    assert not [path for path in others if "matplotlib" in roots(imports(path, deep=False))]
    own = {f"sweep.figures.{path.stem}" for path in classes}
    assert not [path for path in others if imports(path, deep=False) & own]


def test_dask_is_imported_on_clusters_alone() -> None:
    """No module needs the extra before a cluster is asked for."""
    users = {path.stem for path in SWEEP.rglob("*.py") if roots(imports(path, deep=True)) & {"distributed", "dask"}}
    assert users == {"cluster", "connection", "remote"}
    assert not [path for path in SWEEP.rglob("*.py") if roots(imports(path, deep=False)) & {"distributed", "dask"}]
