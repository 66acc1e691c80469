"""Comparison of a result with published figures."""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from kernels.floating_point import default_floating_point
from sweep.analysis.study_measures import as_measured, most_correct
from sweep.columns import STATUSES
from sweep.errors import SweepError, shown, unknown
from sweep.measures import MEASURES
from sweep.results.answers import column_of
from sweep.schemas.run_columns import runs_columns, updates_column
from sweep.statistics.agreement import MedianOfRuns, Published, agreement, mean_of_runs
from sweep.statistics.estimates import Rate
from sweep.statistics.intervals import Array, HasInterval
from sweep.statistics.of_cells import COUNTS, every
from sweep.statistics.of_cells.measure_quartiles import FINITE_RATE
from sweep.statistics.paired import holm
from sweep.statistics.runs import NOT_COUNTED, Runs
from sweep.study.expectations import TO_CONVERGE, Expectations, Figure, load_expectations
from sweep.study.options.explicit_weights import element_of
from sweep.study.selection import cells_at, values_at

if TYPE_CHECKING:
    from sweep.results.result import Result
    from sweep.study.model import Study

# The largest probability of a false alarm in a table: some statistical figure disagrees by chance alone.
FALSE_ALARMS = 0.01

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    **{"==": operator.eq, "!=": operator.ne, ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
}
_CONDITION = re.compile(r"\s*(\w+)\s*(==|!=|>=|<=|>|<)\s*(\S+)\s*")
_QUANTILE = re.compile(r"_q(\d+)$")


class Obtained(NamedTuple):
    """What came out for a figure."""

    value: float
    estimate: HasInterval | None = None  # None for a count and for an extreme
    values: Array = np.empty(0)  # of the runs that the estimate is of
    share: tuple[int, int] | None = None  # which quantile of them the estimate is


@default_floating_point
def expect(result: Result, expectations: str | os.PathLike[str] | Mapping[str, Any] | Expectations) -> pd.DataFrame:
    """Compare a result with published figures.

    Parameters
    ----------
    result
        Complete, with rows of runs.
    expectations
        A file ``NAME.expect.toml``, the name of a built-in study that has one, or the content of such a file as a dict,
        in which text keeps the final zeros of a number: ``"0.50"``.

    Returns
    -------
    DataFrame
        A row for each figure: ``entry`` (the number of its table in the file), ``figure`` (what it is), ``kind``
        (``"exact"`` or ``"statistical"``), ``published``, ``published_text`` (as printed, with its error), ``obtained``
        with its 95 % interval ``low`` and ``high``, ``difference`` with its 95 % interval ``difference_low`` and
        ``difference_high`` from the errors of both sides, ``p_value_holm``, ``agrees``, and ``known_difference``, a
        sentence that explains a figure that does not match; and ``source``, where the figure was published, if the
        study's other figures are from elsewhere. Exact figures have no intervals.

    Raises
    ------
    StudyError
        If the file cannot be read or is not valid.
    SweepError
        If a figure is of a column, statistic, parameter, value or seed that the result does not have.
    StoreError
        If rows of runs were not kept.

    Notes
    -----
    An exact figure agrees if it is within half a unit of its last printed digit (or ``tolerance`` units) of the result,
    and a whole number if it is equal. A statistical one agrees unless the difference is significant: p-values of all
    statistical figures without a known difference are adjusted by Holm's method, so that the chance of any false alarm
    is at most 1 %.
    """
    if not result.complete:
        raise SweepError("result: must be complete, got a partial one; run the same study again to complete it")
    read = expectations if isinstance(expectations, Expectations) else load_expectations(expectations)
    figures = [figure.at(result.study.seeds.base) for figure in read.figures]
    of_runs = result.runs(check_figures(result.study, figures))
    table = pd.DataFrame([_compared(result, of_runs, figure) for figure in figures], columns=_COLUMNS)
    tested = (table["kind"] == "statistical") & (table["known_difference"] == "")
    table.loc[tested, "p_value_holm"] = holm(table.loc[tested, "p_value_holm"].to_numpy(np.float64))
    statistical = table["kind"] == "statistical"
    table["agrees"] = np.where(statistical, ~(table["p_value_holm"] <= FALSE_ALARMS), table["agrees"]).astype(bool)
    return table


_COLUMNS = [
    *("entry", "figure", "kind", "published", "published_text", "obtained", "low", "high"),
    *("difference", "difference_low", "difference_high", "p_value_holm", "agrees", "known_difference", "source"),
]


def disagrees(table: pd.DataFrame) -> bool:
    """Return whether a figure of a table of :func:`expect` disagrees although no difference is known."""
    return bool((~table["agrees"] & (table["known_difference"] == "")).any())


@contextmanager
def _naming(figure: Figure) -> Iterator[None]:
    """Put the name of a figure before errors on it."""
    try:
        yield
    except SweepError as error:
        raise SweepError(f"{figure.label}: {error}") from None


def _compared(result: Result, rows: pd.DataFrame, figure: Figure) -> dict[str, Any]:
    """Return the row of a figure; ``rows`` are those of all runs."""
    with _naming(figure):
        obtained = _obtained(result, rows, figure)
    row: dict[str, Any] = {
        "entry": figure.entry,
        "figure": figure.label,
        "kind": "exact" if figure.is_exact else "statistical",
        "published": float(figure.published),
        "published_text": figure.published_text,
        "obtained": obtained.value,
        "difference": obtained.value - float(figure.published) if obtained.value != figure.published else 0.0,
        "agrees": _is_within(obtained.value, figure),
        "known_difference": figure.known_difference,
        "source": figure.source,
    }
    if figure.is_exact:
        return row
    own = obtained.estimate
    assert own
    half_unit = 0.0 if figure.successes is not None else float(figure.unit) / 2
    if np.isnan(own.ends()).any():
        raise SweepError(f"{figure.label}: the statistic has no interval; train more seeds, or the same in each cell")
    if figure.trials is not None and not len(obtained.values) and not isinstance(own, Rate):
        raise SweepError(f"{figure.label}: trials: must be left out for this statistic; give error or between")
    published = Published(
        float(figure.published), half_unit, figure.error, figure.sd, figure.trials, figure.successes, figure.between
    )
    found = agreement(own, published, obtained.values, obtained.share)
    low, high = (float(end[0]) for end in own.ends())
    return row | {
        "low": low,
        "high": high,
        "difference_low": found.low,
        "difference_high": found.high,
        "p_value_holm": found.p_value,
    }


def _is_within(obtained: float, figure: Figure) -> bool:
    """Return whether a number equals a figure up to its tolerance."""
    if not np.isfinite(obtained) or not figure.published.is_finite():
        return obtained == float(figure.published)
    return abs(Decimal(obtained) - figure.published) <= figure.most_off


def check_figures(study: Study, figures: Sequence[Figure]) -> list[str]:
    """Return the columns of runs that figures need; SweepError if the study cannot have one of the figures."""
    known = {column.name: column for column in runs_columns(study)}
    needed = {"cell": None, "seed": None, "status": None, updates_column(study): None}
    for figure in (each.at(study.seeds.base) for each in figures):
        with _naming(figure):
            values = values_at(study, figure.where)
            _check_statistic(figure)
            base, count = study.seeds.base, study.seeds.count
            if figure.seed is not None and not base <= figure.seed < base + count:
                raise SweepError(f"seeds: must be from {base} to {base + count - 1}, got {figure.seed}")
            if figure.first_seeds is not None and figure.first_seeds > count:
                raise SweepError(f"first_seeds: must be at most {count:,}, got {figure.first_seeds:,}")
            names = ["" if figure.step is not None or element_of(figure.measure) else _measured(figure)]
            names += [_condition(figure.among)[0]] if figure.among else []
            for name in (each.removesuffix(TO_CONVERGE) for each in names if each):
                if name not in known:
                    raise SweepError(unknown("column of runs", name, known))
                if known[name].type == "string" or known[name].is_list or figure.measure == "status":
                    raise SweepError(f"column {name}: must hold numbers; where selects values, share takes a status")
                needed[name] = None
            if figure.is_of_run and (n_cells := study.grid.n_cells_at(values)) != 1:
                raise SweepError(f"where: must select one cell, got {n_cells:,}")
    return list(needed)


def _check_statistic(figure: Figure) -> None:
    """Refuse published numbers that a rate cannot have, and errors of what has none."""
    name = _statistic(figure) if figure.statistic and not figure.measure else ""
    if name and every()[name].percent and not 0 <= figure.published <= 1:
        raise SweepError(f"published: must be a rate from 0 to 1, got {figure.published}; divide percentages by 100")
    if not figure.is_exact and (name in COUNTS or figure.statistic in ("min", "max")):
        raise SweepError("kind: must be exact for counts and extremes, got statistical; use a share")


def _measured(figure: Figure) -> str:
    """Return the column of runs that a figure is of; empty for a statistic of convergence."""
    if figure.share:
        return _condition(figure.share)[0]
    if figure.measure:
        return figure.measure
    name = _statistic(figure)
    return "final_loss" if name == FINITE_RATE.name else every()[name].measure


def _statistic(figure: Figure) -> str:
    """Return the name of a statistic of cells."""
    name = column_of(figure.statistic, every())
    if every()[name].computed == "from rows":
        raise SweepError(f"statistic: must have an interval at each level, but {name} is a function of rows")
    return name


def _obtained(result: Result, everything: pd.DataFrame, figure: Figure) -> Obtained:
    """Return what came out for a figure."""
    if figure.step is not None:
        return _of_curve(result, figure)
    rows = _rows(result, everything, figure)
    if element_of(figure.measure):
        return _of_weight(result, rows, figure)
    measured, condition = _measured(figure), _condition(figure.share) if figure.share else None
    name = "" if figure.measure or figure.share else _statistic(figure)
    if figure.seed is not None:
        return Obtained(float(_values(rows, measured)[0]))
    if name in COUNTS:
        return Obtained(float(len(rows) if name == "n_runs" else (rows["status"] == name.removeprefix("n_")).sum()))
    values = _values(rows, measured) if measured else np.empty(0)
    if figure.statistic in ("min", "max"):
        return Obtained(float(values.min() if figure.statistic == "min" else values.max()))
    runs = _runs(result, rows, measured, values)
    if condition:
        marked = np.asarray(_OPERATORS[condition[1]](values, condition[2]))
        return _estimated(Rate(runs, marked), marked)
    if figure.statistic == "mean" and not np.isfinite(values).all():
        raise SweepError(
            f"mean: must be of finite values, got {np.count_nonzero(~np.isfinite(values)):,} infinite ones"
        )
    if figure.statistic == "mean":
        return _estimated(mean_of_runs(runs, values), values)
    if figure.statistic == "median":
        return _estimated(MedianOfRuns(runs, values), values, (1, 2))
    estimate = every()[name].estimate
    assert estimate
    quantile = _QUANTILE.search(name)
    of = values if measured else np.empty(0)
    if name == "restricted_mean_steps":
        of = np.where(runs.converged, runs.steps, runs.most_steps)
    if name.startswith("steps_q"):
        of = runs.steps_to_converge
    return _estimated(estimate(runs), of, (int(quantile[1]), 100) if quantile else None)


def _estimated(estimate: HasInterval, values: Array, share: tuple[int, int] | None = None) -> Obtained:
    return Obtained(float(estimate.value[0]), estimate, values, share)


def _rows(result: Result, everything: pd.DataFrame, figure: Figure) -> pd.DataFrame:
    """Return the rows of the runs that a figure is of."""
    rows = everything
    if figure.where:
        cells = cells_at(result.cells, values_at(result.study, figure.where))
        rows = rows[rows["cell"].isin(cells["cell"])]
    if figure.seed is not None:
        rows = rows[rows["seed"] == figure.seed]
    elif figure.first_seeds is not None:
        rows = rows[rows["seed"] < result.study.seeds.base + figure.first_seeds]
    if figure.among:
        name, sign, value = _condition(figure.among)
        rows = rows[_OPERATORS[sign](_values(rows, name), value)]
    if rows.empty:
        raise SweepError(f"among: no run meets the condition {figure.among}")
    return rows


def _condition(text: str) -> tuple[str, str, Any]:
    """Return the column, the operator and the value of a condition; the name of a status is one too."""
    if text in STATUSES:
        return "status", "==", text
    match = _CONDITION.fullmatch(text)
    if not match:
        raise SweepError(f"condition: must be COLUMN OPERATOR VALUE, as n_correct == 4, or a status, got {shown(text)}")
    name, sign, value = match.groups()
    if name == "status":
        if value not in STATUSES or sign not in ("==", "!="):
            raise SweepError(f"condition: must be status == or != {' or '.join(STATUSES)}, got {shown(text)}")
        return name, sign, value
    try:
        return name, sign, float(value)
    except ValueError:
        raise SweepError(f"condition: must compare with a number, got {shown(text)}") from None


def _values(rows: pd.DataFrame, name: str) -> Array:
    """Return the values of a column; with TO_CONVERGE infinite where runs did not converge."""
    if name == "status":
        return np.asarray(rows[name].astype(str).to_numpy())
    column = name.removesuffix(TO_CONVERGE)
    values = rows[column].to_numpy(np.float64)
    if column in MEASURES:
        values = as_measured(values, column)
    return np.where(rows["status"] == "converged", values, np.inf) if name.endswith(TO_CONVERGE) else values


def _runs(result: Result, rows: pd.DataFrame, measured: str, values: Array) -> Runs:
    """Return the runs of rows as one group."""
    cell = rows["cell"].to_numpy()
    numbers, place = np.unique(cell, return_inverse=True)
    return Runs(
        np.zeros(len(rows), np.int64),
        cell,
        seed=np.unique(rows["seed"].to_numpy(), return_inverse=True)[1],
        status=rows["status"].cat.codes.to_numpy(),
        converged=(rows["status"] == "converged").to_numpy(),
        steps=rows[updates_column(result.study)].to_numpy(np.int64),
        most_steps=result.study.grid.most_steps(numbers)[place],
        values=values,
        correct=most_correct(result.study, measured) if measured in MEASURES else NOT_COUNTED,
    )


def _of_weight(result: Result, rows: pd.DataFrame, figure: Figure) -> Obtained:
    """Return a final weight of a run, such as w[0,1]."""
    element = element_of(figure.measure)
    if element is None or figure.seed is None:
        raise SweepError("measure: must not have a statistic if it is a weight")
    array, index = element
    weights = result.weights(int(rows["cell"].iloc[0]))
    try:
        return Obtained(float(weights[array][(figure.seed - result.study.seeds.base, *index)]))
    except (KeyError, IndexError):
        shapes = {name: each.shape[1:] for name, each in weights.items()}
        raise SweepError(f"measure: must be a weight of {shapes}, got {figure.measure}") from None


def _of_curve(result: Result, figure: Figure) -> Obtained:
    """Return a point of a learning curve."""
    curves = result.learning_curves(at=figure.where or None)
    if figure.measure not in curves:
        raise SweepError(unknown("column of learning curves", figure.measure, map(str, curves)))
    points = curves[(curves["steps"] == figure.step) & (curves["seed"] == figure.seed)]
    if len(points) != 1:
        raise SweepError(f"steps: must be a recorded point of the curve of one run, got {len(points)} points")
    return Obtained(float(points[figure.measure].iloc[0]))
