"""Rules that every training follows, derived from the study alone. They detect forged rows with matching checksums.

The rules follow from how runs are evaluated (:mod:`kernels.loop.evaluation`): what a status requires, when runs may
end, and which numbers of a row are consistent. They hold on any machine, so a row that breaks one is wrong. A row that
breaks none may be wrong too, which only training shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kernels.components.reductions import count
from kernels.loop.runs import CONVERGED, DIVERGED, EXHAUSTED, PLATEAU, STALLED, Columns
from sweep.analysis.losses import rounded
from sweep.schedule.plan import Plan
from sweep.study.options.option_tables import loss_and_reduction
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
    from_step, threshold, divergence_threshold
        Conditions of convergence and divergence in the dtype of the kernel; ``divergence_threshold`` is finite.
    criterion
        Name of the criterion.
    may_stall
        Whether stalling is evaluated.
    patience
        Evaluations without an improvement after which a run ends; infinite for none.
    scale
        Factor from the sum of squared errors to the loss; NaN for other losses.
    n_evaluated
        Outputs of a pattern that can be correct: one for classes.
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
    divergence_threshold = np.minimum(settings["divergence_threshold"], np.finfo(dtype).max)
    n_windows, criterion = plan.grid.n_windows(cells), plan.grid.column("criterion", cells)
    return Terms(
        settings["max_steps"],
        n_windows,
        settings["from_step"],
        settings["threshold"].astype(dtype).astype(float),
        divergence_threshold.astype(dtype).astype(float),
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
    study, scales, components = plan.study, np.full(len(cells), np.nan), plan.study.tables.users["loss"]
    losses, reductions = plan.grid.column("loss", cells), plan.grid.column("reduction", cells)
    for loss in study.values_of("loss"):
        for reduction in study.values_of("reduction"):
            name, reduced = loss_and_reduction(loss, reduction)
            divisor = count(reduced, study.data.n_patterns, study.data.n_targets)
            scales[(losses == loss) & (reductions == reduction)] = (components[name].squares or np.nan) / divisor
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
        Whether the last attempt may have ended within an epoch, where another one would have started.

    Yields
    ------
    Broken
        A mask of the rows that break a rule, and the rule as a sentence.
    """
    converged, stalled = status == CONVERGED, status == STALLED
    at_limit = total == terms.limit
    yield (steps < 0) | (total > terms.limit), "a run takes at least 0 steps, and at most those that its cell allows"
    yield ~at_limit & ~cut & (steps % terms.n_windows != 0), "a run ends after whole epochs or at its last step"
    yield (status == EXHAUSTED) & ~at_limit, "a run is exhausted only at the limit of steps"
    yield converged & (terms.criterion == "none"), "without a criterion no run converges"
    yield converged & (steps < terms.from_step), "no run converges before from_step"
    yield stalled & ~terms.may_stall, "no run stalls without a criterion, in shuffled epochs or with a schedule"
    yield stalled & (steps == 0), "no run stalls before its first update"
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
    yield evaluated & (losses != 0), "final_loss of counts is 0 in cells with a criterion"
    yield ~(rounded(losses) == losses) | np.signbit(losses), "final_loss of counts is rounded and at least 0"
    yield ~evaluated & (np.isinf(losses) != diverged), "diverged runs, and no others, have final_loss inf"


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
    met_otherwise = (columns.status == CONVERGED) & (terms.criterion != "loss")  # their loss may have any value
    never: Mask = np.zeros(len(final), np.bool_)
    for numbers, may_be_nan in ((columns.initial_loss, never), (final, met_otherwise), (columns.max_error, never)):
        is_nan = np.isnan(numbers)
        yield (is_nan & ~may_be_nan) | (np.signbit(numbers) & ~is_nan), "losses and errors are at least 0, and not -0"
        rounded = numbers.astype(targets.dtype)
        yield (rounded != numbers) & ~is_nan, f"losses and errors are {targets.dtype.__name__} numbers"
    correct, most = columns.n_correct, targets.n_patterns * terms.n_evaluated
    yield (correct < 0) | (correct > most), f"n_correct is from 0 to {most.max(initial=0)}"
    infinite = (final == np.inf) & (columns.max_error == np.inf)
    yield (
        diverged & ~(infinite & (correct == 0)),
        "a diverged run has final_loss inf, max_error inf and n_correct 0",
    )
    too_high = ~(final <= terms.divergence_threshold) & ~(columns.status == CONVERGED)  # the criterion comes first
    yield too_high & ~diverged, "a run whose loss is not finite, or above divergence_threshold, has diverged"


def _broken_by_start(columns: Columns, terms: Terms) -> Iterator[Broken]:
    """Yield the rules for initial_loss."""
    initial, final, started = columns.initial_loss, columns.final_loss, columns.steps > 0
    diverged, by_loss = columns.status == DIVERGED, terms.criterion == "loss"
    yield (
        started & ~(initial <= terms.divergence_threshold),
        "a run whose initial_loss is not finite, or above divergence_threshold, takes no step",
    )
    yield (
        ~started & diverged & (initial <= terms.divergence_threshold),
        "a run that diverges with an initial_loss up to divergence_threshold takes a step",
    )
    met = by_loss & (terms.from_step == 0) & (initial < terms.threshold)
    yield started & met, "a run whose initial_loss meets the criterion takes no step"
    same = np.where(np.isfinite(initial), final == initial, ~np.isfinite(final))
    unmoved = ~started | ((columns.status == STALLED) & (columns.steps <= terms.n_windows))
    yield unmoved & ~diverged & ~same, "a run whose weights do not change ends with its initial_loss"


def _broken_by_end(columns: Columns, terms: Terms, targets: Targets) -> Iterator[Broken]:
    """Yield the rules for convergence."""
    all_right = columns.n_correct == targets.n_patterns * terms.n_evaluated
    met = np.select(
        [terms.criterion == "loss", terms.criterion == "max_error", terms.criterion == "correct"],
        [columns.final_loss < terms.threshold, columns.max_error < terms.threshold, all_right],
        False,
    )
    converged, diverged = columns.status == CONVERGED, columns.status == DIVERGED
    yield converged & ~met, "a converged run meets the criterion"
    yield ~converged & ~diverged & met & (columns.steps >= terms.from_step), "a run that meets the criterion converges"
    yield (columns.max_error < targets.margin) & ~all_right & ~diverged, "outputs so close to their targets are correct"


def _broken_by_squares(columns: Columns, terms: Terms, targets: Targets) -> Iterator[Broken]:
    """Yield the rule that a sum of squared errors lies between the bounds that max_error and n_correct imply."""
    info, scale, n_outputs = np.finfo(targets.dtype), terms.scale, targets.n_patterns * targets.n_targets
    largest, wrong = (columns.max_error.astype(targets.dtype) ** 2).astype(float), targets.margin**2
    close = 1 + 4 * n_outputs * float(info.eps)  # allows for rounding of each sum
    tiny = 2 * float(info.smallest_subnormal)
    least = np.maximum(largest, (n_outputs - columns.n_correct) * wrong.astype(float)) * scale / close - tiny
    most = n_outputs * largest * scale * close + tiny
    known: Mask = ~np.isnan(scale) & np.isfinite(columns.final_loss)
    outside: Mask = (columns.final_loss < least) | (columns.final_loss > most)
    yield known & outside, "a loss of squared errors is consistent with max_error and n_correct"


def starts_alike(plan: Plan) -> list[str]:
    """Return the swept parameters on which initial_loss of a seed depends."""
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
    """Yield the rule that a seed has the same initial_loss in all cells with the same start, and rows that break it.

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
            "a seed has the same initial_loss in all cells with the same start",
        )
