"""Parts of kernels are compiled once for all kernels in which their code is equal, and no kernel changes by it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernels import kept
from kernels.recipe import Architecture, Recipe
from kernels.settings import make_settings
from kernels.train import Trainer
from kernels.vocabulary import ACTIVATIONS, OPTIMIZERS
from tests.kernels.support import of_fast_compiler, of_width
from tests.kernels.tasks import TASKS

pytestmark = [pytest.mark.compiled, of_fast_compiler]


class _CompleteError(Exception):
    """Raised when the text of a kernel is complete, since the test does not need LLVM."""


class Compiled:
    """The code of a kernel before LLVM optimizes it.

    Attributes
    ----------
    texts
        LLVM's text of each part, by its name.
    n_parts
        How many functions Numba has compiled for that.
    """

    def __init__(self, recipe: Recipe, hidden: int, cache: Path, width: int | None = None) -> None:
        from kernels.numba.fast import libraries, pipelines

        self.n_parts, self.texts = 0, dict[str, str]()
        compile_bytecode = pipelines.CompilerBase._compile_bytecode

        def counted(compiler: Any) -> Any:
            self.n_parts += not isinstance(compiler, pipelines.KernelCompiler)
            return compile_bytecode(compiler)

        def stop(kernel: libraries.Kernel) -> None:
            linked = libraries.Linked({}, {}, {})
            list(kernel.linked(linked))
            self.texts = linked.texts
            raise _CompleteError

        with pytest.MonkeyPatch.context() as changed:
            changed.setenv("XDG_CACHE_HOME", str(cache))
            changed.setattr(kept, "kept_kernel", lru_cache(kept.make_alone))  # as in a new process
            changed.setattr(pipelines.CompilerBase, "_compile_bytecode", counted)
            changed.setattr(libraries.Kernel, "finalize", stop)
            weights = np.zeros((1, recipe.architecture.n_parameters(hidden)), recipe.dtype)
            one = make_settings(1, learning_rate=0.1, threshold=1e-3, max_steps=1)
            with pytest.raises(_CompleteError):
                Trainer(recipe, *TASKS["xor"], tuning=of_width(width, recipe.dtype)).train(one, weights)


def make_recipe(activation: str = "relu", optimizer: str = "gd", **components: Any) -> Recipe:
    """Return a recipe of two inputs and one output."""
    return Recipe(Architecture(2, 1, activation, "identity", bias=True), optimizer=optimizer, **components)


components = {
    "activation": st.sampled_from(sorted(ACTIVATIONS)),
    "optimizer": st.sampled_from(sorted(OPTIMIZERS)),
    "batch": st.sampled_from([None, 1, 3]),
    "criterion": st.sampled_from(["none", "loss", "correct"]),
    "dtype": st.sampled_from(["float64", "float32"]),
}
recipes = st.builds(make_recipe, **components)
WIDTHS = st.sampled_from([None, 1, 4])


def check_same_texts(
    first: Recipe, second: Recipe, hidden: int, widths: tuple[int | None, int | None], folder: pytest.TempPathFactory
) -> None:
    """Compile a kernel after another one, and alone, and compare the texts."""
    cache = folder.mktemp("shared")
    Compiled(first, 4, cache, widths[0])
    shared, own = (Compiled(second, hidden, place, widths[1]) for place in (cache, folder.mktemp("own")))
    assert shared.texts == own.texts


@pytest.mark.wide
@pytest.mark.parametrize(
    ("first", "second", "hidden", "width"),
    [
        pytest.param(make_recipe(), make_recipe(), 2, 1, marks=pytest.mark.soak),
        pytest.param(make_recipe("tanh", "adam"), make_recipe("elu", "rprop"), 4, None, marks=pytest.mark.soak),
        pytest.param(
            *(make_recipe(dtype="float32"), make_recipe(dtype="float64", criterion="none"), 1, None),
            marks=pytest.mark.soak,
        ),
        (make_recipe(batch=1), make_recipe("sin", "momentum", batch=3), 4, 2),
    ],
)
def test_same_code(
    first: Recipe, second: Recipe, hidden: int, width: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A kernel has exactly the same code whether parts of it come from another kernel or not."""
    check_same_texts(first, second, hidden, (None, width), tmp_path_factory)


@pytest.mark.soak
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=recipes, second=recipes, hidden=st.integers(1, 4), widths=st.tuples(WIDTHS, WIDTHS))
def test_same_code_of_any_two(
    first: Recipe,
    second: Recipe,
    hidden: int,
    widths: tuple[int | None, int | None],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The same holds for any two recipes."""
    check_same_texts(first, second, hidden, widths, tmp_path_factory)


@pytest.mark.wide
def test_only_what_differs_is_compiled(tmp_path: Path) -> None:
    """In a sweep over optimizers and activations, a further kernel compiles only the parts that use them."""
    first = Compiled(make_recipe(), 4, tmp_path).n_parts
    assert first > 60
    for optimizer in ("momentum", "nesterov", "rmsprop", "adam"):
        assert Compiled(make_recipe("relu", optimizer), 4, tmp_path).n_parts <= first / 3
    assert Compiled(make_recipe("elu"), 4, tmp_path).n_parts <= first / 2
    assert Compiled(make_recipe("elu", "adam"), 4, tmp_path).n_parts == 0


@pytest.mark.wide
def test_parts_that_are_not_intact_are_compiled(tmp_path: Path) -> None:
    """A part whose file is damaged or missing is compiled again and stored."""
    first = Compiled(make_recipe(), 4, tmp_path)
    files = sorted(tmp_path.rglob("*.part"))
    assert len(files) > 50
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:-1] + b"?")
    files[2].write_bytes(files[3].read_bytes())
    again = Compiled(make_recipe(), 4, tmp_path)
    assert again.texts == first.texts
    assert again.n_parts <= 3
    assert Compiled(make_recipe(), 4, tmp_path).n_parts == 0
