"""Names of statistics for users, checks of such names, and the order of cells by a statistic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sweep.analysis.axis_options import varied_options
from sweep.analysis.compare import differs_alone
from sweep.analysis.study_measures import measures_of
from sweep.columns import statuses
from sweep.errors import SweepError, not_swept, unknown
from sweep.measures import MEASURES
from sweep.statistics.of_cells import every, main_statistic_of, synonyms
from sweep.statistics.ranking import rank_cells
from sweep.statistics.statistic import Statistic
from sweep.study.model import Study
from sweep.study.options.option_tables import OPTIONS
from sweep.system.formatting import list_text

if TYPE_CHECKING:
    from sweep.results.evaluated_runs import EvaluatedRuns


def possible_statuses(study: Study) -> list[str]:
    """Return the statuses that runs may have; without a criterion none converges, and none is found to have stalled."""
    ends = statuses(study.has_patience)
    return [each for each in ends if study.has_criterion or each not in ("converged", "stalled")]


def swept(study: Study) -> list[str]:
    """Return the parameters with several values, in file order."""
    return [name for name, values in study.parameters.items() if len(values) > 1]


def check_has_criterion(study: Study) -> None:
    """Refuse a study of which all cells have criterion 'none'."""
    fault = criterion_fault(study)
    if fault:
        raise SweepError(fault)


def criterion_fault(study: Study) -> str | None:
    """Return why a study has no statistics of convergence, or None if it has."""
    if study.has_criterion:
        return None
    measures = list_text(measures_of(study))
    return f"the study has criterion 'none', so it has no statistics of convergence; use those of {measures}"


def default_statistic(result: EvaluatedRuns) -> str:
    """Return the statistic with which answers start.

    That of test patterns; without any the convergence rate, or without a criterion the median final loss.
    """
    found = result.held_out
    return main_statistic_of(found.reported).name if found else training_statistic(result.study)


def ranking_statistic(result: EvaluatedRuns) -> str:
    """Return the statistic by which answers rank cells: the default one, of validation patterns if there are any."""
    found = result.held_out
    return main_statistic_of(found.chosen_by).name if found else training_statistic(result.study)


def training_statistic(study: Study) -> str:
    """Return the statistic of training: the convergence rate, or without a criterion the median final loss."""
    return "convergence_rate" if study.has_criterion else main_statistic_of("final_loss").name


def main_statistics(result: EvaluatedRuns) -> list[Statistic]:
    """Return the statistics with which a result answers: of held-out patterns, reported ones first, and of training."""
    found = result.held_out
    names = [main_statistic_of(measure).name for measure in dict.fromkeys(found or ())]
    return [every()[name] for name in (*names, training_statistic(result.study))]


def names_of(columns: Iterable[str]) -> list[str]:
    """Return the names that users write for columns of cells."""
    aliases = {known: alias for alias, known in synonyms().items()}
    return list(dict.fromkeys(aliases.get(known, known) for known in columns))


def split_by(study: Study, names: Sequence[str], statistics: Iterable[str]) -> tuple[list[str], str | None]:
    """Divide names into swept parameters and the column of at most one allowed statistic, None if there is none.

    No parameter has the name of a statistic.
    """
    parameters = [name for name in names if name in OPTIONS or name in study.parameters]
    others = [name for name in names if name not in parameters]
    check_swept(study, parameters)
    if len(others) > 1:
        raise SweepError(f"by: must be parameters and at most one statistic, got {list_text(others)}")
    return parameters, column_of(others[0], statistics) if others else None


def check_swept(study: Study, names: Sequence[str]) -> None:
    """Refuse names that are no swept parameters, or occur twice."""
    for name in names:
        if name not in study.parameters:
            raise SweepError(not_swept(name, study.parameters))
        if list(names).count(name) > 1:
            raise SweepError(f"parameter {name!r} occurs twice; name each parameter once")


def check_alone(study: Study, name: str) -> None:
    """Refuse a parameter whose values cannot be compared on common seeds: other options differ wherever it does."""
    fault = alone_fault(study, name)
    if fault:
        raise SweepError(fault)


def alone_fault(study: Study, name: str) -> str | None:
    """Return why the values of a parameter cannot be compared on common seeds, or None if they can."""
    if len(study.parameters[name]) < 2 or differs_alone(study.grid, name):
        return None
    axis = next(axis for axis in study.axes if name in axis)
    others = list_text([other for other in varied_options(axis) if other != name])
    return (
        f"{name} varies together with {others}: no two cells differ in {name} alone, so its values cannot be "
        "compared; result.importance() estimates its effect"
    )


def column_of(name: str, allowed: Iterable[str]) -> str:
    """Return the column of cells for a name, or refuse one that is not allowed."""
    column, allowed = synonyms().get(name, name), list(allowed)
    if column in MEASURES:  # learned functions have no order
        raise SweepError(
            f"{name} is a column of runs, not a statistic of cells; result.functions() counts the runs of each function"
        )
    if column not in allowed:
        raise SweepError(unknown("statistic", name, names_of(allowed)))
    return column


def n_not_worse(result: EvaluatedRuns) -> int:
    """Return the number of other cells whose interval overlaps with that of the best cell."""
    cells, statistic = result.numbered_cells, ranking_statistic(result)
    best = rank_cells(cells, statistic).iloc[0]
    if every()[statistic].more_is_better:
        return int((cells[f"{statistic}_high"] >= best[f"{statistic}_low"]).sum()) - 1
    return int((cells[f"{statistic}_low"] <= best[f"{statistic}_high"]).sum()) - 1
