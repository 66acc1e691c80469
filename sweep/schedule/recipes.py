"""The arguments of kernels for a cell: the recipe that decides its bits, and its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kernels import vocabulary
from sweep.measures import MEASURES
from sweep.study.axes.grid import Cell
from sweep.study.model import Study
from sweep.study.options.option_tables import loss_and_reduction
from sweep.study.options.option_values import groups_of
from sweep.study.options.training import class_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.recipe import Recipe
    from sweep.schedule.plan import Plan


class ShapeRuns(NamedTuple):
    """Runs of one shape, which are trained together."""

    recipe: Recipe
    cell: Cell  # that of one of the runs
    settings: NDArray[Any]  # (cells,) of :data:`kernels.settings.SETTINGS`
    counts: NDArray[Any]  # (cells,): how many successive runs each of these cells has


def make_recipe(study: Study, cell: Cell) -> Recipe:
    """Return the recipe of a cell, in which a batch of all patterns is None and has no order."""
    from kernels.recipe import Architecture, Recipe

    n_patterns, n_inputs, n_outputs = study.data.sets[0].shape
    values = {**cell, "inputs": n_inputs, "outputs": n_outputs}
    values["loss"], values["reduction"] = loss_and_reduction(cell["loss"], cell["reduction"])
    if cell["batch"] == n_patterns:
        values |= {"batch": None, "order": "cyclic"}
    for name in ("activation", "output", "loss", "optimizer", "schedule"):
        values[name] = study.tables.custom[values[name]].key if values[name] in study.tables.custom else values[name]
    values |= {name: tuple(values[name].replace("none", "").split()) for name in ("freeze", "decays")}
    values["share"] = groups_of(values["share"])
    values["deep"] = len(cell.hidden) > 1
    values["skip"] = cell.skip if values["deep"] else cell["skip"]  # with one hidden layer there is one kernel
    if not cell.has_units:
        values |= {"skip": True, **{name: _as_skips(values[name]) for name in ("freeze", "decays")}}
        values["share"] = tuple(groups for group in values["share"] if (groups := _as_skips(group)))
    values["class_weight"] = class_weights(cell["class_weight"])
    values["architecture"] = Architecture(**{name: values[name] for name in Architecture._fields})
    values["used"] = tuple(name for name in sorted(vocabulary.SETTINGS) if _is_used(study, cell, name))
    values["records_thresholds"] = bool(study.record.loss_thresholds)
    values |= _of_held_out(study, cell)
    # Where a pattern has one output, or a class, it is right if that is correct, which is counted anyway.
    is_whole = n_outputs > 1 and cell["output"] not in vocabulary.OVER_OUTPUTS
    values["counts_right"] = is_whole and MEASURES["train_accuracy"].is_in(study)
    of_patterns = vocabulary.CRITERIA[cell["criterion"]].of_wrong or values["monitor"] == "accuracy"
    looks_at_patterns = values["counts_right"] or of_patterns
    values["one_hot"] = is_whole and looks_at_patterns and study.data.is_one_hot
    values["loss_sums"] = study.record.loss_sums
    return Recipe(**{name: values[name] for name in Recipe._fields})


def _is_used(study: Study, cell: Cell, name: str) -> bool:
    """Return whether the recipe of a cell has an optional setting: whether some cell has it on."""
    option = study.tables.options[name]
    is_on = vocabulary.SETTINGS[name].is_optional and any(each != option.default for each in study.values_of(name))
    return is_on and option.has_effect(lambda other: (cell[other],))


def _as_skips(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of parameters in a network without hidden units, whose v are skip connections k in kernels."""
    return tuple(name.replace("v", "k") for name in names if name[0] in "vc")


def _of_held_out(study: Study, cell: Cell) -> dict[str, Any]:
    """Return the fields of a recipe that say which patterns are monitored and decide convergence."""
    names = {"train_accuracy": "accuracy", "validation_accuracy": "held_out_accuracy"}
    monitor = names.get(cell["monitor"], cell["monitor"])
    monitor = "held_out_loss" if monitor in ("validation_loss", "test_loss") else monitor
    of_thresholds = cell["thresholds_on"] if study.record.loss_thresholds else "train"
    return {
        # The best validation is chosen by accuracy even if runs do not end by it.
        "monitor": monitor if study.has_patience or monitor == "held_out_accuracy" else "",
        "criterion_on": _place(cell["criterion_on"] if cell["criterion"] != "none" else "train"),
        "thresholds_on": _place(of_thresholds),
        "keeps_best": study.data.n_validations > 0,
    }


def _place(patterns: str) -> str:
    return "train" if patterns == "train" else "held_out"


# The fields of a recipe that decide outputs, and how these are judged. Of optional settings those of the network do.
_OF_OUTPUTS = ("architecture", "loss", "reduction", "dtype", "counts_right", "one_hot")
# Those that decide the penalty. Of optional settings it needs weight decay.
_OF_PENALTY = ("penalty", "decays", "share")


def make_still(recipe: Recipe, *, of_training: bool = False) -> Recipe:
    """Return the recipe of networks that compute the same outputs but take no step.

    Their loss has the penalty, smoothed labels and class weights of training only with ``of_training``.
    """
    from kernels.recipe import Recipe

    penalty = of_training and recipe.has_penalty
    names = (*_OF_OUTPUTS, *(_OF_PENALTY if penalty else ()), *(["class_weight"] if of_training else []))
    needed = {name for name in recipe.used if vocabulary.SETTINGS[name].section == "network"}
    needed |= {"label_smoothing"} if of_training else set()
    needed |= {"weight_decay"} if penalty else set()
    used = tuple(name for name in recipe.used if name in needed)
    return Recipe(**{name: getattr(recipe, name) for name in names}, criterion="none", used=used)


def cell_settings(plan: Plan, cells: NDArray[Any]) -> NDArray[Any]:
    """Return the settings of ``cells``, (cells,) of :data:`kernels.settings.SETTINGS`."""
    from kernels.settings import make_settings

    settings = plan.study.tables.with_role("setting")
    names = [name for name in settings if None not in plan.study.values_of(name)]
    columns = {name: plan.grid.column(name, cells) for name in names}
    columns["max_steps"] = columns["schedule_steps"] = plan.grid.most_steps(cells)
    return make_settings(len(cells), **columns, patterns=plan.study.set_numbers(cells))


def still_settings(settings: NDArray[Any]) -> NDArray[Any]:
    """Return settings of runs that take no step."""
    import numpy as np

    still = settings.copy()
    still["max_steps"] = still["from_step"] = 0
    still["divergence_threshold"] = np.inf
    return still
