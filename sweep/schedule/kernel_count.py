"""The most kernels that a study compiles, from its options alone, without importing Numba or the kernels."""

from __future__ import annotations

import hashlib
from typing import Any

from kernels.effort import Effort, effort_for
from kernels.start.names import distributions_in
from sweep.schemas.run_columns import curved_measures
from sweep.study.model import Study
from sweep.study.options.option_tables import loss_and_reduction, with_role

# Hidden sizes with a separate kernel, and the most variants of packets of kernels for other sizes. kernels.variant
# knows the CPU, so it chooses among fewer.
_SEPARATE_SIZES = {(0,), (1,), (2,)}
_MOST_PACKETS = 3
# Most numbers of patterns that are compiled into kernels as constants.
_MOST_CONSTANTS = 192

# NumPy draws the weights of a network in some 5 us, in one thread at a time; a kernel for that compiles in a second.
# Cells share the weights of a seed, but the second limit applies in any case.
_FEW_STARTS, _FEW_RUNS = 10_000, 100_000

# Options that decide only steps and their evaluation, not the outputs of a trained network.
_OF_STEPS = (
    *("optimizer", "schedule", "batch", "freeze", "share", "order"),
    *("criterion", "monitor", "stopping_rule", "criterion_on", "validate_every", "thresholds_on", "stop"),
)

# Options that decide whether initial weights are also drawn in the dtype of the networks.
_DECIDE_PASSES = ("scale", "output_scale", "bias_scale", "offset", "draw_order", "bias", "skip", "shortcuts")


def most_kernels(study: Study, operations: float) -> int:
    """Return the most kernels that a study with these operations of all runs compiles if none is on disk."""
    effort = study_effort(study, operations)
    trainings = sum(_trainings(study, dict(recipe), effort) for recipe in _recipes(study))
    return trainings + _tests(study) + _drawings(study)


def study_effort(study: Study, operations: float) -> Effort:
    """Return the effort that is worth its compilation for each recipe of a study, with equal operations for each."""
    return effort_for(operations / len(_recipes(study)), len(study.hidden_layers))


def kernels_digest(study: Study) -> str:
    """Return a name for the kernels of a study: studies with other hidden sizes, inputs and outputs share it."""
    return hashlib.sha256(repr(sorted(map(repr, _recipes(study)))).encode()).hexdigest()[:16]


def _recipes(study: Study) -> set[tuple[tuple[str, Any], ...]]:
    """Return the distinct combinations of the options that decide kernels, without the hidden layers."""
    names = [name for name in with_role("kernel") if name not in ("hidden", "layers")]
    return {_recipe(study, dict(zip(names, values, strict=True))) for values in study.combinations(names)}


def _recipe(study: Study, options: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Return the options that decide a kernel, without the hidden size; equal if they mean the same."""
    options["loss"], options["reduction"] = loss_and_reduction(options["loss"], options["reduction"])
    if options["batch"] == study.data.n_patterns:
        options["order"] = "cyclic"
    return tuple(options.items())


def _trainings(study: Study, options: dict[str, Any], effort: Effort) -> int:
    """Return the most kernels that train networks of all hidden layers with the same other options.

    If patterns are constants, one more kernel trains runs whose numbers are not finite. One serves all deep networks.
    """
    n_patterns, n_inputs, n_outputs = study.data.sets[0].shape
    n_numbers = n_patterns * (n_inputs + n_outputs)
    is_general = effort is Effort.LEAST or options["batch"] < n_patterns or n_numbers > _MOST_CONSTANTS
    is_general = is_general or len({data.inputs for data in study.data.sets}) > 1
    most = _MOST_PACKETS if options["criterion"] == "none" else 2
    alike = _alike(study, options["scaling"])
    total = len(alike)
    for layers in alike.values() if not is_general else ():
        n_separate = sum(sizes in _SEPARATE_SIZES for sizes in layers)
        total += 1 if effort is Effort.SHARED else n_separate + min(len(layers) - n_separate, most)
    return _n_gains(study) * total


def _n_gains(study: Study) -> int:
    """Return the number of kernels for different gains: a factor of 1 is omitted."""
    return min(len(study.values_of("gain")), 2)


def _alike(study: Study, scaling: str) -> dict[tuple[bool, ...], list[tuple[int, ...]]]:
    """Return the hidden layers of networks by the factors that their kernels have."""
    alike: dict[tuple[bool, ...], list[tuple[int, ...]]] = {}
    for sizes in study.hidden_layers:
        fans = (study.data.n_inputs, *sizes)
        scaled = (max(fans[:-1]) > 1, fans[-1] > 1) if scaling != "standard" else ()
        alike.setdefault((len(sizes) > 1, sizes == (0,), *scaled), []).append(sizes)
    return alike


def _tests(study: Study) -> int:
    """Return the most kernels for trained networks: for test patterns, learning curves and sharpness."""
    by_own = bool(study.record.curves) or study.data.n_validations > 0
    n_kinds = len(study.data.held_out) + by_own + bool(curved_measures(study))
    if not n_kinds:
        return 0
    has_penalty = any(study.values_of("penalty"))
    omitted = _OF_STEPS if has_penalty else (*_OF_STEPS, "decays")
    distinct = {tuple((name, value) for name, value in recipe if name not in omitted) for recipe in _recipes(study)}
    n_kinds *= _n_gains(study)
    return n_kinds * sum(len(_alike(study, dict(recipe)["scaling"])) for recipe in distinct)


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
    decide = (*_DECIDE_PASSES, "hidden", "layers", "distribution")
    dtypes = study.values_of("dtype")
    several = len(dtypes) > 1 or (dtypes != ("float64",) and study.grid.n_combinations(decide) > 1)
    return len(drawn) * (2 if several else 1)


def compiler_note() -> str:
    """Return one sentence where kernels take longer to compile than with another version of Numba; otherwise ""."""
    from kernels.numba.choice import choose_compiler

    why = choose_compiler().why
    longer = "a kernel takes two to five times as long to compile, with the same results"
    return f"{why}: {longer}" if why else ""
