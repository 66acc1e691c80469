"""Machine code kept on disk is reused, never stale, and harmless when damaged.

Every test starts new processes with a separate cache folder.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import kernels
from kernels.numba import entries
from kernels.numba.choice import choose_compiler
from tests.kernels.support import compiled_only_marks
from tests.waiting import LONG

pytestmark = compiled_only_marks

ROOT = Path(kernels.__file__).parents[1]

# A small kernel over a sibling module, made twice: prints its results, and whether its code came from the disk.
# Between the two, and after each damage, the entry should be sound again.
PROBE = """
import json, sys
from pathlib import Path
from kernels.numba import entries, jit
from kernels.lanes.lane_rows import aligned_rows, make_memory
from kernels.elementary.polynomial import horner

memory = make_memory("float64", 2)
load, store = memory.load, memory.store

def make(factor):
    @jit.kernel(f"probe {factor}")
    def probe(x, out):
        store(out, 0, horner(load(x, 0) - 1.0, (0.0, 0.0, factor)))
    return probe

def run(factor=1.0):
    x, out = (aligned_rows(1, 2, "float64") for _ in range(2))
    x[0] = 3.0, -1.5
    probe = make(factor)
    probe(x, out)
    return {"result": out[0].tolist(), "hit": bool(probe.stats.cache_hits)}
"""
RUN_TWICE = PROBE + "print(json.dumps([run(), run()]))"
DAMAGE = (
    PROBE
    + """
found = [run()]
entry, = entries.cache_root().glob("*/*.bin")
sound = entry.read_bytes()
bits = [37 * k * (len(sound) // 7) % (8 * len(sound)) for k in range(5)]  # of the checksum and of the code
damaged = [b"", sound[:10], sound[: len(sound) // 2], sound[:-1], sound + b"x", b"x" * len(sound)]
damaged += [sound[: bit // 8] + bytes([sound[bit // 8] ^ 1 << bit % 8]) + sound[bit // 8 + 1 :] for bit in bits]
for content in damaged:
    entry.write_bytes(content)
    found += [run(), run()]
print(json.dumps(found))
"""
)
TRAIN = """
import json
import numpy as np
from kernels.recipe import Architecture, Recipe
from kernels.settings import make_settings
from kernels.train import Trainer

x = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
recipe = Recipe(Architecture(2, 1, "tanh", "identity", bias=True), optimizer="momentum", batch=3)
trainer = Trainer(recipe, x, x.sum(axis=1, keepdims=True) % 2)

def final_weights(hidden):
    weights = np.linspace(-1.0, 1.0, 4 * (4 * hidden + 1)).reshape(4, -1)
    settings = make_settings(4, learning_rate=0.1, threshold=1e-3, max_steps=20)
    return trainer.train(settings, weights, final_weights=True).final_weights.tolist()

"""


def _start(script: str, cache: Path, root: Path = ROOT, complaint: str = "another user") -> Any:
    """Run a script in a process whose kernels are those under ``root``, and read what it prints."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, env=environment, capture_output=True, text=True, timeout=LONG
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(complaint) == ("geteuid" in script or "_reduce" in script)
    return json.loads(done.stdout)


def _files(cache: Path) -> dict[str, int]:
    """Identify every file below a folder; a file that is written again has another identity."""
    return {str(path.relative_to(cache)): path.stat().st_ino for path in cache.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the cache of a process that made the kernel twice, not to be changed."""
    folder = tmp_path_factory.mktemp("kept")
    assert [run["hit"] for run in _start(RUN_TWICE, folder)] == [False, True]
    return folder


@pytest.fixture
def cache(kept: Path, tmp_path: Path) -> Path:
    """Return a copy of this cache."""
    return Path(shutil.copytree(kept, tmp_path / "cache"))


def test_second_process_reuses_the_entry(cache: Path) -> None:
    """Code compiled once serves later kernels and processes, and is not written again."""
    files = _files(cache)
    suffixes = sorted(Path(name).suffix for name in files)
    assert suffixes in ([".bin"], [".bin", ".part"])  # of the kernel, and with the fast compiler of what it calls
    assert [run["hit"] for run in _start(RUN_TWICE, cache)] == [True, True]
    assert _files(cache) == files


@pytest.mark.wide
@pytest.mark.parametrize("first", ["numba", "kernels.numba.compiling", "kernels.kept"])
def test_any_module_may_be_imported_first(first: str, cache: Path) -> None:
    """Even where Numba is imported before its options are set, a later process finds the code."""
    assert [run["hit"] for run in _start(f"import {first}\n{RUN_TWICE}", cache)] == [True, True]


# The same with an optimizer of a user's file.
TRAIN_CUSTOM = f"""
from pathlib import Path
from kernels.custom.registry import declared_components
from sweep.study.plugins import load_plugin

load_plugin(Path("tests/kernels/custom_components.py"))
{TRAIN.replace('"momentum"', 'declared_components()["own_gd"].declaration.key')}"""


@pytest.mark.wide
@pytest.mark.parametrize("train", [TRAIN, TRAIN_CUSTOM], ids=["built-in", "custom"])
def test_both_compilers_have_the_same_bits(train: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each finds its own machine code on the disk, not that of the other, and networks end with equal weights."""
    found, n_kernels = [], []
    for name in ("plain", "", "plain"):
        monkeypatch.setenv("XOR_SWEEP_COMPILER", name)
        found.append(_start(train + "print(json.dumps(final_weights(3)))", tmp_path))
        n_kernels.append(sum(name.endswith(".bin") for name in _files(tmp_path)))
    assert found[0] == found[1] == found[2]
    assert n_kernels == ([1, 2, 2] if choose_compiler().name == "fast" else [1, 1, 1])


UNKEPT = """
from numba.core.compiler import CompileResult

def changed(result):
    raise TypeError("as in a later version")

CompileResult._reduce = changed
"""


def test_kernels_that_cannot_be_kept_are_compiled_in_each_process(tmp_path: Path) -> None:
    """Results are the same, and one line says so."""
    found = _start(UNKEPT + RUN_TWICE, tmp_path, complaint="does not let kernels be kept")
    assert found == [{"result": [4.0, 6.25], "hit": False}] * 2
    assert not [name for name in _files(tmp_path) if name.endswith(".bin")]


@pytest.mark.wide
def test_kernels_of_two_processes_live_together(tmp_path: Path) -> None:
    """Machine code that two processes compiled, each as its first, gives the same results where both are loaded.

    Training, which calls other compiled functions, compiles nothing then.
    """
    small, large = (_start(TRAIN + f"print(json.dumps(final_weights({hidden})))", tmp_path) for hidden in (2, 3))
    files = _files(tmp_path)
    both = _start(TRAIN + "print(json.dumps([final_weights(h) for h in (2, 3, 2)]))", tmp_path)
    assert both == [small, large, small]
    assert _files(tmp_path) == files


def test_damaged_entries_are_replaced(tmp_path: Path) -> None:
    """An entry that is emptied, truncated, lengthened, overwritten or has a flipped bit changes no result."""
    found = _start(DAMAGE, tmp_path)
    assert len(found) == 1 + 2 * 11
    assert all(run["result"] == [4.0, 6.25] for run in found)
    assert [run["hit"] for run in found] == [False] + [False, True] * 11
    assert {Path(name).suffix for name in _files(tmp_path)} <= {".bin", ".part"}  # no drafts


EXCHANGE = (
    PROBE
    + """
before = [run(factor)["result"] for factor in (2.0, 3.0)]
one, two = entries.cache_root().glob("*/*.bin")
first, second = one.read_bytes(), two.read_bytes()
one.write_bytes(second), two.write_bytes(first)
print(json.dumps([before, [run(factor)["result"] for factor in (2.0, 3.0)]]))
"""
)


def test_exchanged_entries_are_detected(tmp_path: Path) -> None:
    """An intact entry in the place of another one is not used."""
    assert _start(EXCHANGE, tmp_path) == [[[8.0, 12.5], [12.0, 18.75]]] * 2


def test_nobody_else_may_read_or_write_the_cache(cache: Path) -> None:
    """Folders and files are private, even if they were open to others before."""
    root = cache / "xor-sweep"
    (entry,) = root.glob("*/*.bin")
    modes = {path: path.stat().st_mode & 0o777 for path in (root, entry.parent, entry)}
    assert modes == {root: 0o700, entry.parent: 0o700, entry: 0o600}
    root.chmod(0o777)
    entry.parent.chmod(0o775)
    assert [run["hit"] for run in _start(RUN_TWICE, cache)] == [True, True]
    assert [path.stat().st_mode & 0o777 for path in (root, entry.parent)] == [0o700, 0o700]


@pytest.mark.wide
def test_entries_that_others_may_have_written_are_replaced(cache: Path, tmp_path: Path) -> None:
    """A file that a group or anybody may write, or a link to a file elsewhere, is not unpickled."""
    (entry,) = cache.glob("*/*/*.bin")
    for mode in (0o620, 0o602):
        entry.chmod(mode)
        assert [run["hit"] for run in _start(RUN_TWICE, cache)] == [False, True]
        assert entry.stat().st_mode & 0o777 == 0o600
    entry.rename(tmp_path / "elsewhere")
    entry.symlink_to(tmp_path / "elsewhere")
    assert [run["hit"] for run in _start(RUN_TWICE, cache)] == [False, True]
    assert not entry.is_symlink()


def test_cache_of_another_user_is_left_alone(cache: Path) -> None:
    """Each process compiles its kernels once, writes nothing, and prints one line that says so."""
    files = _files(cache)
    foreign = "import os; os.geteuid = lambda: 12345678\n" + RUN_TWICE
    assert _start(foreign, cache) == [{"result": [4.0, 6.25], "hit": hit} for hit in (False, True)]
    assert _files(cache) == files


def test_relative_cache_home_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The XDG specification requires it; the cache is then below the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for value in ("", "cache", "./cache", "../cache"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert entries.cache_root() == tmp_path / ".cache" / "xor-sweep"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    assert entries.cache_root() == tmp_path / "own" / "xor-sweep"


def test_size_is_bounded(tmp_path: Path) -> None:
    """The least recently used files are removed first, and an empty folder with its last file."""
    for age, name in enumerate(("a/new", "a/old", "b/older", "c/oldest")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(10))
        os.utime(path, (1e9 - age, 1e9 - age))
    entries.forget_oldest(tmp_path, 40)
    assert len(_files(tmp_path)) == 4
    entries.forget_oldest(tmp_path, 25)
    assert set(_files(tmp_path)) == {"a/new", "a/old"}
    assert {path.name for path in tmp_path.iterdir()} == {"a"}


@pytest.mark.wide
def test_entry_that_is_used_counts_as_new(cache: Path) -> None:
    """Loading an entry protects it from removal."""
    (entry,) = cache.glob("*/*/*.bin")
    os.utime(entry, (1e9, 1e9))
    _start(RUN_TWICE, cache)
    assert entry.stat().st_mtime > 1.5e9


def _block_with_a_file(cache: Path, kept: Path) -> None:
    cache.write_text("in the way")


def _block_with_a_folder(cache: Path, kept: Path) -> None:
    """Put a folder in the place of the entry."""
    for name in _files(kept):
        (cache / name / "below").mkdir(parents=True)


def _forbid(cache: Path, kept: Path) -> None:
    cache.mkdir()
    cache.chmod(0o500)
    if os.access(cache, os.W_OK):
        pytest.skip("root may write everywhere")


@pytest.mark.parametrize(
    "block", [_block_with_a_file, pytest.param(_block_with_a_folder, marks=pytest.mark.wide), _forbid]
)
def test_unwritable_cache_is_no_fault(kept: Path, tmp_path: Path, block: Any) -> None:
    """If the disk cannot be written, each process compiles a kernel once, with the same results."""
    block(tmp_path / "cache", kept)
    found = _start(RUN_TWICE, tmp_path / "cache")
    assert found == [{"result": [4.0, 6.25], "hit": hit} for hit in (False, True)]


@pytest.mark.wide
def test_changed_source_of_a_sibling_is_seen(tmp_path: Path) -> None:
    """Editing or adding a module of the package leads to another folder, so old code is not found."""
    root, cache = tmp_path / "copy", tmp_path / "cache"
    shutil.copytree(ROOT / "kernels", root / "kernels", ignore=shutil.ignore_patterns("__pycache__"))
    assert _start(RUN_TWICE, cache, root)[0] == {"result": [4.0, 6.25], "hit": False}
    module = root / "kernels" / "elementary" / "polynomial.py"
    source = module.read_text()
    assert source.count("    return value\n") == 1
    module.write_text(source.replace("    return value\n", "    return value * 2.0\n"))
    assert _start(RUN_TWICE, cache, root)[0] == {"result": [8.0, 12.5], "hit": False}
    module.write_text(source)
    assert _start(RUN_TWICE, cache, root)[0] == {"result": [4.0, 6.25], "hit": True}
    (root / "kernels" / "below").mkdir()
    (root / "kernels" / "below" / "new.py").write_text("")
    assert _start(RUN_TWICE, cache, root)[0] == {"result": [4.0, 6.25], "hit": False}
    assert len({Path(name).parent for name in _files(cache)}) == 3
