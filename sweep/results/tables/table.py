"""The model of all tables: columns, rows and notes, which terminal, page, TeX, notebooks and files show."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from math import inf, isnan
from typing import TYPE_CHECKING, Any

from sweep.statistics.statistic import Statistic
from sweep.study.description import html_table
from sweep.system.formatting import chance_text, count_text, measure_text, short, steps_text

if TYPE_CHECKING:
    import pandas as pd

    from sweep.results.evaluated_runs import EvaluatedRuns

Row = Mapping[Any, Any]
INTERVAL = "95 % interval"
# What the column of ranks is.
RANK = {"rank": "place in the ranking, from 1"}
# Intervals of measures that say nothing: of too few runs, and of runs that all diverged.
_TRIVIAL = (("0", "inf"), ("-inf", "inf"), ("inf", "inf"), ("-inf", "-inf"))


@dataclass(frozen=True)
class TableColumn:
    """A column of a table."""

    # What it shows. An underscore, a space or a line feed is a good place to break the line.
    head: str
    text: Callable[[Row], str]  # writes the value of a row
    # The columns of the frame that it shows, at least one. Rows sort by the first.
    shows: tuple[Hashable, ...]
    interval: str = ""  # what the brackets behind its values are; empty without
    is_text: bool = False  # whether it is aligned to the left
    is_optional: bool = False  # whether a narrow screen may omit it
    is_name: bool = False  # whether it says which row this is

    @property
    def heading(self) -> str:
        """The head and what the brackets are, on one line that breaks before the brackets."""
        head = " ".join(self.head.replace("_", " ").split())
        interval = self.interval.replace(" ", "\N{NO-BREAK SPACE}")
        return f"{head} [{interval}]" if interval else head

    def sort_key(self, row: Row) -> Any:
        """Return the value by which rows sort; empty text if it is missing or infinite."""
        value = row[self.shows[0]]
        return "" if _is_missing(value) or value in (inf, -inf) else value


@dataclass(frozen=True)
class Table:
    """A table: what it shows, and the numbers that it shows."""

    title: str  # what the rows are, how many there are, and their order
    columns: tuple[TableColumn, ...]  # what is shown
    # The numbers with all digits. It may have columns that are not shown.
    frame: pd.DataFrame
    n_rows: int  # rows of the whole table; the frame may have only the first of them
    notes: tuple[str, ...] = ()  # sentences that explain it, without final periods
    omitted: str = ""  # what optional columns are, as in "seeds need a wider screen"
    # Of columns of the frame whose statistic does not tell it
    meanings: Mapping[str, str] = field(default_factory=dict)

    @property
    def heads(self) -> list[str]:
        """The heads of the columns, each on one line."""
        return [column.heading for column in self.columns]

    @property
    def texts(self) -> list[list[str]]:
        """The texts of the rows."""
        return [[column.text(row) for column in self.columns] for row in self.frame.to_dict("records")]

    def essential(self) -> Table:
        """Return the table without optional columns."""
        return replace(self, columns=tuple(column for column in self.columns if not column.is_optional))

    def _repr_html_(self) -> str:
        """Return the table as HTML, for notebooks."""
        return f"{html_table(self.heads, self.texts)}<small>{escape(self.title)}</small>"


def shown_of(n_shown: int, n_rows: int, what: str) -> str:
    """Return the number of rows, and of those that are shown if these are fewer: 5 of 12 cells."""
    return ("" if n_shown == n_rows else f"{n_shown:,} of ") + count_text(n_rows, what)


def cell_number(result: EvaluatedRuns) -> list[str]:
    """Return the column of cell numbers; none over replicates and thresholds: their cells are others."""
    return ["cell"] if result.has_cells_of_study else []


def value_column(name: str, head: str = "", *, is_text: bool = False) -> TableColumn:
    """Return the column of an option, or of a number that is a name."""
    return TableColumn(head or name, lambda row: short(row[name]), (name,), is_text=is_text, is_name=True)


def count_column(name: str, head: str = "", *, is_optional: bool = False) -> TableColumn:
    """Return the column of a number of cells or runs; its name begins with ``n_``."""
    return TableColumn(head or name.removeprefix("n_"), lambda row: f"{row[name]:,}", (name,), is_optional=is_optional)


def percent_column(name: str, head: str, *, is_optional: bool = False) -> TableColumn:
    """Return the column of a share, in percent."""
    return TableColumn(head, lambda row: f"{100 * row[name]:.1f}", (name,), is_optional=is_optional)


def measure_column(name: str, head: str) -> TableColumn:
    """Return the column of a mean or a median of a measure."""
    return TableColumn(head, lambda row: measure_text(row[name]), (name,))


def p_value_column(name: str) -> TableColumn:
    """Return the column of an adjusted p-value."""
    return TableColumn("p-value (Holm)", lambda row: chance_text(row[name]), (name,))


def statistic_columns(
    statistics: Sequence[Statistic], frame: pd.DataFrame, *, intervals: bool = False
) -> list[TableColumn]:
    """Return the columns of statistics, as far as the frame has them.

    Those with a head are shown, those by which cells are ranked before others. Without ``intervals``, only the first
    statistic of convergence has one.
    """
    in_tables = [each for each in statistics if each.head and each.name in frame]
    in_order = sorted(in_tables, key=lambda each: not each.compared)
    return [statistic_column(each, has_interval=not k or intervals) for k, each in enumerate(in_order)]


def matrix_column(value: Any, statistic: Statistic) -> TableColumn:
    """Return the column of a statistic for one value of an option."""
    return TableColumn(short(value), lambda row: value_text(statistic, row[value]), (value,))


def statistic_column(statistic: Statistic, *, has_interval: bool) -> TableColumn:
    """Return the column of a statistic."""
    name, end = statistic.name, statistic.shown_to
    if end:
        return TableColumn(
            statistic.head, lambda row: f"{measure_text(row[name])} to {measure_text(row[end])}", (name, end)
        )
    if not has_interval:
        return TableColumn(statistic.head, lambda row: value_text(statistic, row[name]), (name,))
    return TableColumn(statistic.head, lambda row: statistic_text(statistic, row), with_ends(name), INTERVAL)


def value_text(statistic: Statistic, value: Any) -> str:
    """Write the value of a statistic; a dash if it is missing."""
    if statistic.kind == "steps":
        return steps_text(value)
    if statistic.kind == "rate":
        return "-" if _is_missing(value) else f"{100 * value:.1f}"
    return measure_text(value)


def statistic_text(statistic: Statistic, row: Row, unit: str = "") -> str:
    """Write a statistic with its interval, if there is one; the unit stands between them."""
    value, low, high = (row[name] for name in with_ends(statistic.name))
    return interval_text(statistic, value, low, high, unit)


def interval_text(statistic: Statistic, value: Any, low: Any, high: Any, unit: str = "") -> str:
    """Write a value of a statistic, and the ends of an interval if they are known and say something."""
    text, first, last = (value_text(statistic, each) for each in (value, low, high))
    if "-" in (text, first) or (first, last) in _TRIVIAL:
        return text + unit
    if statistic.kind == "steps":
        return f"{text}{unit} [{first} or more]" if last == "-" else f"{text}{unit} [{first} to {last}]"
    return f"{text}{unit}" + ("" if last == "-" else f" [{first}, {last}]")


def with_ends(name: str) -> tuple[str, str, str]:
    """Return the columns of a value and of the ends of its interval."""
    return (name, f"{name}_low", f"{name}_high")


def _is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN or NA of pandas."""
    return value is None or str(value) == "<NA>" or (isinstance(value, float) and isnan(value))
