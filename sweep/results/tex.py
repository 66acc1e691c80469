"""The table of cells as TeX for papers: rates in percent with intervals, few digits, booktabs rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from sweep.columns import Column
from sweep.results.answers import has_criterion, swept
from sweep.results.queries import Queries
from sweep.results.sentences import coverage, of_each_cell, of_several_cells, uneven
from sweep.system.escaping import one_line
from sweep.system.formatting import count_text, list_text, measure_texts, rate_text, short, steps_text

if TYPE_CHECKING:
    from sweep.study.model import Study

# Most rows of a table that is not broken across pages.
_OF_A_PAGE = 40

_SPECIAL = {
    **{character: f"\\{character}" for character in "#$%&_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"},
}
_NUMBER = re.compile(r"(?P<sign>-?)(?P<digits>\d[\d,]*(?:\.\d+)?)(?:e(?P<exponent>[+-]\d+))?|(?P<inf>-?inf)|-")

# Statistics by their heads, and the columns that each consists of.
_OF_CONVERGENCE = {
    "rate, %": ("convergence_rate", "convergence_rate_low", "convergence_rate_high"),
    "median steps": ("steps_q50",),
    "expected steps": ("expected_steps",),
}
_OF_LOSSES = {
    "median final loss": ("final_loss_q50", "final_loss_q50_low", "final_loss_q50_high"),
    "quartiles": ("final_loss_q25", "final_loss_q75"),
    "finite, %": ("finite_rate",),
}
_COUNTS = ("n_cells", "n_runs")
_INTERVALS_OF_CELLS = {True: "95 % Wilson intervals", False: "95 % intervals, from order statistics"}


def tex_table(result: Queries, frame: pd.DataFrame, columns: Sequence[Column], by: Sequence[str], which: str) -> str:
    """Return a table of TeX.

    Parameters
    ----------
    result
        Complete or partial.
    frame
        The rows to show: cells, or statistics pooled by parameters.
    columns
        Descriptions of the columns of the frame.
    by
        Parameters by which cells are pooled; none for single cells.
    which
        A clause that says which rows are shown.

    Returns
    -------
    str
        Comments on the columns, and a table with a caption. It needs the package booktabs, and longtable for more than
        40 rows.
    """
    counts = [name for name in (_COUNTS if by else _COUNTS[1:]) if frame[name].nunique() > 1]
    names = [*(by or swept(result.study)), *counts]
    statistics = _OF_CONVERGENCE if has_criterion(result.study) else _OF_LOSSES
    heads = [name.removeprefix("n_") if name in counts else name for name in names]
    rows = [
        [*(_value(name, row[name]) for name in names), *map(numbers_as_tex, _statistics(row, result.study))]
        for row in frame.to_dict("records")
    ]
    is_long = len(rows) > _OF_A_PAGE
    sides = ["l" if isinstance(frame[name].iloc[0], str) else "r" for name in names] + ["r"] * len(statistics)
    low = next(iter(statistics.values()))[1]
    table = pd.DataFrame(rows, columns=list(map(_head, [*heads, *statistics], sides)))
    drawn = table.style.hide(axis="index").to_latex(
        hrules=True,
        column_format="".join(sides),
        position_float=None if is_long else "centering",
        caption=_caption(result, by, which + _alike(frame, by), has_intervals=bool(frame[low].notna().any())),
        label=f"tab:{result.study.name}",
        environment="longtable" if is_long else "table",
    )
    comments = [
        *_packages(is_long),
        *_sources(result),
        *_meanings({**{name: (name,) for name in names}, **statistics}, columns),
    ]
    return "".join(f"% {one_line(line)}\n" for line in comments) + drawn


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
    return _NUMBER.sub(_number, text)


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
    lines = re.split(r"(?<!,) |(?<=_)", text)
    stacked = r"\\".join(map(as_tex, lines))
    return rf"\shortstack[{side}]{{{stacked}}}" if len(lines) > 1 else stacked


def _alike(frame: pd.DataFrame, by: Sequence[str]) -> str:
    """Return the clause on counts that are equal in all rows and so need no columns."""
    counts = {name: int(frame[name].iloc[0]) for name in (_COUNTS if by else _COUNTS[1:]) if frame[name].nunique() == 1}
    texts = [count_text(n, name.removeprefix("n_").removesuffix("s")) for name, n in counts.items()]
    return f", each of {list_text(texts)}" if texts else ""


def _value(name: str, value: Any) -> str:
    """Return a count, or the value of a parameter."""
    if name in _COUNTS:
        return f"{value:,}"
    return as_tex(short(value)) if isinstance(value, str) else numbers_as_tex(short(value))


def _statistics(row: Mapping[Any, Any], study: Study) -> list[str]:
    """Return the statistics of a row as they are printed on the terminal."""
    if has_criterion(study):
        return [rate_text(row), steps_text(row["steps_q50"]), steps_text(row["expected_steps"])]
    return measure_texts(row, "final_loss")


def _caption(result: Queries, by: Sequence[str], which: str, *, has_intervals: bool) -> str:
    """Return the caption: the rows, the coverage of a partial result, and definitions of the statistics."""
    interval = "95 % intervals" if by else _INTERVALS_OF_CELLS[has_criterion(result.study)]
    notes = [coverage(result), f"in brackets {interval}" if has_intervals else ""]
    notes += [of_several_cells(result) if by else "", of_each_cell(result.study), uneven(result)]
    sentences = [f"{result.study.name}: {which}", *(text[:1].upper() + text[1:] for text in notes if text)]
    return " ".join(as_tex(f"{sentence}.") for sentence in sentences)


def _packages(is_long: bool) -> list[str]:
    """Return the comment on the packages that the table needs."""
    names = ["booktabs", "longtable"] if is_long else ["booktabs"]
    return ["in the preamble: " + "".join(rf"\usepackage{{{name}}}" for name in names)]


def _sources(result: Queries) -> list[str]:
    """Return the comments with the identity of the study and the digest of the result."""
    return [f"{name} {result.facts[name]}" for name in ("identity", "digest") if result.facts.get(name)]


def _meanings(made_of: Mapping[str, Sequence[str]], columns: Sequence[Column]) -> list[str]:
    """Return the comments on the meaning and unit of each column."""
    known = {column.name: column for column in columns}
    meanings = []
    for head, names in made_of.items():
        column = known[names[0]]
        unit = f" ({column.unit})" if column.unit else ""
        source = "" if names == (head,) else f"{', '.join(names)}: "
        meanings.append(f"{head}: {source}{column.doc}{unit}")
    return meanings
