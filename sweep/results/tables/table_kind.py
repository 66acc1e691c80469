"""The record in which a table of results is declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep.results.queries import Queries
from sweep.results.tables.table import Table

if TYPE_CHECKING:
    import pandas as pd


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
        Returns its tables for a result, none if the result has not what it needs. The number is the most rows of each;
        None for all.
    why_none
        Returns why a result has no such tables, if ``build`` returns none.
    introduction
        Paragraph before its tables on the page.
    beside_ranking
        Returns the tables that ``sweep best`` prints after the ranking: of a result, for all its ranked cells, the
        column by which they are ranked, and the most rows. None if it prints none of this kind.
    most_shown
        Most rows on the page and after the ranking; None for all.
    """

    name: str
    place: int
    heading: str
    build: Callable[[Queries, int | None], list[Table]]
    why_none: Callable[[Queries], str]
    introduction: str = ""
    beside_ranking: Callable[[Queries, pd.DataFrame, str, int | None], list[Table]] | None = None
    most_shown: int | None = None
