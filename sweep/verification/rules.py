"""Rules that no training breaks, derived from the study alone; they find rows that were forged with their checksums.

The rules follow from how runs are evaluated (:mod:`kernels.loop.evaluation`): what a status requires, when runs may
end, and which numbers of a row are consistent. They hold on any machine, so a row that breaks one is false. A row that
breaks none may be false too; training shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kernels.components.reductions import count
from kernels.loop.runs import CONVERGED, DIVERGED, EXHAUSTED, PLATEAU, STALLED, Columns
from sweep.schedule.plan import Plan
from sweep.statistics.losses import rounded
from sweep.study.options import loss_and_reduction
from sweep.verification.compared_targets import Targets

Array = NDArray[Any]
Mask: TypeAlias = NDArray[np.bool_]

# The rows that break a rule, and the rule.
Broken: TypeAlias = tuple[Mask, str]


class Terms(NamedTuple):
    """The conditions of the cell of each row.

    Attributes
    ----------
    limit, n_windows
        Steps after which a run is exhausted, and steps of an epoch.
    from_step, below, bound
        Conditions of convergence and divergence in the dtype of the kernel; ``bound`` is finite.
    criterion
        Name of the criterion.
    may_stall
        Whether stalling is evaluated.
    patience
        Evaluations without an improvement after which a run ends; infinite for none.
    scale
        Factor from the sum of squared errors to the loss; NaN for other losses.
    n_evaluated
        Outputs of a pattern that can be right: one of classes.
    """

    limit: Array
    n_windows: Array
    from_step: Array
    threshold: Array
    divergence_threshold: Array
    criterion: Array
    may_stall: Mask
    patience: Array
    scale: Array
    n_evaluated: Array

    def of(self, places: Array) -> Terms:
        """Return the terms of rows, given the index of each row's cell."""
        return Terms(*(values[places] for values in self))


def make_terms(plan: Plan, cells: Array, settings: Array) -> Terms:
    """Return the conditions of cells.

    Parameters
    ----------
    plan
        The plan of the study.
    cells, settings : (cells,)
        Numbers of cells and their settings (:data:`kernels.recipe.SETTINGS`).

    Returns
    -------
    Terms
        The conditions of these cells.
    """
    dtype = np.dtype(plan.study.network.dtype)
    bound = np.minimum(settings["divergence_threshold"], np.finfo(dtype).max)
    n_windows, criterion = plan.grid.n_windows(cells), plan.grid.column("criterion", cells)
    return Terms(
        settings["max_steps"],
        n_windows,
        settings["from_step"],
        settings["threshold"].astype(dtype).astype(float),
        bound.astype(dtype).astype(float),
        criterion,
        _may_stall(plan, cells, n_windows),
        settings["patience"],
        _scales(plan, cells),
        np.array(list(map(plan.study.n_evaluated_with, plan.grid.column("output", cells).tolist())), np.int64),
    )


def _may_stall(plan: Plan, cells: Array, n_windows: Array) -> Mask:
    criterion, order, schedule = (plan.grid.column(name, cells) for name in ("criterion", "order", "schedule"))
    return np.asarray((criterion != "none") & ((order != "shuffled") | (n_windows == 1)) & (schedule == "constant"))


def _scales(plan: Plan, cells: Array) -> Array:
    """Return the factor from squared errors to the loss of each cell; NaN for other losses."""
    study, scales, options = plan.study, np.full(len(cells), np.nan), plan.study.tables.users["loss"]
    losses, reductions = plan.grid.column("loss", cells), plan.grid.column("reduction", cells)
    for loss in study.values_of("loss"):
        for reduction in study.values_of("reduction"):
            name, reduced = loss_and_reduction(loss, reduction)
            divisor = count(reduced, study.data.n_patterns, study.data.n_targets)
            scales[(losses == loss) & (reductions == reduction)] = (options[name].squares or np.nan) / divisor
    return scales


def broken_by_ends(
    status: Array, steps: Array, total: Array, terms: Terms, cut: Mask | bool = False
) -> Iterator[Broken]:
    """Yield the rules for the ends of runs, and the rows that break them.

    Parameters
    ----------
    status, steps, total : (rows,)
        Columns of the rows; status as codes, and updates of the last attempt and of all.
    terms
        Terms of the rows.
    cut
        Whether the last attempt ended, or may have ended, amid an epoch where another one would have begun.

    Yields
    ------
    Broken
        A mask of the rows that break a rule, and the rule as a sentence.
    """
    converged, stalled = status == CONVERGED, status == STALLED
    at_limit = total == terms.limit
    yield (steps < 0) | (total > terms.limit), "a run takes from 0 to as many steps as its cell allows"
    yield ~at_limit & ~cut & (steps % terms.n_windows != 0), "a run ends after whole epochs or at its last step"
    yield (status == EXHAUSTED) & ~at_limit, "a run is exhausted only at its last step"
    yield converged & (terms.criterion == "none"), "without a criterion no run converges"
    yield converged & (steps < terms.from_step), "no run converges before from_step"
    yield stalled & ~terms.may_stall, "runs do not stall without a criterion, in shuffled epochs or under a schedule"
    yield stalled & (steps == 0), "no run has stalled before its first update"
    too_soon = -(-steps // terms.n_windows) < terms.patience  # the first evaluation is an improvement
    yield (status == PLATEAU) & too_soon, "no run ends on a plateau before its patience has passed"


def broken_by_counted(status: Array, losses: Array, terms: Terms) -> Iterator[Broken]:
    """Yield the rules for counted final losses, and the rows that break them.

    Parameters
    ----------
    status, losses : (rows,)
        Columns of the rows; status as codes, losses rounded.
    terms
        Terms of the rows.

    Yields
    ------
    Broken
        A mask of the rows that break a rule, and the rule as a sentence.
    """
    evaluated, diverged = terms.criterion != "none", status == DIVERGED
    yield evaluated & (losses != 0), "losses are counted where there is no criterion, and are 0 elsewhere"
    yield ~(rounded(losses) == losses) | np.signbit(losses), "losses that are counted are rounded, and not below 0"
    yield ~evaluated & (np.isinf(losses) != diverged), "runs that have diverged, and no others, have no finite loss"


def broken_by_measures(columns: Columns, terms: Terms, targets: Targets) -> list[Broken]:
    """Return the rules for measures of runs, and the rows that break them.

    Parameters
    ----------
    columns
        The outcome of each row.
    terms
        Terms of the rows.
    targets
        Targets of the study.

    Returns
    -------
    list of Broken
        For each rule a mask of the rows that break it, and the rule as a sentence.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return [
            *_broken_by_numbers(columns, terms, targets),
            *_broken_by_start(columns, terms),
            *_broken_by_end(columns, terms, targets),
            *_broken_by_squares(columns, terms, targets),
        ]


def _broken_by_numbers(columns: Columns, terms: Terms, targets: Targets) -> Iterator[Broken]:
    """Yield the rules for single numbers."""
    final, diverged = columns.final_loss, columns.status == DIVERGED
    met_otherwise = (columns.status == CONVERGED) & (terms.criterion != "loss")  # whose loss may have any value
    never: Mask = np.zeros(len(final), np.bool_)
    for numbers, may_be_nan in ((columns.initial_loss, never), (final, met_otherwise), (columns.max_error, never)):
        is_nan = np.isnan(numbers)
        yield (is_nan & ~may_be_nan) | (np.signbit(numbers) & ~is_nan), "losses and errors are at least 0, and not -0"
        rounded = numbers.astype(targets.dtype)
        yield (rounded != numbers) & ~is_nan, f"losses and errors are numbers of {targets.dtype.__name__}"
    correct, most = columns.n_correct, targets.n_patterns * terms.n_evaluated
    yield (correct < 0) | (correct > most), f"from 0 to {most.max(initial=0)} outputs can be right"
    infinite = (final == np.inf) & (columns.max_error == np.inf)
    yield (
        diverged & ~(infinite & (correct == 0)),
        "a run that has diverged has no finite loss or error, nor right outputs",
    )
    too_high = ~(final <= terms.divergence_threshold) & ~(columns.status == CONVERGED)  # there is a criterion first
    yield too_high & ~diverged, "a run whose loss is not finite, or too high, diverges"


def _broken_by_start(columns: Columns, terms: Terms) -> Iterator[Broken]:
    """Yield the rules for the first loss."""
    initial, final, started = columns.initial_loss, columns.final_loss, columns.steps > 0
    diverged, by_loss = columns.status == DIVERGED, terms.criterion == "loss"
    yield (
        started & ~(initial <= terms.divergence_threshold),
        "a run whose first loss is not finite, or too high, takes no step",
    )
    yield (
        ~started & diverged & (initial <= terms.divergence_threshold),
        "a run whose first loss is not too high takes a step",
    )
    met = by_loss & (terms.from_step == 0) & (initial < terms.threshold)
    yield started & met, "a run whose first loss meets the criterion takes no step"
    same = np.where(np.isfinite(initial), final == initial, ~np.isfinite(final))
    unmoved = ~started | ((columns.status == STALLED) & (columns.steps <= terms.n_windows))
    yield unmoved & ~diverged & ~same, "a run that did not move ends with its first loss"


def _broken_by_end(columns: Columns, terms: Terms, targets: Targets) -> Iterator[Broken]:
    """Yield the rules for convergence."""
    all_right = columns.n_correct == targets.n_patterns * terms.n_evaluated
    met = np.select(
        [terms.criterion == "loss", terms.criterion == "max_error", terms.criterion == "correct"],
        [columns.final_loss < terms.threshold, columns.max_error < terms.threshold, all_right],
        False,
    )
    converged, diverged = columns.status == CONVERGED, columns.status == DIVERGED
    yield converged & ~met, "a run that has converged meets the criterion"
    yield ~converged & ~diverged & met & (columns.steps >= terms.from_step), "a run that meets the criterion converges"
    yield (columns.max_error < targets.margin) & ~all_right & ~diverged, "an output so near to its target is right"


def _broken_by_squares(columns: Columns, terms: Terms, targets: Targets) -> Iterator[Broken]:
    """Yield the rules that the sum of squared errors lies between the bounds that follow from the errors."""
    info, scale, n_outputs = np.finfo(targets.dtype), terms.scale, targets.n_patterns * targets.n_targets
    largest, wrong = (columns.max_error.astype(targets.dtype) ** 2).astype(float), targets.margin**2
    close = 1 + 4 * n_outputs * float(info.eps)  # allows for rounding of each sum
    tiny = 2 * float(info.smallest_subnormal)
    least = np.maximum(largest, (n_outputs - columns.n_correct) * wrong.astype(float)) * scale / close - tiny
    most = n_outputs * largest * scale * close + tiny
    known: Mask = ~np.isnan(scale) & np.isfinite(columns.final_loss)
    outside: Mask = (columns.final_loss < least) | (columns.final_loss > most)
    yield known & outside, "a loss of squared errors goes with the largest of them and with how many outputs are wrong"


def starts_alike(plan: Plan) -> list[str]:
    """Return the swept parameters on which the first loss of a seed depends."""
    tables = plan.study.tables
    of_losses = {setting.name for loss in tables.users["loss"].values() for setting in loss.settings}
    return [
        name
        for name in plan.study.parameters
        if tables.sweepable[name] in ("data", "network", "initial_weights")
        or name in ("loss", "reduction")
        or name in of_losses
    ]


def broken_by_others(plan: Plan, cells: Array, seeds: Array, columns: Columns) -> Iterator[Broken]:
    """Yield the rule that a seed has the same first loss in all cells with the same start, and rows that break it.

    Parameters
    ----------
    plan
        The plan of the study.
    cells, seeds : (rows,)
        Of the rows.
    columns
        The outcome of each row.

    Yields
    ------
    Broken
        A mask of the rows that break the rule, and the rule as a sentence.
    """
    alike = starts_alike(plan)
    if len(alike) < len(plan.study.parameters):
        numbers = {"seed": seeds, "initial_loss": columns.initial_loss}
        numbers["restarts"] = columns.attempts[:, 0] if columns.attempts.shape[1] else np.zeros_like(seeds)
        frame = pd.DataFrame({name: plan.grid.column(name, cells) for name in alike} | numbers)
        first = frame.groupby([*alike, "seed", "restarts"], sort=False)["initial_loss"].transform("first")
        yield (
            (first != frame["initial_loss"]).to_numpy(),
            "a seed has the same first loss in all cells that start alike",
        )
