"""The record in which a table of results is declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sweep.results.queries import Queries
from sweep.results.tables.table import Table


@dataclass(frozen=True)
class TableKind:
    """A table of results.

    Attributes
    ----------
    name
        As users write it.
    place
        Where it stands on the page of a report, by ascending numbers.
    heading
        The heading of its section on the page.
    build
        Returns its tables for a result, none if the result has not what it needs.
    introduction
        Paragraph before its tables on the page.
    """

    name: str
    place: int
    heading: str
    build: Callable[[Queries], list[Table]]
    introduction: str = ""
