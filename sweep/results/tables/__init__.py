"""Tables of results, a module each: a record ``TABLE`` that names the table, and the function that builds it."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from sweep.errors import SweepError, unknown
from sweep.results.queries import Queries
from sweep.results.tables.table import Table
from sweep.results.tables.table_kind import TableKind


@cache
def table_kinds() -> dict[str, TableKind]:
    """Return the kinds of tables by name, in the order of the page."""
    modules = [import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__)]
    found: list[TableKind] = [module.TABLE for module in modules if hasattr(module, "TABLE")]
    return {kind.name: kind for kind in sorted(found, key=lambda kind: kind.place)}


def tables_of(result: Queries, name: str, top: int | None = None) -> list[Table]:
    """Return the tables of a kind with at most ``top`` rows each; none if the result has not what they need.

    Their cells are configurations without splits and other replicates.
    """
    if name not in table_kinds():
        raise SweepError(unknown("table", name, list(table_kinds())))
    return table_kinds()[name].build(result.over_replicates, top)


def why_no_tables(result: Queries, name: str) -> str:
    """Return why a result has no tables of a kind."""
    return table_kinds()[name].why_none(result)
