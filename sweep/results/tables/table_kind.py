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
    """A table of results."""

    name: str  # as users write it
    place: int  # where it stands on the page of a report, by ascending numbers
    heading: str  # the heading of its section on the page
    # Returns its tables for a result, none if the result has not what it needs. The number is the most rows of each;
    # None for all.
    build: Callable[[Queries, int | None], list[Table]]
    why_none: Callable[[Queries], str]  # returns why a result has no such tables, if ``build`` returns none
    introduction: str = ""  # paragraph before its tables on the page
    # Returns the tables that ``sweep best`` prints after the ranking: of a result, for all its ranked cells, the
    # column by which they are ranked, and the most rows. None if it prints none of this kind.
    beside_ranking: Callable[[Queries, pd.DataFrame, str, int | None], list[Table]] | None = None
    most_shown: int | None = None  # most rows on the page and after the ranking; None for all
