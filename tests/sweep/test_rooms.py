"""Imports between rooms go one way, which these tests check in the sources."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from collections.abc import Iterator, Set
from functools import cache
from pathlib import Path

import kernels
import sweep
from sweep.statistics import of_cells

# From the lowest to the highest: a module imports those of its own room and of rooms before it. The bench stands beside
# them all, and the packages' own modules above.
ROOMS = (
    "errors",
    "lanes",
    "system",
    "measures",
    "statistics",
    "columns",
    "study",
    "schemas",
    "schedule",
    "analysis",
    "store",
    "results",
    "training",
    "verification",
    "figures",
    "report",
    "terminal",
    "bench",
    "explore",
    "cli",
    "__main__",
)
# The packages of the room study, from the lowest to the highest.
STUDY_PACKAGES = ("reading", "data", "options", "axes", "explanations")
# Rooms whose modules import nothing heavy at the top, so that commands that train nothing start at once.
LIGHT_ROOMS = ("errors", "lanes", "system", "measures", "columns", "study", "schemas", "schedule", "cli", "__main__")
LIGHT_MODULES = {
    "statistics.definitions",
    "statistics.statistic",
    "statistics.of_cells",
    *(f"statistics.of_cells.{module.name}" for module in pkgutil.iter_modules(of_cells.__path__)),
    *(
        f"training.{name}"
        for name in ("limits", "run_options", "speed", "executors.address", "executors.chunks", "executors.remote")
    ),
    *(f"store.{name}" for name in ("run_facts", "commits", "contents", "files", "local", "objects")),
}

SWEEP, KERNELS = (Path(package.__path__[0]) for package in (sweep, kernels))
# Modules that set the state of the floating-point unit or declare components: light, and without numerics.
LIGHT_KERNELS = {
    f"kernels.{name}"
    for name in (
        "effort",
        "floating_point",
        "vocabulary",
        "custom.decorators",
        "custom.source",
        "custom.registry",
        "custom.totals",
        "lanes.arithmetic",
        "elementary.lane_functions",
        "components.declarations",
        "components.reductions",
        "components.scalings",
        "start.names",
        "shapes",
        "sources",
    )
}
HEAVY = {"numpy", "numba", "llvmlite", "pandas", "pyarrow", "matplotlib", "scipy", "distributed", "dask"}


def is_type_checking(node: ast.AST) -> bool:
    """Return whether only type checkers run a statement."""
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def statements(node: ast.AST, deep: bool) -> Iterator[ast.AST]:
    """Yield all statements, or without ``deep`` only those that run on import."""
    for child in ast.iter_child_nodes(node):
        if is_type_checking(child):
            continue
        if not deep and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        yield child
        yield from statements(child, deep)


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the statements of a module."""
    return ast.parse(path.read_text("utf-8"))


@cache
def imports(path: Path, deep: bool) -> frozenset[str]:
    """Return the dotted names that a module imports; of ``from a import b`` both a and a.b."""
    found: set[str] = set()
    for node in statements(tree_of(path), deep):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            assert node.module is not None
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def module_paths() -> dict[str, Path]:
    """Return every module of sweep by its dotted name, without the plugins of built-in studies."""
    paths = {}
    for path in sorted(set(SWEEP.rglob("*.py")) - set((SWEEP / "study/builtin").iterdir())):
        parts = ("sweep", *path.relative_to(SWEEP).with_suffix("").parts)
        paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return paths


MODULES = module_paths()
IN_ROOMS = [name for name in MODULES if name != "sweep"]


def reachable(module: str, deep: bool) -> set[str]:
    """Return everything that importing a module of sweep imports, through other modules of sweep too."""
    first = "sweep" if module == "sweep" else f"sweep.{module}"
    assert first in MODULES
    seen: set[str] = set()
    waiting = [first]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += imports(MODULES[name], deep) if name in MODULES else ()
    return seen


def kernel_modules(names: Set[str]) -> set[str]:
    """Return the modules of kernels among dotted names."""
    return {
        name
        for name in names
        if name.startswith("kernels.") and (KERNELS / f"{name[8:].replace('.', '/')}.py").exists()
    }


def roots(names: Set[str]) -> set[str]:
    """Return the packages of dotted names."""
    return {name.partition(".")[0] for name in names}


@cache
def own_imports(name: str) -> set[str]:
    """Return the modules of sweep that a module imports anywhere, for type checkers too."""
    found: set[str] = set()
    for node in ast.walk(tree_of(MODULES[name])):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names if names <= MODULES.keys() else names | {node.module}
    return {each for each in found if each in MODULES and each != name}


def room(name: str) -> str:
    """Return the room of a module of sweep."""
    return name.split(".")[1]


def test_the_reader_of_sources_reads() -> None:
    """The reader finds known imports: executors import modules that train, which import kernels."""
    assert "sweep.training.networks.part_trainer" in imports(SWEEP / "training/executors/threads.py", deep=False)
    assert "kernels" in roots(reachable("training.run", deep=False))
    assert "sweep.training.run" in imports(SWEEP / "cli/run_command.py", deep=True)
    assert "sweep.training.run" not in imports(SWEEP / "cli/run_command.py", deep=False)
    assert "pyarrow" in roots(imports(SWEEP / "analysis/tally.py", deep=False))
    assert "sweep.store.commits" in own_imports("sweep.store.stored_runs")


def test_every_module_is_in_a_room() -> None:
    """The package contains only its rooms and the modules below them all."""
    assert {room(name) for name in IN_ROOMS} == set(ROOMS)


def test_no_import_climbs() -> None:
    """A module imports its own room and lower ones, anywhere in it; only the bench uses the package from outside."""
    for name in IN_ROOMS:
        allowed = ROOMS[: ROOMS.index(room(name)) + 1]
        found = own_imports(name) - ({"sweep"} if room(name) == "bench" else set())
        assert {each for each in found if each == "sweep" or room(each) not in allowed} == set(), name


def test_packages_of_studies_import_lower_ones() -> None:
    """Each package of a study imports itself and packages before it; modules beside them may import all."""
    for name in IN_ROOMS:
        package = name.removeprefix("sweep.study.").split(".")[0]
        if room(name) == "study" and package in STUDY_PACKAGES:
            allowed = STUDY_PACKAGES[: STUDY_PACKAGES.index(package) + 1]
            found = {each.split(".")[2] for each in own_imports(name) if each.startswith("sweep.study.")}
            assert found <= set(allowed), name


def test_no_circle() -> None:
    """No module imports itself through others, not even inside functions or for type checkers."""
    waiting = {name: own_imports(name) - {"sweep"} for name in IN_ROOMS}
    while free := {name for name, needed in waiting.items() if not needed & waiting.keys()}:
        waiting = {name: needed for name, needed in waiting.items() if name not in free}
    assert waiting == {}


def test_kernels_never_import_sweep() -> None:
    """Kernels know nothing of studies, files or commands."""
    for path in KERNELS.rglob("*.py"):
        assert not roots(imports(path, deep=True)) & {"sweep", "tests", "pandas", "pyarrow", "logging"}, path


def test_sweep_never_imports_tests() -> None:
    """The package does not need its tests."""
    for name, path in MODULES.items():
        assert "tests" not in roots(imports(path, deep=True)), name


def test_results_are_read_without_training() -> None:
    """Statistics and results use only stored data, never kernels."""
    for name in IN_ROOMS:
        if room(name) in ("statistics", "analysis", "store", "results", "report"):
            assert kernel_modules(reachable(name.removeprefix("sweep."), deep=True)) <= LIGHT_KERNELS, name


def test_light_modules_import_nothing_heavy() -> None:
    """Modules that read and plan studies import no numerics, directly or through others."""
    for name in MODULES:
        is_light = name == "sweep" or room(name) in LIGHT_ROOMS or name.removeprefix("sweep.") in LIGHT_MODULES
        if is_light and not name.startswith("sweep.measures.curvature."):  # which a measure imports when it is computed
            found = reachable(name.removeprefix("sweep."), deep=False)
            assert not roots(found) & HEAVY, name
            assert kernel_modules(found) <= LIGHT_KERNELS, name


def test_kernels_themselves_are_light_until_used() -> None:
    """Importing the package ``kernels``, as ``import sweep`` does, imports none of its numerics."""
    assert roots(imports(KERNELS / "__init__.py", deep=False)) <= {"os"}
    assert roots(imports(KERNELS / "floating_point.py", deep=True)) <= sys.stdlib_module_names
    modules = ", ".join(sorted(LIGHT_KERNELS))
    program = f"import sys, {modules}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(loaded)


def test_plan_imports_no_numerics() -> None:
    """``sweep plan`` answers at once, also for a long study with custom components."""
    custom = KERNELS.parent / "tests/kernels/custom_components.py"
    program = f"""
import contextlib, sys
from sweep.__main__ import run_command
for options in ([], ["--plugin", {str(custom)!r}, "--set", "optimizer=own_adam", "--set", "seeds.count=10000000"]):
    sys.argv = ["sweep", "plan", "xor", *options]
    with contextlib.suppress(SystemExit):
        run_command()
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.splitlines()[-1].split())


def test_object_stores_are_imported_only_on_use() -> None:
    """One module imports the optional package for object stores, and only when it is used."""
    users = {path.stem for path in SWEEP.rglob("*.py") if "obstore" in roots(imports(path, deep=True))}
    assert users == {"requests"}
    assert not [path for path in SWEEP.rglob("*.py") if "obstore" in roots(imports(path, deep=False))]
    assert "sweep.store.objects" not in reachable("store.local", deep=False)


def test_only_figures_import_matplotlib() -> None:
    """No other module imports matplotlib, and no module that trains or reads results imports figures at once."""
    users = {path for path in SWEEP.rglob("*.py") if "matplotlib" in roots(imports(path, deep=True))}
    assert {path.relative_to(SWEEP).parts[0] for path in users} <= {"figures", "bench", "report"}
    importers = {
        path
        for path in SWEEP.rglob("*.py")
        if any(name.startswith("sweep.figures") for name in imports(path, deep=False))
    }
    assert {path.relative_to(SWEEP).parts[0] for path in importers} <= {"figures", "bench", "report"}


def test_only_clusters_import_dask() -> None:
    """No module needs the extra before a cluster is used."""
    users = {path.stem for path in SWEEP.rglob("*.py") if roots(imports(path, deep=True)) & {"distributed", "dask"}}
    assert users == {"cluster", "connection", "remote"}
    assert not [path for path in SWEEP.rglob("*.py") if roots(imports(path, deep=False)) & {"distributed", "dask"}]
