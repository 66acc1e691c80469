"""The table of published figures beside what came out."""

from __future__ import annotations

from math import isfinite, isinf, isnan
from typing import TYPE_CHECKING, Any

import pandas as pd

from sweep.results.tables.table import INTERVAL, Row, Table, TableColumn
from sweep.system.formatting import chance_text, count_text

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

# Exact figures of one entry that all agree share a row if they are more than this.
_FEW = 4


def expected_table(expected: pd.DataFrame, title: str) -> Table:
    """Return the table of the figures of :func:`sweep.results.expected.expect`, a line each.

    Many exact figures of one entry that agree share a line, as the steps of thirty seeds do.
    """
    frame = pd.DataFrame([row for _, entry in expected.groupby("entry") for row in _rows(entry)])
    statistical = (expected["kind"] == "statistical").any()
    columns = [
        TableColumn("figure", lambda row: str(row["figure"]), ("figure",), is_text=True),
        TableColumn("published", lambda row: str(row["published_text"]), ("published",)),
        TableColumn("obtained", _obtained_text, ("obtained",), INTERVAL if statistical else ""),
    ]
    if statistical:
        columns += [
            TableColumn("difference", _difference_text, ("difference",), INTERVAL),
            TableColumn("p-value (Holm)", lambda row: chance_text(row["p_value_holm"]), ("p_value_holm",)),
        ]
    columns.append(TableColumn("agrees", _verdict, ("agrees",), is_text=True))
    known = expected.loc[~expected["agrees"] & (expected["known_difference"] != "")]
    notes = [
        f"{_first_to_last(figures.iloc[0], figures.iloc[-1])}: {difference}"
        for difference, figures in known.groupby("known_difference", sort=False)["figure"]
    ]
    notes += [f"{row['figure']}: source: {row['source']}" for row in frame.to_dict("records") if row["source"]]
    return Table(title, tuple(columns), frame, len(frame), tuple(dict.fromkeys(notes)))


def _rows(entry: pd.DataFrame) -> Iterator[dict[Hashable, Any]]:
    """Yield the rows of an entry."""
    rows = entry.to_dict("records")
    equal = [row for row in rows if row["kind"] == "exact" and _verdict({**row, "n_equal": 0}) == "yes"]
    if len(equal) > _FEW:
        which = _first_to_last(equal[0]["figure"], equal[-1]["figure"])
        yield {**equal[0], "figure": which, "published_text": f"{len(equal):,} figures", "n_equal": len(equal)}
        rows = [row for row in rows if row not in equal]
    yield from ({**row, "n_equal": 0} for row in rows)


def _first_to_last(first: str, last: str) -> str:
    """Return two labels as one: steps, hidden 2 to hidden 8, seed 0."""
    parts = first.split(", "), last.split(", ")
    if len(parts[0]) != len(parts[1]):
        return f"{first} to {last}"
    return ", ".join(one if one == other else f"{one} to {other}" for one, other in zip(*parts, strict=True))


def _obtained_text(row: Row) -> str:
    if row["n_equal"]:
        return f"{row['n_equal']:,} equal"
    if row["kind"] == "statistical":
        return _with_ends(row["obtained"], row["low"], row["high"])
    digits, _, exponent = str(row["published_text"]).partition(".")[2].partition("E")
    value = row["obtained"]
    return _number(value) if isinf(value) else f"{value:.{len(digits)}{'e' if exponent else 'f'}}"


def _difference_text(row: Row) -> str:
    return (
        "" if row["kind"] == "exact" else _with_ends(row["difference"], row["difference_low"], row["difference_high"])
    )


def _verdict(row: Row) -> str:
    if not row["agrees"]:
        return "no (known)" if row["known_difference"] else "no"
    is_number = row["kind"] == "exact" and not row["n_equal"] and isfinite(row["obtained"])
    return "within tolerance" if is_number and float(_obtained_text(row)) != row["published"] else "yes"


def _with_ends(value: float, low: float, high: float) -> str:
    """Write a number and its interval; without the interval if it is missing."""
    return _number(value) if isnan(low) else f"{_number(value)} [{_number(low)}, {_number(high)}]"


def _number(value: float) -> str:
    """Write a number with four digits, large ones with all digits before the point."""
    if value in (float("inf"), -float("inf")):
        return "never" if value > 0 else "-inf"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def counts_text(expected: pd.DataFrame) -> str:
    """Write how many figures agree, and how many of the others are known differences."""
    agree, known = expected["agrees"], expected["known_difference"] != ""
    parts = [f"{int(agree.sum()):,} of {len(expected):,} figures agree"]
    parts += [count_text(n, "known difference")] if (n := int((~agree & known).sum())) else []
    parts += [f"{n:,} disagree{'s' if n == 1 else ''}"] if (n := int((~agree & ~known).sum())) else []
    return ", ".join(parts)
