"""Other users of Numba in a process get what they get alone, and kernels what they get alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import kernels
from tests.kernels.support import compiled_only_marks, of_fast_compiler
from tests.waiting import LONG

pytestmark = compiled_only_marks

# Two modules: one that uses Numba in several ways, and one that draws weights and trains networks.
OTHERS = """
import numba, numpy as np

@numba.njit(cache=True)
def logarithms(numbers):
    total = np.empty_like(numbers)
    for k in range(numbers.size):
        total[k] = np.log(numbers[k]) * np.exp(-numbers[k])
    return total

@numba.njit(parallel=True)
def side_by_side(numbers):
    total = 0.0
    for k in numba.prange(numbers.size):
        total += numbers[k]
    return total

@numba.cfunc("float64(float64)")
def squared(number):
    return number * number

@numba.vectorize(["float64(float64, float64)"])
def larger(a, b):
    return a if a > b else b

@numba.njit
def closed_over(factor):
    return lambda number: factor * number

try:
    from numba import cuda

    @cuda.jit
    def add_one(numbers):
        numbers[cuda.grid(1)] += 1.0
except ImportError:
    add_one = None

def run():
    numbers = np.linspace(0.5, 3.0, 100)
    matrix = numbers.reshape(10, 10)
    product = numba.njit(lambda a: np.dot(a, a))(matrix)
    found = [logarithms(numbers).tolist(), side_by_side(np.arange(100.0)), squared.ctypes(3.0), larger(1.0, 2.0)]
    if add_one:
        add_one[10, 10](numbers)
    return [*found, numbers.tolist(), bool(np.allclose(product, matrix @ matrix)), larger(matrix, 1.0).tolist()]
"""
OURS = """
import numpy as np
from kernels.recipe import Architecture, Recipe
from kernels.settings import make_settings
from kernels.start.numbers import fill_numbers
from kernels.train import Trainer

def run():
    weights = np.zeros((200, 9))
    fill_numbers(weights, np.arange(200), "normal", "mt19937")
    drawn = [bool((np.random.RandomState(seed).normal(size=9) == weights[seed]).all()) for seed in range(200)]
    x = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    recipe = Recipe(Architecture(2, 1, "tanh", "identity", bias=True))
    settings = make_settings(200, learning_rate=0.1, max_steps=20)
    trained = Trainer(recipe, x, x[:, :1]).train(settings, weights, final_weights=True)
    return all(drawn), trained.final_weights.tolist()
"""
STATE = """
import json, os
import llvmlite.binding
from numba.core.bytecode import FunctionIdentity
managers = getattr(llvmlite.binding, "newpassmanagers", None)  # those of versions for the fast compiler
patched = bool(managers) and "_dispose" in vars(managers.ModulePassManager), next(FunctionIdentity._unique_ids) > 10**6
print(json.dumps([*found, [sorted(os.environ), *patched]]))
"""
# As where Intel SVML is installed: a kernel that called one of its functions could not be loaded.
SVML = """
import llvmlite.binding, numba
llvmlite.binding.set_option("SVML", "-vector-library=SVML")
numba.config.USING_SVML = True
"""


def start(script: str, folder: Path) -> Any:
    """Run a script in a new process, and read what it prints."""
    folder.mkdir(exist_ok=True)
    (folder / "others.py").write_text(OTHERS)
    (folder / "ours.py").write_text(OURS)
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder), "NUMBA_ENABLE_CUDASIM": "1"}
    environment |= {"NUMBA_CACHE_DIR": str(folder / "numba"), "NUMBA_THREADING_LAYER": "workqueue"}
    environment["PYTHONPATH"] = os.pathsep.join((str(folder), str(Path(kernels.__file__).parents[1])))
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.wide
def test_others_are_left_alone(tmp_path: Path) -> None:
    """Whoever comes first, both get what they get alone, and Numba, llvmlite and the environment stay as they are."""
    others, state = start("import others; found = [others.run()]" + STATE, tmp_path / "alone")
    ours, _ = start("import ours; found = [ours.run()]" + STATE, tmp_path / "alone")
    assert ours[0]
    for _ in range(2):  # the second time with code on the disk
        found = start(
            "import others, ours; found = [others.run(), ours.run(), others.run()]" + STATE, tmp_path / "both"
        )
        assert found == [others, ours, others, state]
        found = start("import ours; found = [ours.run()]; import others; found += [others.run()]" + STATE, tmp_path)
        assert found == [ours, others, state]


@pytest.mark.wide
@of_fast_compiler
def test_intel_svml_changes_nothing(tmp_path: Path) -> None:
    """Initial weights have NumPy's bits also where Numba was imported first, and uses vector functions of Intel."""
    script = SVML + "import ours, json; print(json.dumps(ours.run()))"
    found, again = (start(script, tmp_path) for _ in range(2))
    assert found[0]
    assert again == found


def test_intel_svml_is_refused_by_the_plain_compiler(tmp_path: Path) -> None:
    """Old versions of LLVM would replace square roots; the error says how to switch SVML off."""
    script = "import os; os.environ['XOR_SWEEP_COMPILER'] = 'plain'" + SVML + "import ours"
    with pytest.raises(AssertionError, match="CompilerError: NUMBA_DISABLE_INTEL_SVML: must be 1 "):
        start(script, tmp_path)
