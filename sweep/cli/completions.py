"""Shell completion of kinds of figures, options of studies, parameters of a result, and statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from sweep.statistics.statistic import Statistic


def complete_figure(incomplete: str) -> list[str]:
    """Return the kinds of figures that begin with a text."""
    from sweep.cli.figure_kinds import kind_names

    return _beginning(incomplete, kind_names())


def complete_option(incomplete: str) -> list[str]:
    """Return the sections, keys and names of values that ``sweep explain`` knows."""
    from sweep.study.explanations.glossary import LISTS, entries

    found = entries()
    sections, keys = (entry.section for entry in found), (entry.key for entry in found)
    names = (name for entry in found for name in (*entry.values, *entry.users))
    return _beginning(incomplete, dict.fromkeys([*sections, *LISTS, *keys, *names]))


def complete_parameter(context: typer.Context, incomplete: str) -> list[str]:
    """Return the swept parameters of the named result, for the last name in a list."""
    return _last_of_list(incomplete, _parameters(context))


def parameter_option(explanation: str, metavar: str = "NAME") -> Any:
    """Return an option of the command line that takes swept parameters of the named result."""
    return typer.Option(metavar=metavar, help=explanation, autocompletion=complete_parameter)


def complete_by(context: typer.Context, incomplete: str) -> list[str]:
    """Return swept parameters, and the statistics and measures for ranking and comparing cells."""
    return _last_of_list(incomplete, [*_parameters(context), *_statistics(lambda each: each.compared is not None)])


def complete_sort(context: typer.Context, incomplete: str) -> list[str]:
    """Return columns to sort the table of cells by."""
    return _beginning(
        incomplete,
        [
            "cell",
            *_statistics(lambda each: not each.measure and bool(each.compared or each.synonym)),
            *_parameters(context),
        ],
    )


def complete_value(incomplete: str) -> list[str]:
    """Return the statistics and measures that figures show."""

    def is_shown(each: Statistic) -> bool:
        return each.kind != "count" and bool(each.compared or each.synonym or each.computed != "always")

    return _beginning(incomplete, _statistics(is_shown))


def complete_map_value(context: typer.Context, incomplete: str) -> list[str]:
    """Return what maps show: the statistics of a results folder, or also the values of single networks."""
    from sweep.measures import MEASURES

    values = complete_value(incomplete)
    if _parameters(context):
        return values
    return list(dict.fromkeys([*_beginning(incomplete, ["status", "steps", "trainability", *MEASURES]), *values]))


def _statistics(offered: Callable[[Statistic], bool]) -> list[str]:
    """Return the names of statistics of cells that are offered, the shorter ones where there are."""
    from sweep.statistics.of_cells import every

    return [each.synonym or name for name, each in every().items() if offered(each)]


def _parameters(context: typer.Context) -> list[str]:
    """Return the swept parameters of the result that the command line names; none if it cannot be read."""
    from sweep.errors import SweepError
    from sweep.store.local import files_at
    from sweep.store.run_facts import read_study

    named = [
        context.params.get("directory"),
        context.params.get("source"),
        *context.args,
    ]  # args holds the folder while an option has no value yet
    with suppress(SweepError):
        return list(read_study(files_at(next(filter(None, named), ""))).parameters)
    return []


def _last_of_list(incomplete: str, names: Iterable[str]) -> list[str]:
    """Return the completions of the last name in a comma-separated list, each with the names before it."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in _beginning(last, names) if name not in before.split(",")]


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
