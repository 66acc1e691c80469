"""The fast compiler is used where the private parts of Numba and llvmlite that it needs are those it was written for.

To make it known to another version of Numba, read each part that the first test names as changed beside the module
of kernels/numba/fast that uses it, and record the digest.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import llvmlite
import numba
import pytest
from packaging.version import Version

from kernels.numba import choice
from kernels.numba.choice import CompilerChoice, CompilerError, choose_compiler
from kernels.numba.fast import relied_on

FOLDERS = [str(Path(package.__file__).parent) for package in (numba, llvmlite)]
NAMES = sorted({name for parts in relied_on.RELIED_ON.values() for name in parts})
FAST = Path(relied_on.__file__).parent

with_known_numba = pytest.mark.skipif(Version(numba.__version__) < Version("0.68"), reason="the plain compiler is used")


@pytest.fixture(autouse=True)
def unforced(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let nothing but Numba decide on the compiler, and forget the decision."""
    monkeypatch.delenv(choice.VARIABLE, raising=False)
    choose_compiler.cache_clear()
    yield
    choose_compiler.cache_clear()


@with_known_numba
def test_the_pinned_version_is_known() -> None:
    """Each part that the fast compiler extends, replaces or calls has the recorded source."""
    assert relied_on.changes(*FOLDERS) == []
    assert choose_compiler() == CompilerChoice("fast")


@with_known_numba
@pytest.mark.parametrize("name", NAMES)
def test_any_change_of_a_part_is_seen(name: str, tmp_path: Path) -> None:
    """A changed first or last line of a class or function is a change; one elsewhere in its module is not."""
    module, _, path = name.partition(":")
    text = Path(import_module(module).__file__ or "").read_text("utf-8")
    node: Any = ast.parse(text)
    for part in path.split("."):
        node = next(each for each in node.body if getattr(each, "name", None) == part)

    def digest_with(changed: int) -> str:
        lines = text.splitlines()
        lines[changed - 1] += "  # changed"
        (tmp_path / f"{changed}.py").write_text("\n".join(lines) + "\n")
        return relied_on._digest(tmp_path / f"{changed}.py", path)

    recorded = next(parts[name] for parts in relied_on.RELIED_ON.values() if name in parts)
    assert digest_with(1) == recorded
    assert recorded not in (digest_with(node.lineno), digest_with(node.end_lineno))
    assert relied_on._digest(tmp_path / "none.py", path) == "missing"


def test_another_numba_means_the_plain_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is chosen, with the reason, where parts are missing or different; the fast one is then refused."""
    monkeypatch.setattr(choice, "_folder", lambda package: str(tmp_path / package))
    chosen = choose_compiler()
    assert chosen.name == "plain"
    assert chosen.why.startswith(f"the fast compiler does not know numba {numba.__version__} ")
    monkeypatch.setenv(choice.VARIABLE, "fast")
    choose_compiler.cache_clear()
    with pytest.raises(CompilerError, match="must be plain, got fast; the fast compiler does not know numba"):
        choose_compiler()


def test_the_environment_names_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain one can be had anywhere, and a wrong name is refused."""
    monkeypatch.setenv(choice.VARIABLE, "plain")
    assert choose_compiler() == CompilerChoice("plain")
    monkeypatch.setenv(choice.VARIABLE, "slow")
    choose_compiler.cache_clear()
    with pytest.raises(CompilerError, match="must be fast or plain, got 'slow'"):
        choose_compiler()


def _is_set_by_its_class(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name) and node.value.id == "self"


@with_known_numba
def test_all_private_parts_in_use_are_known() -> None:
    """The table lists modules of Numba's core that the fast compiler imports, and private attributes that it uses."""
    modules = {name.partition(":")[0] for name in NAMES}
    text = "\n".join(Path(import_module(name).__file__ or "").read_text("utf-8") for name in modules)
    nodes = [node for path in FAST.glob("*.py") for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    imported = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    assert {module for module in imported if module.startswith("numba.core.")} <= modules
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute) and re.match("_[a-z]", node.attr)}
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    own |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and _is_set_by_its_class(node)}
    assert used - own >= {"_defns", "_dispose", "_pass_builder"}
    assert {name for name in used - own if not re.search(rf"\b{name}\b", text)} == set()
