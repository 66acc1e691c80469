"""Custom statistics of cells: functions of the rows of runs, which are no part of a study."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from kernels.custom.decorators import NAME, text_fault, texts_of
from sweep.columns import reserved_columns
from sweep.errors import StudyError
from sweep.statistics.of_cells import NAMED, add_statistic, synonyms
from sweep.statistics.statistic import Definition, Statistic
from sweep.study.options.option_tables import BUILT_IN

if TYPE_CHECKING:
    from sweep.statistics.estimates import Estimate
    from sweep.statistics.runs import Runs

F = TypeVar("F", bound=Callable[..., Any])

# The functions of custom statistics of this process.
DECLARED: dict[str, Callable[..., Any]] = {}


def statistic(function: Any = None, /, *, label: str = "", unit: str = "", more_is_better: bool = False) -> Any:
    """Declare a custom statistic of cells, which rankings, summaries and figures find by its name.

    Parameters
    ----------
    function : (DataFrame) -> float, or (float, low, high)
        The statistic of some runs: those of a cell, or of several cells that are pooled. The columns are those of
        :meth:`sweep.Result.runs` except weights. It may also return the ends of its 95 % interval; otherwise that is a
        bootstrap interval over seeds. The first line of its docstring is the meaning of the statistic.
    label, unit
        What tables and figures call it, by default its name, and its unit.
    more_is_better
        Whether cells are ranked from the highest value.

    Returns
    -------
    function
        The same function.

    Raises
    ------
    StudyError
        If the name is taken, or a text is too long.

    Examples
    --------
    >>> @statistic(label="mean steps of converged runs", unit="updates")
    ... def steps_if_converged(runs):
    ...     return runs.loc[runs["status"] == "converged", "steps"].mean()
    """

    def declare(declared: F) -> F:
        name = getattr(declared, "__name__", repr(declared))
        texts = texts_of(declared, label, unit)
        faults = {"": _name_fault(name), **{f"{key} ": text_fault(text) for key, text in texts.items()}}
        found = [f"statistic {name!r}: {key}{fault}" for key, fault in faults.items() if fault]
        if found:
            raise StudyError(*found)
        add_statistic(_record(name, declared, texts, more_is_better))
        DECLARED[name] = declared
        return declared

    return declare if function is None else declare(function)


def _name_fault(name: str) -> str | None:
    if not NAME.fullmatch(name):
        return "the name must be at most 40 lower-case letters, digits and _, with a letter first"
    if name not in DECLARED and (name in NAMED or name in {*synonyms(), *reserved_columns(), *BUILT_IN.section_of}):
        return "the name is that of an option, a column or another statistic; rename the function"
    return None


def _record(name: str, function: Callable[..., Any], texts: dict[str, str], more_is_better: bool) -> Statistic:
    def estimate(runs: Runs) -> Estimate:
        from sweep.statistics.by_function import ByFunction

        return ByFunction(runs, function, name)

    return Statistic(
        name,
        texts["label"],
        texts["unit"],
        texts["meaning"],
        Definition(
            name,
            texts["label"],
            f"{texts['meaning']}." + (f" Unit: {texts['unit']}." if texts["unit"] else ""),
            interval="that of its function, or BCa bootstrap over seeds with 999 resamples",
            reference="Efron, J. Amer. Statist. Assoc. 82 (1987) 171",
        ),
        estimate,
        kind="value",
        head=texts["label"],
        more_is_better=more_is_better,
        missing=f"{name} is not a finite number",
        compared="resampled",
        computed="from rows",
    )
