"""The most kernels that a study compiles, from its recipes, without importing Numba or NumPy."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from kernels.effort import Effort, effort_for, holds_patterns, unrolls
from kernels.start.names import distributions_in
from sweep.schedule.recipes import make_recipe, make_still
from sweep.schemas.run_columns import curved_measures
from sweep.study.axes.grid import Cell
from sweep.study.model import Study
from sweep.study.options.option_tables import OPTIONS, with_role

if TYPE_CHECKING:
    from kernels.recipe import Recipe

# Hidden layers, each with its units; and those of several networks.
Layers = tuple[int, ...]
Recipes = dict["Recipe", list[Layers]]

# Most numbers of patterns that are constants of kernels on any CPU, and most packets that take turns where hidden sizes
# share kernels. kernels.variant knows the CPU at hand.
_MOST_CONSTANTS, _MOST_PACKETS = 192, 2

# NumPy draws the weights of a network in some 5 us, in one thread at a time; a kernel for that compiles in a second.
# Cells share the weights of a seed, but the second limit applies in any case.
_FEW_STARTS, _FEW_RUNS = 10_000, 100_000


def most_kernels(study: Study, operations: float) -> int:
    """Return the most kernels that a study with these operations of all runs compiles if none is on disk."""
    effort, recipes = study_effort(study, operations), _recipes(study)
    trainings = sum(_trainings(study, recipe, layers, effort) for recipe, layers in recipes.items())
    return trainings + _tests(study, recipes) + _drawings(study)


def study_effort(study: Study, operations: float) -> Effort:
    """Return the effort that is worth its compilation for each recipe of a study, with equal operations for each."""
    return effort_for(operations / len(_without_sizes(study)), len(study.hidden_layers))


def kernels_digest(study: Study) -> str:
    """Return a name for the kernels of a study: studies with other hidden sizes, inputs and outputs share it."""
    return hashlib.sha256(repr(sorted(map(repr, _without_sizes(study)))).encode()).hexdigest()[:16]


def _recipes(study: Study) -> Recipes:
    """Return the distinct recipes of a study, and the hidden layers that each may have."""
    names = [name for name in with_role("kernel") if name not in ("hidden", "layers")]
    combinations = [dict(zip(names, values, strict=True)) for values in study.combinations(names)]
    kinds: dict[tuple[bool, bool], list[Layers]] = {}
    for layers in study.hidden_layers:
        kinds.setdefault((len(layers) > 1, layers == (0,)), []).append(layers)
    found: Recipes = {}
    for alike in kinds.values():
        hidden = {"hidden": "-".join(map(str, alike[0])) if len(alike[0]) > 1 else alike[0][0], "layers": 1}
        for options in combinations:
            found[make_recipe(study, Cell(options | hidden))] = alike
    return found


def _without_sizes(study: Study) -> set[Recipe]:
    """Return the distinct recipes of a study without the sizes of networks."""
    architectures = ((each, each.architecture) for each in _recipes(study))
    return {each._replace(architecture=of._replace(inputs=0, outputs=0, deep=False)) for each, of in architectures}


def _trainings(study: Study, recipe: Recipe, networks: list[Layers], effort: Effort) -> int:
    """Return the most kernels that train networks of these hidden layers by one recipe.

    If patterns are constants, one more kernel trains runs whose numbers are not finite. One serves all deep networks.
    """
    alike = _alike(recipe, networks)
    total = len(alike)
    may_hold = holds_patterns(recipe, effort, study.data.n_patterns, _MOST_CONSTANTS)
    if not may_hold or len({data.inputs for data in study.data.sets}) > 1:
        return total
    most = _MOST_PACKETS if effort is Effort.MOST else 1
    for layers in alike.values():
        n_separate = sum(unrolls(recipe, effort, sizes) for sizes in layers)
        total += n_separate + min(len(layers) - n_separate, most)
    return total


def _alike(recipe: Recipe, networks: Iterable[Layers]) -> dict[tuple[bool, bool], list[Layers]]:
    """Return hidden layers by the factors that kernels have: of sums over inputs, and over hidden units."""
    alike: dict[tuple[bool, bool], list[Layers]] = {}
    for layers in networks:
        alike.setdefault(recipe.scaled_sums(layers), []).append(layers)
    return alike


def _tests(study: Study, recipes: Recipes) -> int:
    """Return the most kernels for trained networks: for test patterns, learning curves and sharpness."""
    by_own = bool(study.record.curves) or study.data.n_validations > 0
    n_kinds = len(study.data.held_out) + by_own + bool(curved_measures(study))
    if not n_kinds:
        return 0
    stills = {make_still(recipe, of_training=True): layers for recipe, layers in recipes.items()}
    return n_kinds * sum(len(_alike(still, layers)) for still, layers in stills.items())


def draws_by_numpy(study: Study) -> bool:
    """Return whether NumPy draws the initial weights of a study, since they are too few to be worth a kernel."""
    n_starts = study.seeds.count * len(study.hidden_layers) * study.grid.n_combinations(with_role("start"))
    return n_starts <= _FEW_STARTS and study.n_runs <= _FEW_RUNS


def _drawings(study: Study) -> int:
    """Return the number of kernels that draw initial weights; NumPy draws those of pcg64."""
    if "mt19937" not in study.values_of("generator") or draws_by_numpy(study):
        return 0
    # Truncated normal numbers are made from normal ones; constants are not drawn.
    found = set[str]().union(*map(distributions_in, study.values_of("distribution")))
    drawn = {name.removeprefix("truncated_") for name in found} - {"constant"}
    decide = [name for name, each in OPTIONS.items() if each.role == "start" or each.section == "network"]
    dtypes = study.values_of("dtype")
    several = len(dtypes) > 1 or (dtypes != ("float64",) and study.grid.n_combinations(decide) > 1)
    return len(drawn) * (2 if several else 1)


def compiler_note() -> str:
    """Return one sentence where kernels take longer to compile than with another version of Numba; otherwise ""."""
    from kernels.numba.choice import choose_compiler

    why = choose_compiler().why
    longer = "a kernel takes two to five times as long to compile, with the same results"
    return f"{why}: {longer}" if why else ""
