"""What rows say that no training can give, whoever wrote them and made their checksums fit: told from the study alone.

The rules follow from how runs are judged (:mod:`kernels.loop.judge`): what a status takes, when runs may end, and how
the numbers of a row go together. They hold on any machine, so a row that breaks one is false. A row that breaks none
may be false still, which training it again tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kernels import vocabulary
from kernels.data.patterns import make_patterns
from kernels.loop.runs import CONVERGED, DIVERGED, EXHAUSTED, STALLED, Columns
from kernels.words.reductions import count
from sweep.schedule.plan import Plan
from sweep.statistics.losses import rounded
from sweep.study.model import Study
from sweep.study.words import SWEEPABLE, loss_and_reduction

Array = NDArray[Any]
Mask: TypeAlias = NDArray[np.bool_]

# Which rows break a rule, and the rule.
Broken: TypeAlias = tuple[Mask, str]


class Terms(NamedTuple):
    """What the study says of the cell of each row.

    Attributes
    ----------
    limit, n_windows
        After how many steps a run is exhausted, and how many steps an epoch takes.
    from_step, below, bound
        Of convergence and divergence, as the kernel has them: rounded to the dtype, and ``bound`` finite.
    criterion
        Name of the criterion.
    may_stall
        Whether runs are judged to stall.
    scale
        By what the sum of squared errors is multiplied to be the loss; NaN for other losses.
    """

    limit: Array
    n_windows: Array
    from_step: Array
    below: Array
    bound: Array
    criterion: Array
    may_stall: Mask
    scale: Array

    def of(self, places: Array) -> Terms:
        """Return the terms of rows, each of the cell at its place."""
        return Terms(*(values[places] for values in self))


class Targets(NamedTuple):
    """What outputs are compared with.

    Attributes
    ----------
    n_outputs
        Patterns times outputs.
    margin
        A smaller largest error means that every output is on the right side.
    dtype
        Of the networks.
    """

    n_outputs: int
    margin: float
    dtype: type[Any]


def make_targets(study: Study) -> Targets:
    """Return what the outputs of all networks of a study are compared with."""
    dtype = np.dtype(study.network.dtype)
    patterns = make_patterns(np.array(study.data.inputs), np.array(study.data.targets), dtype.name)
    with np.errstate(over="ignore"):
        margin = float(np.abs(patterns.targets - patterns.middle).min())
    return Targets(patterns.targets.size, margin, dtype.type)


def make_terms(plan: Plan, cells: Array, settings: Array) -> Terms:
    """Return what a study says of cells.

    Parameters
    ----------
    plan
        Of the study.
    cells : (cells,)
    settings : (cells,) of :data:`kernels.recipe.SETTINGS`
        Of these cells.
    """
    dtype = np.dtype(plan.study.network.dtype)
    bound = np.minimum(settings["bound"], np.finfo(dtype).max)
    n_windows, criterion = plan.grid.n_windows(cells), plan.grid.column("criterion", cells)
    return Terms(
        settings["max_steps"],
        n_windows,
        settings["from_step"],
        settings["below"].astype(dtype).astype(float),
        bound.astype(dtype).astype(float),
        criterion,
        (criterion != "none") & ((plan.grid.column("order", cells) != "shuffled") | (n_windows == 1)),
        _scales(plan, cells),
    )


def _scales(plan: Plan, cells: Array) -> Array:
    """Return by what squared errors are multiplied in each cell; NaN for losses that are not made of them."""
    study, scales = plan.study, np.full(len(cells), np.nan)
    losses, reductions = plan.grid.column("loss", cells), plan.grid.column("reduction", cells)
    for loss in study.values_of("loss"):
        for reduction in study.values_of("reduction"):
            name, reduced = loss_and_reduction(loss, reduction)
            divisor = count(reduced, len(study.data.inputs), len(study.data.targets[0]))
            scales[(losses == loss) & (reductions == reduction)] = (vocabulary.LOSSES[name].squares or np.nan) / divisor
    return scales


def broken_by_ends(status: Array, steps: Array, terms: Terms) -> Iterator[Broken]:
    """Yield the rules of how runs end, and which rows break them.

    Parameters
    ----------
    status, steps : (rows,)
    terms
        Of the cells of these rows.
    """
    converged, stalled = status == CONVERGED, status == STALLED
    at_limit = steps == terms.limit
    yield (steps < 0) | (steps > terms.limit), "a run takes from 0 to as many steps as its cell allows"
    yield ~at_limit & (steps % terms.n_windows != 0), "a run ends after whole epochs or at its last step"
    yield (status == EXHAUSTED) & ~at_limit, "a run is exhausted at its last step alone"
    yield converged & (terms.criterion == "none"), "without a criterion no run converges"
    yield converged & (steps < terms.from_step), "no run converges before from_step"
    yield stalled & ~terms.may_stall, "runs are not judged to stall without a criterion, nor in shuffled epochs"
    yield stalled & (steps == 0), "no run has stalled before its first update"


def broken_by_counted(status: Array, losses: Array, terms: Terms) -> Iterator[Broken]:
    """Yield the rules of final losses that are counted, and which rows break them.

    Parameters
    ----------
    status, losses : (rows,)
    terms
        Of the cells of these rows.
    """
    judged, diverged = terms.criterion != "none", status == DIVERGED
    yield judged & (losses != 0), "losses are counted where convergence is not judged, and are 0 elsewhere"
    yield ~(rounded(losses) == losses) | np.signbit(losses), "losses that are counted are rounded, and not below 0"
    yield ~judged & (np.isinf(losses) != diverged), "runs that have diverged, and no others, have no finite loss"


def broken_by_measures(columns: Columns, terms: Terms, targets: Targets) -> list[Broken]:
    """Return the rules of what is measured of runs, and which rows break them.

    Parameters
    ----------
    columns
        What became of each row.
    terms, targets
        Of their cells, and of their study.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return [
            *_broken_by_numbers(columns, terms, targets),
            *_broken_by_start(columns, terms),
            *_broken_by_end(columns, terms, targets),
            *_broken_by_squares(columns, terms, targets),
        ]


def _broken_by_numbers(columns: Columns, terms: Terms, targets: Targets) -> Iterator[Broken]:
    """Yield the rules of each number alone."""
    final, diverged = columns.final_loss, columns.status == DIVERGED
    met_otherwise = (columns.status == CONVERGED) & (terms.criterion != "loss")  # whose loss may be anything
    never: Mask = np.zeros(len(final), np.bool_)
    for numbers, may_be_nan in ((columns.initial_loss, never), (final, met_otherwise), (columns.max_error, never)):
        is_nan = np.isnan(numbers)
        yield (is_nan & ~may_be_nan) | (np.signbit(numbers) & ~is_nan), "losses and errors are at least 0, and not -0"
        rounded = numbers.astype(targets.dtype)
        yield (rounded != numbers) & ~is_nan, f"losses and errors are numbers of {targets.dtype.__name__}"
    correct = columns.n_correct
    yield (correct < 0) | (correct > targets.n_outputs), f"from 0 to {targets.n_outputs} outputs can be right"
    infinite = (final == np.inf) & (columns.max_error == np.inf)
    yield (
        diverged & ~(infinite & (correct == 0)),
        "a run that has diverged has no finite loss or error, nor right outputs",
    )
    too_high = ~(final <= terms.bound) & ~(columns.status == CONVERGED)  # convergence is judged first
    yield too_high & ~diverged, "a run whose loss is not finite, or too high, diverges"


def _broken_by_start(columns: Columns, terms: Terms) -> Iterator[Broken]:
    """Yield the rules of the first loss."""
    initial, final, started = columns.initial_loss, columns.final_loss, columns.steps > 0
    diverged, by_loss = columns.status == DIVERGED, terms.criterion == "loss"
    yield started & ~(initial <= terms.bound), "a run whose first loss is not finite, or too high, takes no step"
    yield ~started & diverged & (initial <= terms.bound), "a run whose first loss is not too high takes a step"
    met = by_loss & (terms.from_step == 0) & (initial < terms.below)
    yield started & met, "a run whose first loss meets the criterion takes no step"
    same = np.where(np.isfinite(initial), final == initial, ~np.isfinite(final))
    unmoved = ~started | ((columns.status == STALLED) & (columns.steps <= terms.n_windows))
    yield unmoved & ~diverged & ~same, "a run that did not move ends with its first loss"


def _broken_by_end(columns: Columns, terms: Terms, targets: Targets) -> Iterator[Broken]:
    """Yield the rules of convergence."""
    met = np.select(
        [terms.criterion == "loss", terms.criterion == "max_error", terms.criterion == "correct"],
        [columns.final_loss < terms.below, columns.max_error < terms.below, columns.n_correct == targets.n_outputs],
        False,
    )
    converged, diverged = columns.status == CONVERGED, columns.status == DIVERGED
    yield converged & ~met, "a run that has converged meets the criterion"
    yield ~converged & ~diverged & met & (columns.steps >= terms.from_step), "a run that meets the criterion converges"
    all_right = (columns.max_error < targets.margin) & (columns.n_correct != targets.n_outputs)
    yield all_right & ~diverged, "an output so near to its target is right"


def _broken_by_squares(columns: Columns, terms: Terms, targets: Targets) -> Iterator[Broken]:
    """Yield the rule that squared errors add up to at least the largest, or those of wrong outputs, and not to more."""
    info, scale, n_outputs = np.finfo(targets.dtype), terms.scale, targets.n_outputs
    largest, wrong = (columns.max_error.astype(targets.dtype) ** 2).astype(float), targets.dtype(targets.margin) ** 2
    close = 1 + 4 * n_outputs * float(info.eps)  # for the rounding of each sum
    tiny = 2 * float(info.smallest_subnormal)
    least = np.maximum(largest, (n_outputs - columns.n_correct) * float(wrong)) * scale / close - tiny
    most = n_outputs * largest * scale * close + tiny
    known: Mask = ~np.isnan(scale) & np.isfinite(columns.final_loss)
    outside: Mask = (columns.final_loss < least) | (columns.final_loss > most)
    yield known & outside, "a loss of squared errors goes with the largest of them and with how many outputs are wrong"


def starts_alike(plan: Plan) -> list[str]:
    """Return the swept words on which the first loss of a seed depends."""
    return [
        name
        for name in plan.study.parameters
        if SWEEPABLE[name] in ("network", "initial_weights") or name in ("loss", "reduction")
    ]


def broken_by_others(plan: Plan, cells: Array, seeds: Array, initial_loss: Array) -> Iterator[Broken]:
    """Yield the rule that a seed has the same first loss in all cells that start alike, and which rows break it.

    Parameters
    ----------
    plan
        Of the study.
    cells, seeds, initial_loss : (rows,)
    """
    alike = starts_alike(plan)
    if len(alike) < len(plan.study.parameters):
        numbers = {"seed": seeds, "initial_loss": initial_loss}
        frame = pd.DataFrame({name: plan.grid.column(name, cells) for name in alike} | numbers)
        first = frame.groupby([*alike, "seed"], sort=False)["initial_loss"].transform("first")
        yield (
            (first != frame["initial_loss"]).to_numpy(),
            "a seed has the same first loss in all cells that start alike",
        )
