"""The objects that compiling a kernel leaves behind are freed, and so are the least recently used kernels."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import weakref
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kernels
from kernels import kept
from kernels.recipe import Architecture, Recipe
from kernels.settings import make_settings
from kernels.train import Trainer
from tests.kernels.support import compiled_only_marks
from tests.kernels.tasks import TASKS

pytestmark = compiled_only_marks


def train(recipe: Recipe, hidden: int) -> Any:
    """Train four networks for some steps; return their weights, and the kernel that is kept."""
    trainer = Trainer(recipe, *TASKS["xor"])
    settings = make_settings(4, learning_rate=0.1, threshold=1e-3, max_steps=50)
    weights = np.linspace(-1.0, 1.0, 4 * (4 * hidden + 1)).reshape(4, -1)
    outcome = trainer.train(settings, weights, final_weights=True)
    return outcome.final_weights, kept.kernel_for(recipe, trainer.variant(hidden))


def make_recipe(optimizer: str = "gd") -> Recipe:
    """Return a recipe of small kernels."""
    return Recipe(Architecture(2, 1, "identity", "identity", bias=True), optimizer=optimizer)


@pytest.mark.wide
def test_only_machine_code_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel that trains reads its code from the disk, where another one was compiled first."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(kept, "kept_kernel", lru_cache(kept.make_alone))
    made: list[Any] = []
    make_kernel = kept.make_kernel

    def watched(*given: Any) -> Any:
        made.append(weakref.ref(kernel := make_kernel(*given)))
        return kernel

    monkeypatch.setattr(kept, "make_kernel", watched)
    _, kernel = train(make_recipe(), 2)
    assert len(made) == 2
    assert [reference() for reference in made] == [kernel, None]
    assert sum(kernel.stats.cache_hits.values()) == 1
    parts = [cell.cell_contents for cell in kernel.py_func.__closure__]
    assert not any(part.overloads for part in parts if hasattr(part, "overloads") and part.py_func.__closure__)


@pytest.mark.wide
def test_recently_used_kernels_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A further kernel replaces the least recently used one with its machine code; made again, that gives the same."""
    monkeypatch.setattr(kept, "kept_kernel", lru_cache(2)(kept.make_alone))
    before, first = train(make_recipe(), 1)
    library = weakref.ref(next(iter(first.overloads.values())).library)
    reference = weakref.ref(first)
    for optimizer in ("momentum", "gd", "nesterov"):
        _, kernel = train(make_recipe(optimizer), 1)
        assert (kernel is first) == (optimizer == "gd")
    train(make_recipe("momentum"), 1)
    del first, kernel
    gc.collect()
    assert reference() is None
    assert library() is None
    np.testing.assert_array_equal(train(make_recipe(), 1)[0], before)


MANY = """
import json, resource, sys
import numpy as np
from kernels.recipe import Architecture, Recipe
from kernels.settings import make_settings
from kernels.train import Trainer

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 2**20

x = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
settings = make_settings(1, learning_rate=0.1, max_steps=3)
found = []
for activation in sys.argv[1].split(","):
    for optimizer in ("gd", "momentum", "nesterov", "rmsprop", "adam", "rprop"):
        for hidden in ((1, 2) if optimizer == "gd" else (2,)):
            recipe = Recipe(Architecture(2, 1, activation, "identity", bias=True), optimizer=optimizer)
            Trainer(recipe, x, x[:, :1]).train(settings, np.zeros((1, 4 * hidden + 1)))
            found.append(resident())
print(json.dumps(found))
"""


def resident_megabytes(activations: str, cache: Path) -> list[float]:
    """Return the resident memory of a new process after each of seven kernels of some activations."""
    components = [sys.executable, "-c", MANY, activations]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    root = Path(kernels.__file__).parents[1]
    found = subprocess.run(components, cwd=root, env=environment, capture_output=True, text=True, check=True).stdout
    numbers: list[float] = json.loads(found)
    return numbers


FEW, MANY_ACTIVATIONS = "identity", "relu,leaky_relu,elu,softplus,silu,gelu,tanh,sigmoid,identity"


@pytest.mark.soak
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells of resident memory this way")
@pytest.mark.parametrize(("activations", "most"), [(FEW, (48.0, 36.0)), (MANY_ACTIVATIONS, (570.0, 570.0))])
def test_memory_of_kernels(activations: str, most: tuple[float, float], tmp_path: Path) -> None:
    """Kernels after the first take 8 MB each at most when they are compiled, and from the disk 6 MB."""
    for limit in most:
        found = resident_megabytes(activations, tmp_path)
        assert len(found) == 7 * len(activations.split(","))
        assert max(found) - found[0] < limit
