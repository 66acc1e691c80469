"""Tables as TeX for papers: rates in percent with intervals, few digits, booktabs rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from sweep.columns import Column
from sweep.results.queries import Queries
from sweep.results.sentences import coverage, uneven
from sweep.results.tables.table import Table, TableColumn
from sweep.statistics.definitions import definition_of
from sweep.system.escaping import one_line

# Most rows of a table that is not broken across pages.
_OF_A_PAGE = 40

_SPECIAL = {
    **{character: f"\\{character}" for character in "#$%&_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"},
}
_NUMBER = re.compile(r"(?P<sign>[+-]?)(?P<digits>\d[\d,]*(?:\.\d+)?)(?:e(?P<exponent>[+-]\d+))?|(?P<inf>-?inf)|-")


def tex_table(result: Queries, table: Table, label: str, columns: Sequence[Column]) -> str:
    """Return a table of TeX with a caption, after comments on its columns, which ``columns`` describe.

    Optional columns and numbers of cells are left out. The table needs the package booktabs, and longtable for more
    than 40 rows.
    """
    table = table.essential()
    table = replace(table, columns=tuple(column for column in table.columns if column.head != "cell"))
    is_long = len(table.frame) > _OF_A_PAGE
    sides = ["l" if _is_text(column, table.frame) else "r" for column in table.columns]
    rows = [
        [as_tex(text) if side == "l" else numbers_as_tex(text) for text, side in zip(texts, sides, strict=True)]
        for texts in table.texts
    ]
    heads = [_head(column.head, side) for column, side in zip(table.columns, sides, strict=True)]
    drawn = (
        pd.DataFrame(rows, columns=heads)
        .style.hide(axis="index")
        .to_latex(
            hrules=True,
            column_format="".join(sides),
            position_float=None if is_long else "centering",
            caption=_caption(result, table),
            label=label,
            environment="longtable" if is_long else "table",
        )
    )
    packages = r"\usepackage{booktabs}" + (r"\usepackage{longtable}" if is_long else "")
    sources = [f"{name} {result.facts[name]}" for name in ("identity", "digest") if result.facts.get(name)]
    comments = [f"in the preamble: {packages}", *sources, *_meanings(table, columns)]
    return "".join(f"% {one_line(line)}\n" for line in comments) + drawn


def _is_text(column: TableColumn, frame: pd.DataFrame) -> bool:
    """Return whether values of a column are words."""
    return column.is_text or isinstance(frame[column.shows[0]].iloc[0], str)


def as_tex(text: str) -> str:
    r"""Return text with TeX's special characters escaped.

    >>> print(as_tex("learning_rate, %"))
    learning\_rate, \%
    """
    return "".join(_SPECIAL.get(character, character) for character in text)


def numbers_as_tex(text: str) -> str:
    r"""Return text of numbers as TeX sets them.

    >>> print(numbers_as_tex("1.2e-05 [0, inf]"))
    $1.2 \times 10^{-5}$ [0, $\infty$]
    """
    return _NUMBER.sub(_number, as_tex(text))


def _number(found: re.Match[str]) -> str:
    """Return a number as TeX sets it, or two dashes for a missing value."""
    if found["inf"]:
        return "$" + found["inf"].replace("inf", r"\infty") + "$"
    if not found["digits"]:
        return "--"
    if not (found["sign"] or found["exponent"]):
        return found["digits"]
    digits = found["digits"].replace(",", "{,}")
    if not found["exponent"]:
        return f"${found['sign']}{digits}$"
    factor = "" if digits == "1" else digits + r" \times "
    return f"${found['sign']}{factor}10^{{{int(found['exponent'])}}}$"


def _head(text: str, side: str) -> str:
    """Return the head of a column with a line for each word, which keeps tables narrow."""
    lines = re.split(r"(?<!,) |\n|(?<=_)", text)
    stacked = r"\\".join(map(as_tex, lines))
    return rf"\shortstack[{side}]{{{stacked}}}" if len(lines) > 1 else stacked


def _caption(result: Queries, table: Table) -> str:
    """Return the caption: the rows, the coverage of a partial result, and the notes of the table."""
    notes = [coverage(result), *_intervals(table), *table.notes, *uneven(result)]
    sentences = [f"{result.study.name}: {table.title}", *(text[:1].upper() + text[1:] for text in notes if text)]
    return " ".join(as_tex(f"{sentence}.") for sentence in sentences)


def _intervals(table: Table) -> list[str]:
    """Return the notes on intervals: their method, or if there are several that of each column; none without any."""
    having = [each for each in table.columns if each.interval and table.frame[each.shows[1]].notna().any()]
    if not having:
        return []
    methods = {}
    for column in having:
        defined = definition_of(str(column.shows[0]))
        if defined and defined.interval:
            methods[" ".join(column.head.split()).removesuffix(", %")] = defined.interval
    note = f"in brackets {having[0].interval}s"
    if len(set(methods.values())) == 1:
        return [f"{note} ({next(iter(methods.values()))})"]
    return [note, *(f"interval of {head}: {method}" for head, method in methods.items())]


def _meanings(table: Table, columns: Sequence[Column]) -> list[str]:
    """Return the comments on the meaning and unit of each column."""
    known = {column.name: column for column in columns if column.doc}
    meanings = []
    for shown in table.columns:
        name = str(shown.shows[0])
        if name not in known or not shown.head:
            continue
        column = known[name]
        unit = f" ({column.unit})" if column.unit else ""
        source = "" if shown.shows == (shown.head,) else f"{', '.join(map(str, shown.shows))}: "
        meanings.append(f"{shown.head}: {source}{column.doc}{unit}")
    return meanings
